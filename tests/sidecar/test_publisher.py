"""Heads of real sessions: what they promise about the tail is what the swap gives and its reader finds."""

from __future__ import annotations

import io
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli import head as heads
from memcli.memory import message
from memcli.sidecar import publisher
from memcli.swap import place
from memcli.transcript import encode
from tests.builders import FORMATS, Script, is_tail, session, session_file
from tests.sidecar.published import SESSIONS, SIGNED, made, messages_in, swapped

if TYPE_CHECKING:
    from pathlib import Path

COPYING = [format for format in FORMATS if encode.module(format).COPIES]


@pytest.fixture(params=SESSIONS, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A recorded session, or one with the dirt that its format is known for."""
    return shutil.copyfile(request.param, tmp_path / "run.jsonl")


# ------------------------------------------------------------------ the tail


def test_the_counts_of_a_head_are_those_of_the_successors_reader(recorded: Path) -> None:
    """`covered` of the mark tells the successor how many messages to skip: one off, and words are lost or doubled."""
    one = made(recorded)
    kinds = {
        kind: [cut for cut in one.head.cuts if kind in ("r", cut[1]) and cut[0] < one.head.covered] for kind in "tr"
    }
    bare = messages_in(one.head.format, swapped(one, ("turns", 0), rewritten=True))
    asked = [("turns", number) for number in range(1, len(kinds["t"]) + 1)][:6]
    asked += [("tokens", cut[2]) for cut in kinds["r"] if cut[2]][-6:]

    for keep in asked:
        out = swapped(one, keep, rewritten=True)
        text = message_text(out)
        mark = message.read_mark(text)
        assert mark is not None
        assert mark.covered == messages_in(one.head.format, out) - bare


def test_the_swap_writes_the_same_on_both_routes(recorded: Path) -> None:
    one = made(recorded)
    assert swapped(one) == swapped(one, rewritten=True)


@pytest.mark.parametrize("format", FORMATS)
def test_the_default_tail_is_counted_for_what_the_memory_covers_and_what_follows(tmp_path: Path, format: str) -> None:
    script = Script(format).turn(0).turn(1)
    script.call("Looking.", "ls")
    path = tmp_path / "run.jsonl"
    path.write_bytes(script.data)
    one = made(path)
    kept = next(messages for offset, _, _, messages in one.head.cuts if offset == one.head.tail)

    assert is_tail(format, swapped(one), script.data)
    assert one.head.covered < one.head.end
    assert one.head.open_calls == 1
    assert kept == messages_in(format, script.data[one.head.tail : one.head.covered])
    assert one.head.tail_messages == messages_in(format, script.data[one.head.covered :])


@pytest.mark.parametrize("format", FORMATS)
def test_only_a_tail_that_is_sure_is_counted_beforehand(tmp_path: Path, format: str) -> None:
    """The default one, and those inside it that are copied; the swap counts the others when it writes them."""
    path = session_file(tmp_path / "run.jsonl", format, rounds=3)
    head = made(path).head
    sure = {head.tail, head.covered} | {cut[0] for cut in head.cuts if head.route == "copy" and cut[0] >= head.tail}

    assert {cut[0] for cut in head.cuts if cut[3] >= 0} == sure
    assert all(cut[3] == messages_in(format, path.read_bytes()[cut[0] :]) for cut in head.cuts if cut[0] in sure)


@pytest.mark.parametrize("format", FORMATS)
def test_the_turn_that_a_transcript_begins_with_can_be_asked_for(tmp_path: Path, format: str) -> None:
    """Also where it is all there is, and stands in the default tail."""
    head = made(session_file(tmp_path / "run.jsonl", format, 1, rounds=0)).head
    assert (head.tail, [cut[:2] for cut in head.cuts]) == (head.first, [(head.first, "t"), (head.covered, "t")])
    assert place(head, ("turns", 1)).offset == head.first


@pytest.mark.parametrize("format", FORMATS)
def test_the_cuts_of_a_head_go_down_to_the_boundary(tmp_path: Path, format: str) -> None:
    head = made(session_file(tmp_path / "run.jsonl", format)).head
    offsets = [cut[0] for cut in head.cuts]

    assert offsets == sorted(set(offsets))
    assert head.tail in offsets
    assert head.cuts[-1] == (head.covered, "t", 0, 0)
    tokens = [cut[2] for cut in head.cuts]
    assert tokens == sorted(tokens, reverse=True)


# ------------------------------------------------------------------ the route


@pytest.mark.parametrize("format", FORMATS)
def test_only_a_format_whose_records_stand_alone_is_copied(tmp_path: Path, format: str) -> None:
    head = made(session_file(tmp_path / "run.jsonl", format)).head
    assert head.route == ("copy" if format in COPYING else "rewrite")


@pytest.mark.parametrize("format", COPYING)
def test_a_copied_tail_is_byte_for_byte_the_transcripts(tmp_path: Path, format: str) -> None:
    path = session_file(tmp_path / "run.jsonl", format)
    one = made(path)
    assert swapped(one).endswith(b"\n" + path.read_bytes()[one.head.tail :])


THOUGHT = {
    "anthropic": {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}]},
    "openai": {"role": "assistant", "content": "", "reasoning_content": "hm"},
}


@pytest.mark.parametrize("format", COPYING)
def test_thinking_in_the_tail_asks_for_the_encoder(tmp_path: Path, format: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script(format).turn(0).prompt("go on").line(THOUGHT[format]).say("Done.").data)
    one = made(path)

    assert one.head.route == "rewrite"
    assert b"hm" not in swapped(one)


@pytest.mark.parametrize("format", COPYING)
def test_thinking_before_the_tail_does_not(tmp_path: Path, format: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script(format).prompt("go on").line(THOUGHT[format]).say("Done.").turn(1).data)
    one = made(path)

    assert one.head.route == "copy"
    assert swapped(one) == swapped(one, rewritten=True)


@pytest.mark.parametrize("format", COPYING)
def test_a_missing_line_end_is_added_and_still_a_copy(tmp_path: Path, format: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session(format)[:-1])
    one = made(path)

    assert one.head.route == "copy"
    assert swapped(one).endswith(session(format)[one.head.tail :])


# ------------------------------------------------------------------ the message


def message_text(out: bytes) -> str:
    """The text of the memory message, wherever its format puts it."""
    found = next(line for line in out.splitlines() if message.FRAMING[:40].encode() in line)
    return _find(json.loads(found))


def _find(value: object) -> str:
    if isinstance(value, str):
        return value if value.startswith("<!-- memcli") else ""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((text for part in inside if (text := _find(part))), "")


def test_the_message_holds_the_memory_its_mark_and_its_source(recorded: Path) -> None:
    one = made(recorded)
    text = message_text(swapped(one))
    mark = message.read_mark(text)

    assert mark is not None
    assert (mark.generation, mark.digest) == (SIGNED.generation, SIGNED.digest)
    assert message.document_of(text) == one.publication.markdown
    assert message.signed(message.document_of(text)) == one.publication.signed
    assert " The full transcript: /srv/run.jsonl\n" in text


def test_a_head_is_read_back_as_it_was_made(recorded: Path) -> None:
    head = made(recorded).head
    assert heads.parse(heads.build(head)) == head


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_transcript_gives_the_same_head(tmp_path: Path, format: str) -> None:
    path = session_file(tmp_path / "run.jsonl", format)
    assert made(path).head == made(path).head


@given(st.text())
def test_the_state_stands_inside_a_json_string(text: str) -> None:
    assert json.loads(b'"' + publisher.state_bytes(text) + b'"') == text


# ------------------------------------------------------------------ the fingerprint


TRANSCRIPT = session("codex", 8, 2)
COVERED = TRANSCRIPT.rindex(b"\n", 0, -1500) + 1


def fingerprint(data: bytes, covered: int = COVERED, end: int = len(TRANSCRIPT)) -> int:
    return publisher.fingerprint(io.BytesIO(data), covered, end)


def test_a_transcript_that_has_only_grown_has_the_same_fingerprint() -> None:
    assert fingerprint(TRANSCRIPT + b'{"type":"event_msg"}\n') == fingerprint(TRANSCRIPT)


@given(st.sampled_from(heads.spans(COVERED, len(TRANSCRIPT))), st.data(), st.integers(1, 255))
def test_any_byte_that_changed_where_it_looks_changes_the_fingerprint(
    span: heads.Range, data: st.DataObject, change: int
) -> None:
    """It looks at the start, before the boundary and before the end."""
    place = data.draw(st.integers(span[0], span[1] - 1))
    other = bytearray(TRANSCRIPT)
    other[place] ^= change
    assert fingerprint(bytes(other)) != fingerprint(TRANSCRIPT)


@pytest.mark.parametrize("cut", [1, 100, len(TRANSCRIPT) - COVERED, len(TRANSCRIPT)])
def test_a_file_that_was_cut_has_another_fingerprint(cut: int) -> None:
    assert fingerprint(TRANSCRIPT[:-cut]) != fingerprint(TRANSCRIPT)


def test_the_fingerprint_of_a_head_is_that_of_its_file(tmp_path: Path) -> None:
    path = session_file(tmp_path / "run.jsonl", "pi")
    head = made(path).head
    assert head.fingerprint == fingerprint(path.read_bytes(), head.covered, head.end)
