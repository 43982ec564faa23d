"""Records that clients write all the time are decoded at once; the careful decoder must read them the same way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript import formats
from memcli.transcript.entries import Entry, ToolResult, ToolUse
from memcli.transcript.formats import anthropic, claude_code, codex, openai, pi
from tests.transcript.scripts import FIXTURES, as_lines, entries_of, fixture, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.transcript.lines import Line

MODULES: list[Any] = [claude_code, anthropic, pi, codex, openai]
each_format = pytest.mark.parametrize("module", MODULES, ids=[module.NAME for module in MODULES])
ODD = st.sampled_from([None, True, False, 0, -3, 1.5, 2**70, "", "s", [], {}, ["a"], [{"type": "text", "text": "t"}]])
RAW = st.sampled_from([b"\xff", b"\xc3", b"\\ud800", b"\x00", b"\t", b"\\u0041"])


def careful(module: Any) -> Any:
    """A reader that takes no record for a plain one."""
    return type("Careful", (module.Reader,), {"_plain": lambda *_: None})()


def told(reader: Any, lines: list[Line]) -> list[Any]:
    """Everything that comes of the lines, and what the reader knows after each."""
    found: list[Any] = []
    for line in lines:
        found += [[_compared(entry) for entry in reader.read(line)], formats.heard(reader)]
    return [*found, formats.save(reader)]


def _compared(entry: Entry) -> Any:
    """All of an entry but its size, which is an estimate: less is known of a text that is not decoded."""
    entry.chars = 0
    return entry


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a record."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@each_format
def test_a_fixture_is_read_alike(module: Any) -> None:
    lines = fixture(module.NAME)

    assert told(module.Reader(), lines) == told(careful(module), lines)


@each_format
@settings(max_examples=60)
@given(data=st.data())
def test_a_record_with_an_odd_value_anywhere_is_read_alike(module: Any, data: st.DataObject) -> None:
    records = [json.loads(line) for line in (FIXTURES / f"{module.NAME}.jsonl").read_bytes().splitlines()]
    record = data.draw(st.sampled_from(records))
    container, key = data.draw(st.sampled_from(list(places(record))))
    container[key] = data.draw(ODD)
    lines = as_lines(*records)

    assert told(module.Reader(), lines) == told(careful(module), lines)


@each_format
@settings(max_examples=60)
@given(data=st.data())
def test_a_line_with_odd_bytes_anywhere_is_read_alike(module: Any, data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(fixture(module.NAME)))
    place = data.draw(st.integers(0, len(line.data) - 1))
    damaged = type(line)(line.offset, line.end, line.data[:place] + data.draw(RAW) + line.data[place:])

    assert told(module.Reader(), [damaged]) == told(careful(module), [damaged])


def a_result(content: Any) -> ToolResult:
    block = {"type": "tool_result", "tool_use_id": "t", "content": content}
    (part,) = read("anthropic", {"role": "user", "content": [block]})[0].parts
    assert isinstance(part, ToolResult)
    return part


def test_a_result_stays_json_until_somebody_asks_for_its_text() -> None:
    part = a_result("one\ntwo")

    assert (part.words, part.json) == ("", b'"one\\ntwo"')
    assert part.text == "one\ntwo"
    assert (part.words, part.json) == ("one\ntwo", b"")


def test_the_bytes_of_a_picture_are_not_counted() -> None:
    picture = {"type": "image", "source": {"type": "base64", "data": "A" * 9000}}

    assert a_result([picture, {"type": "text", "text": "shown"}]).size == len("shown")


def test_wrong_bytes_in_a_result_become_replacement_characters() -> None:
    raw = b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"a\xffb"}]}\n'
    line = as_lines({})[0]
    (entry,) = entries_of("anthropic", [type(line)(0, len(raw), raw)])

    assert entry.parts == (ToolResult("t", "a\ufffdb"),)


def test_the_input_of_a_call_is_decoded_when_somebody_asks() -> None:
    block = {"type": "tool_use", "id": "t", "name": "sh", "input": {"command": "ls"}}
    (entry,) = read("anthropic", {"role": "assistant", "content": [block]})

    assert entry.parts == (ToolUse("t", "sh", {"command": "ls"}),)
    assert entry.chars == len('sh{"command": "ls"}')
