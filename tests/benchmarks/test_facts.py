"""What is left of a session is counted word for word, whatever it is written in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from scripts.benchmarks.facts import Facts, plain, recorded

if TYPE_CHECKING:
    from pathlib import Path

FACTS = Facts(["Mend the dam.\nThen the gate — twice"], ["No, not the gate"], ["gate.py"], ['E7 "sluice"'])
ALL = "requests 1 of 1, corrections 1 of 1, files 1 of 1, errors 1 of 1"


def everything() -> str:
    return "\n".join(text for texts in FACTS for text in texts)


@pytest.mark.parametrize(
    "left",
    [
        everything(),
        json.dumps({"content": [everything(), 7, None]}),
        "\n".join(json.dumps({"text": texts}) for texts in FACTS),
        json.dumps({"text": everything()}, ensure_ascii=False, indent=2),
    ],
    ids=["Markdown", "JSON", "JSON lines", "indented"],
)
def test_a_fact_is_found_in_any_writing(left: str) -> None:
    assert FACTS.kept(plain(left.encode())) == ALL


def test_a_fact_in_other_words_is_not_kept() -> None:
    assert FACTS.kept(plain(b"The dam was mended, then gate.py")) == ALL.replace("1 of 1", "0 of 1").replace(
        "files 0", "files 1"
    )


def test_the_facts_of_a_recorded_session_are_told_once(tmp_path: Path) -> None:
    call = {"type": "tool_use", "name": "Edit", "input": {"file_path": "/mill/gate.py"}}
    failed = {"type": "tool_result", "is_error": True, "content": "Exit code 1\nE7: no water\n"}
    records = [
        {"type": "user", "message": {"content": "Mend the dam."}},
        {"type": "user", "isMeta": True, "message": {"content": "a reminder"}},
        {"type": "assistant", "message": {"content": [call, call]}},
        {"type": "user", "message": {"content": [failed]}},
        {"type": "user", "message": {"content": "No, the other one."}},
        {"type": "summary"},
    ]
    (tmp_path / "it").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    assert recorded(tmp_path / "it") == Facts(
        ["Mend the dam.", "No, the other one."], ["No, the other one."], ["gate.py"], ["E7: no water"]
    )
