"""Sections of the user's own, from the settings file to the memory of a successor: real verbs, a real program."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.builders import Script, session_file
from tests.cli.command import Ran, memcli
from tests.commands.states import edit, grown, rested

if TYPE_CHECKING:
    from pathlib import Path

PROSE = "- It is worth telling why the wheel was asked for."
PROGRAM = f"""
import json, sys
for line in sys.stdin:
    job = json.loads(line)
    open(sys.argv[1], "a").write(json.dumps(job) + "\\n")
    edits = [{{"section": "Why so", "op": "append", "text": {PROSE!r}}}] if not job.get("prose") else []
    text = "" if edits else "## Active Work\\nunchanged\\n<!-- end -->"
    print(json.dumps({{"v": 1, "job": job["job"], "edits": edits, "text": text}}), flush=True)
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "memcli.toml").write_text('[sections]\n"Why so" = "reasons that were given"\n')
    return rested(session_file(tmp_path / "run.jsonl", "anthropic"))


def update(path: Path, *options: str) -> Ran:
    ran = memcli("update", *options, rested(path), cwd=path.parent)
    assert ran.code == 0, ran.err
    return ran


def written(path: Path) -> Path:
    """The same transcript with a memory that a program of the user's wrote."""
    program = path.with_name("summarizer.py")
    program.write_text(PROGRAM)
    update(path, "--summarizer", f"{sys.executable} {program} {path.with_name('jobs')}")
    return path


def section(path: Path, name: str = "Why so") -> str:
    """What stands under a heading in the memory of a transcript."""
    shown = memcli("show", path, cwd=path.parent).out
    return shown.split(f"\n## {name}\n")[1].split("\n## ")[0].strip("\n")


def test_without_a_model_the_heading_stands_empty_behind_ours(run: Path) -> None:
    update(run, "--backend", "embedded")
    shown = memcli("show", run).out
    assert shown.endswith("## Why so\n- none\n")
    assert shown.index("## Key References") < shown.index("## Why so")


def test_a_model_is_told_what_to_write_there_and_its_answer_stands(run: Path) -> None:
    (job,) = map(json.loads, written(run).with_name("jobs").read_text().splitlines())
    assert section(run) == f"<!-- prose -->\n{PROSE}"
    assert job["sections"] == {"Why so": "reasons that were given"}
    assert "## Why so (" in job["prompt"]
    assert "words): reasons that were given" in job["prompt"]


def test_what_a_model_wrote_there_stands_when_facts_are_made_fresh(run: Path) -> None:
    grown(written(run), "anthropic")
    update(run, "--backend", "embedded")
    assert section(run) == f"<!-- prose -->\n{PROSE}"


def test_a_successor_keeps_it_and_its_model_is_shown_it(run: Path) -> None:
    out = memcli("compact", written(run), cwd=run.parent).out
    path = run.with_name("next.jsonl")
    path.write_bytes(Script("anthropic", after=out.encode(), serial=900).turn(9).data)
    path.write_bytes(out.encode() + path.read_bytes())
    written(path)
    last = json.loads(path.with_name("jobs").read_text().splitlines()[-1])
    assert section(path) == f"<!-- prose -->\n{PROSE}"
    assert last["prose"] == {"Why so": PROSE}


def test_lines_of_the_users_stand_there_and_what_they_strike_out_stays_out(run: Path) -> None:
    edit(written(run), "Why so", "- the miller is my uncle")
    memory = run.with_name("session-memory.md")
    memory.write_text(memory.read_text().replace(f"{PROSE}\n", ""))
    update(run, "--backend", "embedded")
    assert section(run) == "Written by the user into this memory:\n- the miller is my uncle"


def test_another_table_of_sections_is_reason_enough_for_an_update(run: Path) -> None:
    settings = run.with_name("memcli.toml")
    update(run, "--backend", "embedded")
    settings.write_text('[sections]\n"What for" = "the ends"\n')
    assert "generation 2" in update(run, "--backend", "embedded").err
    assert section(run, "What for") == "- none"
    assert "already current" in update(run, "--backend", "embedded").err


def test_a_section_that_is_configured_no_more_goes_and_the_users_lines_do_not(run: Path) -> None:
    edit(written(run), "Why so", "- the miller is my uncle")
    update(run, "--backend", "embedded")
    run.with_name("memcli.toml").unlink()
    grown(run, "anthropic")
    update(run, "--backend", "embedded")
    assert section(run) == "Written by the user into this memory:\n- the miller is my uncle"
