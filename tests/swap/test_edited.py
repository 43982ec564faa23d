"""A memory edited by hand: it stands in the message as the user left it, signed, or is left to the slow route."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli import edited
from memcli import head as heads
from memcli.memory import message
from memcli.sidecar.lineage import Keys
from memcli.transcript import encode
from memcli.transcript.encode import common

KEYS = Keys((b"k" * 32,))
GENERATION = "0123456789abcdef00000001"
STATE = "## Current State\n- now\n\n"
MEMORY = f"# Session memory\n\n{STATE}## User Intent\n- build a mill\n\n## Files\n- none\n"


def a_head(memory: str = MEMORY, format: str = "anthropic", **fields) -> heads.Head:
    """A head whose message holds this memory, as the publisher makes it."""
    mark = common.mark(GENERATION, KEYS.digest(GENERATION, message.signed(memory)))
    text = message.pieces(mark, memory)
    pieces = encode.module(format).message(text.before, text.state, text.after, {})
    ahead, _, behind = message.split(memory)
    known = {
        "opening": len(pieces.before) - len(common.inner(ahead)),
        "closing": len(pieces.after) - len(common.inner(behind.rstrip())),
        "room": 4000,
        "edit_key": KEYS.edit_key(GENERATION),
        "fills": pieces.fills,
        "before": pieces.before,
        "state": pieces.state,
        "after": pieces.after,
    }
    names = {"format": format, "session": "s", "generation": GENERATION, "made": 1.0}
    return heads.Head(**names, covered=0, tail=0, end=0, fingerprint=0, **(known | fields))


def said(head: heads.Head) -> str:
    """The text of the memory message."""
    line = (head.before + head.state + head.after).splitlines()[-1]
    record = json.loads(line)
    content = record.get("payload", record.get("message", record))["content"]
    return content if isinstance(content, str) else content[0]["text"]


@pytest.mark.parametrize("format", ["anthropic", "openai", "claude-code", "codex", "pi"])
@pytest.mark.parametrize(
    "line", ["- plain", 'quo"te \\ back\tslash', "naïve \U0001f600 \x01", "## Notes of mine", "\\n## Files"]
)
def test_the_users_words_stand_where_they_were_written(format, line) -> None:
    words = MEMORY.replace("- build", f"{line}\n- build")
    head = edited.with_edit(a_head(format=format), words.encode())

    assert message.document_of(said(head)) == words


@pytest.mark.parametrize(
    "words", [f"{MEMORY}- more\n\n\n", MEMORY.replace("# Session", "# My"), MEMORY.replace("- none", "- mill.py")]
)
def test_an_edited_memory_is_known_as_ours(words) -> None:
    text = said(edited.with_edit(a_head(), words.encode()))
    mark = message.read_mark(text)

    assert mark is not None
    assert KEYS.verify(GENERATION, message.signed(message.document_of(text)), mark.digest)
    assert not KEYS.verify(GENERATION, message.signed(message.document_of(text)) + "x", mark.digest)
    assert not KEYS.verify(GENERATION[:-1] + "2", message.signed(message.document_of(text)), mark.digest)


def test_the_moment_of_compaction_is_ours_to_tell() -> None:
    head = a_head()
    fresh = heads.renewed(head, state=common.inner("## Current State\n- later\n\n"))
    text = said(edited.with_edit(fresh, MEMORY.replace("- now", "- what I think").encode()))

    assert "- later" in text
    assert "- what I think" not in text


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (MEMORY, {"room": 10}),
        (MEMORY, {"fills": ()}),
        ("", {}),
        (MEMORY.replace(STATE, ""), {}),
        (MEMORY.replace("## Files", "Files"), {}),
        (MEMORY.replace("## User Intent\n- build a mill\n\n", "") + "## User Intent\n", {}),
        (MEMORY + "## Files\n- twice\n", {}),
        (MEMORY.replace("\n", "\r\n"), {}),
        (f"# Session memory\n\n## User Intent\n## Files\n{STATE}", {}),
    ],
    ids=["no room", "no mark", "emptied", "no state", "no heading", "order", "twice", "line ends", "nothing behind"],
)
def test_an_edit_that_is_no_small_one_is_for_the_slow_route(words, fields) -> None:
    with pytest.raises(ValueError, match=r"edit|mark"):
        edited.with_edit(a_head(**fields), words.encode())


def test_bytes_that_are_no_text_are_for_the_slow_route() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        edited.with_edit(a_head(), MEMORY.encode() + b"\xff")


@given(st.text())
def test_text_is_quoted_as_json_does_it(text) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    assert edited._quoted(clean) == common.inner(clean)


def test_a_larger_memory_counts_for_more() -> None:
    more = MEMORY + "- x\n" * 100

    assert edited.with_edit(a_head(memory_tokens=50), more.encode()).memory_tokens == 50 + 5 * 100 // 4
