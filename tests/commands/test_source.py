"""Files with one whole conversation a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from memcli.commands.source import conversations, is_batch, laid_out
from memcli.errors import NoMessages, NotATranscript, Usage
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

FIXTURES = Path(__file__).parents[2] / "fixtures/formats"
TALK = [{"role": "user", "content": "count the bees"}, {"role": "assistant", "content": "Two bees."}]


def a_line(*messages: object, **more: Any) -> bytes:
    return json.dumps({**more, "messages": list(messages)}).encode() + b"\n"


def a_batch(directory: Path, *lines: bytes) -> Path:
    path = directory / "talks.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def talk(path: Path | str) -> Sequence[Any]:
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_batch_is_told_from_a_transcript_by_its_content(path: Path) -> None:
    assert is_batch(path) == path.stem.endswith("-batch")


@pytest.mark.parametrize(
    "first",
    [
        a_line(*TALK),
        a_line(*TALK, tools=["x" * 9_000]),
        b"\n  \n" + a_line(*TALK),
        b"\xef\xbb\xbf" + a_line(*TALK),
        a_line({"role": "system", "content": "Be exact."}, *TALK),
    ],
    ids=["plain", "behind-long-fields", "behind-blank-lines", "byte-order-mark", "system"],
)
def test_the_first_record_decides_wherever_it_stands(tmp_path: Path, first: bytes) -> None:
    assert is_batch(a_batch(tmp_path, first, b"no JSON\n"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b'{"type":"file-history-snapshot","messageId":"a","snapshot":{"messages":1}}\n' + a_line(*TALK),
        b'{"type":"summary","summary":"the \\"messages\\" of bees","leafUuid":"a"}\n',
        b'{"role":"user","content":"hi","messages":"none"}\n',
        b'{"messages":[]}\n',
        b'{"messages":[{"role":"user"',
        b'\x1f\x8b"messages"',
    ],
)
def test_what_begins_otherwise_is_none(tmp_path: Path, content: bytes) -> None:
    assert not is_batch(a_batch(tmp_path, content))


def test_a_log_of_one_model_call_is_named_for_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(NotATranscript, match="log of one model call"):
        is_batch(a_batch(tmp_path, a_line(*TALK, response={})))


def test_each_conversation_is_laid_out_with_one_message_a_line(tmp_path: Path) -> None:
    other = [{"role": "user", "content": "é “quoted”\nline"}]
    found = dict(conversations(a_batch(tmp_path, a_line(*TALK), a_line(*other))))
    assert {number: [json.loads(line) for line in text.splitlines()] for number, text in found.items()} == {
        1: TALK,
        2: other,
    }


def test_numbers_are_those_of_the_lines_and_a_damaged_line_does_not_end_the_file(tmp_path: Path) -> None:
    path = a_batch(tmp_path, a_line(*TALK), b"\n", b'{"messages":[{"ro\n', a_line(), a_line(*TALK).strip())
    assert [(number, bool(text)) for number, text in conversations(path)] == [(1, True), (3, False), (5, True)]


# ------------------------------------------------------------------ one of them, to be remembered


def test_a_transcript_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes((FIXTURES / "anthropic.jsonl").read_bytes())
    assert laid_out(path, Place.of(path), None) == str(path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_chosen_conversation_is_laid_out_in_the_sidecar(tmp_path: Path) -> None:
    path = a_batch(tmp_path, a_line({"role": "user", "content": "no"}), a_line(*TALK))
    found = laid_out(path, Place.of(path), 2)

    assert Path(found) == Place.of(path).sidecar / "line-2.jsonl"
    assert talk(found) == TALK


def test_the_only_conversation_needs_no_choice(tmp_path: Path) -> None:
    path = a_batch(tmp_path, b"\n", a_line(*TALK))
    assert talk(laid_out(path, Place.of(path), None)) == TALK


def test_the_same_conversation_is_not_written_again(tmp_path: Path) -> None:
    """Its file is followed: a new one would look like another transcript."""
    path = a_batch(tmp_path, a_line(*TALK))
    before = Path(laid_out(path, Place.of(path), 1)).stat()
    assert Path(laid_out(path, Place.of(path), 1)).stat() == before


def test_a_conversation_that_changed_is_laid_out_anew(tmp_path: Path) -> None:
    place = Place.of(a_batch(tmp_path, a_line(*TALK)))
    laid_out(place.transcript, place, 1)
    a_batch(tmp_path, a_line(*TALK[:1]))
    assert talk(laid_out(place.transcript, place, 1)) == TALK[:1]


def test_several_conversations_ask_for_a_choice_and_say_how(tmp_path: Path) -> None:
    path = a_batch(tmp_path, b"\n", a_line(*TALK), a_line(*TALK))
    with pytest.raises(Usage, match="2 conversations") as caught:
        laid_out(path, Place.of(path), None)
    assert caught.value.hint == f"memcli update {path} --line 2"


@pytest.mark.parametrize("line", [-1, 0, 2, 4])
def test_a_line_without_conversation_is_not_there(tmp_path: Path, line: int) -> None:
    path = a_batch(tmp_path, a_line(*TALK), b"damaged\n", a_line(*TALK))
    with pytest.raises(NoMessages, match=f"at line {line}") as caught:
        laid_out(path, Place.of(path), line)
    assert caught.value.hint == f"memcli update {path} --line 3"
    assert not Place.of(path).sidecar.exists()


def test_a_transcript_has_no_line_to_choose(tmp_path: Path) -> None:
    path = tmp_path / "a run.jsonl"
    path.write_bytes((FIXTURES / "anthropic.jsonl").read_bytes())
    with pytest.raises(Usage, match="no line to choose") as caught:
        laid_out(path, Place.of(path), 1)
    assert caught.value.hint == f"memcli update '{path}'"
