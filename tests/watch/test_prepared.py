"""The tail, rewritten beforehand: the encoder's own bytes, told without a word of anybody's."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli import program, swap
from memcli.watch import prepared as preparing
from memcli.watch.prepared import Teller, prepared
from tests.swap.a_head import a_head, facts
from tests.swap.sessions import FORMATS, WRITERS, conversations

each_format = pytest.mark.parametrize("format", FORMATS)
EVENTS = [("prompt", "a"), ("say", "b"), ("prompt", "c"), ("think",), ("call", "c1"), ("result", "c1"), ("say", "d")]
# Whatever an encoder may do to a record: members taken out, put in, changed; texts of other lines taken over.
texts = st.one_of(st.text(max_size=12), st.sampled_from(["user", "text", "a,", ',"b":"c', "x\ny", '\\"', "12345", "é"]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
records = st.dictionaries(texts, values, max_size=5)
said = st.builds("said{}".format, texts)
confided = st.dictionaries(said, said | st.lists(said, max_size=3) | st.dictionaries(said, said), max_size=4)


def dump(record: object, **spelling: object) -> bytes:
    spelling = {"ensure_ascii": False, "separators": (",", ":")} | spelling
    return json.dumps(record, **spelling).encode("utf-8", "surrogatepass") + b"\n"


def a_tail(format: str, data: bytes, cut: int, **fields: object) -> tuple[bytes | None, bytes]:
    """What is prepared behind a cut, and what the encoder writes there."""
    head = a_head(format, data, cut, **{"route": "rewrite"} | fields)
    with tempfile.TemporaryDirectory() as room:
        path = Path(room, "run.jsonl")
        path.write_bytes(data)
        source = os.open(path, os.O_RDONLY)
        try:
            tail = b"".join(line.data for line in swap.encoded(head, source, len(data)).outs)
        finally:
            os.close(source)
        return prepared(head, str(path)), tail


@each_format
@settings(max_examples=20)
@given(st.data())
def test_the_program_gives_the_bytes_of_the_encoder(format: str, data: st.DataObject) -> None:
    transcript = WRITERS[format](data.draw(conversations(format)))
    transcript = transcript.rstrip(b"\n") if data.draw(st.booleans()) else transcript
    cut = data.draw(st.sampled_from([entry.offset for entry in facts(format, transcript)[0]]))
    made, tail = a_tail(format, transcript, cut)

    assert made is not None
    assert program.parse(made).run(transcript[cut:]) == tail


@given(st.lists(records, min_size=1, max_size=3), records, st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_any_line_is_told_right_or_not_at_all(old: list, new: dict, separators: tuple, ascii: bool) -> None:
    data = b"".join(dump(record, separators=separators, ensure_ascii=ascii) for record in old)
    line = dump(new | old[0])
    told = literal_and_output(data, line)

    assert told is None or told[1] == line


@given(st.lists(confided, min_size=1, max_size=3), confided)
def test_what_was_said_is_never_literal(old: list, new: dict) -> None:
    told = literal_and_output(b"".join(map(dump, old)), dump(new | old[-1]))

    assert told is None or b"said" not in told[0]


def literal_and_output(data: bytes, line: bytes) -> tuple[bytes, bytes] | None:
    """What is literal in a line told by the first line of `data`, and the line; None if it is not told."""
    teller = Teller(data)
    try:
        teller.line(0, line)
    except ValueError:
        return None
    literal = bytes(teller.literal)
    steps = [number for step in teller.steps for number in step]
    return literal, program.Program("", "", 0, [], {}, steps, literal).run(data)


SECRETS = (
    "hunter2-of-the-prompt",
    "pass-of-a-thought",
    "key-of-a-tool",
    "/home/who/tax-return.pdf",
    "said-in-a-refusal",
)


def with_secrets() -> bytes:
    round = [("call", "c1"), ("result", "c1"), ("call", "c2"), ("refused", "c2", SECRETS[4])]
    data = WRITERS["claude-code"]([("prompt", SECRETS[0]), ("think",), *round])
    return data.replace(b'"hm"', dump(SECRETS[1])[:-1]).replace(b"output of c1", " in ".join(SECRETS[2:4]).encode())


def test_no_text_of_the_conversation_stands_in_the_file() -> None:
    data = with_secrets()
    made, tail = a_tail("claude-code", data, 0)

    assert made is not None
    assert [secret.encode() in tail for secret in SECRETS] == [True, False, True, True, True]
    assert not [secret for secret in (*SECRETS, "doesn't want", "Bash", "msg_0") if secret.encode() in made]


def test_words_in_another_spelling_are_not_told_at_all() -> None:
    """The encoder writes UTF-8; what the client had escaped is found nowhere and would have to stand in the file."""
    data = WRITERS["claude-code"]([("prompt", "é said in confidence"), ("say", "yes")])
    escaped = data.replace("é".encode(), b"\\u00e9")

    assert a_tail("claude-code", data, 0)[0] is not None
    assert a_tail("claude-code", escaped, 0)[0] is None


def test_numbers_of_the_conversation_are_copied_or_not_told() -> None:
    told = literal_and_output(b'{"pin":  4711, "n": 7}\n', b'{"pin":4711,"n":7}\n')

    assert told is not None
    assert (b"4711" in told[0], told[1]) == (False, b'{"pin":4711,"n":7}\n')
    assert literal_and_output(b'{"pin": 4.711e3}\n', b'{"pin":4711.0}\n') is None


def test_the_end_of_a_string_with_a_comma_is_no_place_to_part_a_line() -> None:
    line = b'{"k,":"words here","id":0}\n'
    told = literal_and_output(b'{ "k," : "words here" }\n', line)

    assert told is not None
    assert (b"words" in told[0], told[1]) == (False, line)


@pytest.mark.parametrize(("more", "made"), [(-1, True), (1, False)])
def test_a_long_tail_is_left_to_the_swap(more: int, made: bool) -> None:
    data = WRITERS["claude-code"](EVENTS)
    room = preparing.MOST_BYTES - len(data) + len("output of c1")
    long = data.replace(b"output of c1", b"x" * (room + more))

    assert (a_tail("claude-code", long, 0)[0] is not None) == made


def test_a_line_that_lost_thousands_of_parts_is_not_told() -> None:
    old = [f"{number:06}" for number in range(2 * preparing.MOST_STEPS + 2)]
    with pytest.raises(ValueError, match="too many steps"):
        Teller(dump(old)).line(0, dump(old[::2]))


def test_a_line_in_another_order_is_not_searched_for_long() -> None:
    """Thousands of strings, none where it was: the loop of the watcher does not wait for all of them."""
    old = [f"{number:06}" for number in range(2 * preparing.MOST_STEPS)]
    with pytest.raises(ValueError, match="too much to search"):
        Teller(dump(old)).line(0, dump(old[::-1]))


@pytest.mark.parametrize(("format", "route"), [("anthropic", "copy"), ("openai", "copy")])
def test_a_tail_that_may_be_copied_needs_no_program(format: str, route: str) -> None:
    assert a_tail(format, WRITERS[format](EVENTS), 0, route=route)[0] is None


def test_of_another_head_there_is_another_program() -> None:
    data = WRITERS["pi"](EVENTS)
    one, other = (a_tail("pi", data, 0, generation=name)[0] for name in ("g1", "g2"))

    assert one is not None
    assert other is not None
    assert program.parse(one).key != program.parse(other).key
