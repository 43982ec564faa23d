"""A prepared tail as a file: what is built is read back, what is damaged is refused, and it belongs to one head."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli import head as heads
from memcli import program
from memcli.program import Program

words = st.text(max_size=9)
numbers = st.integers(0, 2**40)
steps = st.lists(st.tuples(numbers, numbers, numbers), max_size=4).map(lambda each: [n for step in each for n in step])
HEX = st.text("0123456789abcdef", min_size=16, max_size=16)
built = st.builds(
    Program, HEX, HEX, numbers, st.lists(words, max_size=3), st.dictionaries(words, numbers), steps, st.binary()
)

SMALL = Program("k" * 16, "s" * 16, 3, ["0000002", "a b"], {"lost line": 1}, [0, 4, 2, 6, 8, 0], b"\n\n")
STANDING = {
    "format": "pi",
    "session": "s",
    "generation": "g",
    "made": 1.5,
    "route": "rewrite",
    "covered": 20,
    "tail": 10,
    "end": 30,
    "fingerprint": 7,
    "before": b"before",
    "state": b"state",
    "after": b"after",
    "skip": ((11, 12),),
    "words": ((13, "no, stop"),),
    "cuts": ((5, "t", 6, 7),),
    "fills": ((1, 2, "covered"),),
}


@given(built)
def test_what_was_built_is_read_back(made: Program) -> None:
    assert program.parse(program.build(made)) == made


def test_every_changed_missing_or_added_byte_is_seen() -> None:
    data = program.build(SMALL)
    for place in range(len(data)):
        changed = bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]])
        for damaged in (changed, data[:place], data[:place] + b"0" + data[place:]):
            with pytest.raises(ValueError, match="damaged"):
                program.parse(damaged)


def test_copies_and_literal_bytes_take_turns() -> None:
    assert SMALL.run(b"abcdefghij") == b"abcd\n\ngh"


def test_the_head_and_the_same_head_read_back_have_one_key() -> None:
    head = heads.Head(**STANDING)

    assert program.key(heads.parse(heads.build(head))) == program.key(head)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "codex"},
        {"session": "t"},
        {"generation": "h"},
        {"route": "copy"},
        {"covered": 21},
        {"tail": 11},
        {"end": 31},
        {"envelope": '{"leaf":"x"}'},
        {"skip": ()},
        {"words": ((13, "no; stop"),)},
        {"cuts": ()},
        {"fills": ((1, 3, "covered"),)},
    ],
    ids=str,
)
def test_whatever_decides_how_a_tail_is_written_changes_the_key(change: dict[str, object]) -> None:
    assert program.key(heads.Head(**STANDING | change)) != program.key(heads.Head(**STANDING))


def test_a_fresh_state_and_an_edited_memory_keep_the_key() -> None:
    fresh = heads.Head(**STANDING | {"state": b"fresh", "before": b"edited", "memory_size": 9})

    assert program.key(fresh) == program.key(heads.Head(**STANDING))
