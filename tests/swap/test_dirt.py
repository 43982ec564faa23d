"""Dirt in the tail: what the reader of a format gives is emitted, and every line that is emitted is clean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript import encode
from memcli.transcript.encode.common import Doubt, Plan, clean, parse
from memcli.transcript.formats.records import objects
from tests.builders import Script
from tests.swap.a_head import a_head, facts, lines_of, swapped
from tests.swap.sessions import FORMATS, WRITERS, dump

PIECES = [
    b'{"a":',
    b"1}",
    b'{"b":"x\ty"}',
    b"\xff",
    b"\\ud800",
    b'"',
    b"{}",
    b"\x00",
    b"\xef\xbb\xbf",
    b" ",
    b"[1]",
    b"NaN}",
]
DIRT = {
    "padding": b"\x00\x00%s\x00\n",
    "byte order mark": b"\xef\xbb\xbf%s\n",
    "byte order mark within": b" \xef\xbb\xbf %s\n",
    "blanks": b" \t%s \r\n",
    "garbage behind": b"%s garbage\n",
    "blank lines": b"\n \n%s\n\n",
}


def said(format: str, data: bytes) -> list[str]:
    """Texts of a file's messages, as the reader of its format finds them."""
    texts = [getattr(part, "text", "") for entry in facts(format, data)[0] for part in entry.parts]
    return [text for text in texts if text and "memcli generation" not in text]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_the_encoders_read_of_a_line_what_the_readers_read(line) -> None:
    def shown(value: object) -> str:
        return json.dumps(value).replace("\\udcff", "\\ufffd")  # a wrong byte, as the two of them write it

    read = [value for _, value in objects(line)]
    found, rest = parse(line)

    assert [shown(value) for value in found] == [shown(value) for value in read if value is not None]
    assert rest == read.count(None)


@pytest.mark.parametrize(
    ("line", "is_clean"),
    [
        (b'{"a":1}\n', True),
        (b' {"a" : "\\ud83d"} \r\n', True),
        (b'{"a":NaN}\n', False),
        (b'{"a":"x\ty"}\n', False),
        (b'{"a":"\xff"}\n', False),
        (b'\xef\xbb\xbf{"a":1}\n', False),
        (b'{"a":1}\x00\n', False),
        (b'{"a":1}{}\n', False),
        (b"[1]\n", False),
        (b"\n", False),
    ],
)
def test_only_a_line_that_is_one_object_and_nothing_else_is_clean(line, is_clean) -> None:
    assert (clean(line) is not None) == is_clean


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", DIRT)
def test_no_message_is_lost_to_dirt_around_it(format, kind, tmp_path) -> None:
    lines = WRITERS[format]([("prompt", "a"), ("say", "b"), ("prompt", "c"), ("say", "d")]).splitlines()
    clean_file = b"".join(line + b"\n" for line in lines)
    data = b"".join(line + b"\n" if place < 2 else DIRT[kind] % line for place, line in enumerate(lines))
    begin = len(b"\n".join(lines[:2])) + 1
    output = swapped(a_head(format, data, begin), data, tmp_path)[0]

    assert said(format, output) == said(format, swapped(a_head(format, clean_file, begin), clean_file, tmp_path)[0])
    assert all(isinstance(json.loads(line), dict) for line in output.decode("utf-8").splitlines())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("raw", "read_as"), [(b"x\ty", "x\ty"), (b"x\xffy", "x\ufffdy"), (b"x\\ud83dy", "x\ufffdy")])
def test_words_with_wrong_bytes_or_bare_controls_in_them_are_kept(format, raw, read_as, tmp_path) -> None:
    data = WRITERS[format]([("prompt", "a"), ("say", "WORDS")]).replace(b"WORDS", raw)
    output = swapped(a_head(format, data, 0), data, tmp_path)[0]

    assert read_as in said(format, output)
    assert all(isinstance(json.loads(line), dict) for line in output.decode("utf-8").splitlines())


@pytest.mark.parametrize("format", FORMATS)
def test_unreadable_lines_nobody_saw_raise_doubt_and_seen_ones_are_counted(format) -> None:
    data = WRITERS[format]([("prompt", "a")]) + b"{half a li\n[1] 2\n"
    plan = Plan(end=len(data))
    out = list(encode.module(format).tail(lines_of(data), plan))

    assert plan.problems["unreadable line"] == 3
    assert b"half" not in b"".join(line.data for line in out)
    with pytest.raises(Doubt):
        list(encode.module(format).tail(lines_of(data), Plan(end=len(data), known=0)))


@pytest.mark.parametrize("format", FORMATS)
def test_two_records_without_a_newline_between_them_are_two_messages(format, tmp_path) -> None:
    made = Script(format).prompt("a").say("b").prompt("c").say("d")
    data = b"".join(made.lines)
    joined = b"".join(made.lines[:-2]) + made.lines[-2].rstrip() + made.lines[-1]

    assert swapped(a_head(format, joined, 0), joined, tmp_path)[0].count(b"\n") == swapped(
        a_head(format, data, 0), data, tmp_path
    )[0].count(b"\n")
    assert said(format, joined) == said(format, data)


@pytest.mark.parametrize("format", ["anthropic", "openai"])
def test_a_dirty_prologue_comes_out_clean_and_a_clean_one_as_it_was(format) -> None:
    system = b'{"role" : "system", "content" : "be exact"}'
    encoder = encode.module(format)
    as_it_was = encoder.context([system + b"\n", dump({"role": "user", "content": "a"})], [])
    cleaned = encoder.context([b"\xef\xbb\xbf" + system + b"\n"], [])

    assert as_it_was == {"prologue": [system.decode()], "leading": len(system) + 1}
    assert cleaned == {"prologue": ['{"role":"system","content":"be exact"}'], "leading": len(system) + 4}
    assert encoder.context([b"garbage\n", system], []) == {}
