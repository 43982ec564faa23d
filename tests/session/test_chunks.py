"""However the bytes come, whenever the process restarts: the same memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.session import Session
from tests.builders import FORMATS, Script, session
from tests.session.driver import NEVER, Driver, memory_of

WHOLE = {format: session(format, turns=4, rounds=2) for format in FORMATS}
places = st.lists(st.floats(0, 1), max_size=6)


def pieces(data: bytes, shares: list[float]) -> list[bytes]:
    cuts = sorted(int(share * len(data)) for share in shares)
    return [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=15)
@given(shares=places)
def test_any_chunking_gives_the_same_state_byte_for_byte(format, shares):
    one, other = Session(format, NEVER), Session(format, NEVER)
    one.receive(WHOLE[format], 0.0)
    for piece in pieces(WHOLE[format], shares):
        other.receive(piece, 0.0)
    assert one.save() == other.save()


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=8)
@given(shares=places)
def test_updates_on_the_way_do_not_change_the_memory(format, shares):
    driver = Driver(format)
    for piece in pieces(WHOLE[format], shares):
        driver.feed(piece, quiet=1.0)
    assert driver.update().markdown == memory_of(format, WHOLE[format])


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=8)
@given(shares=places)
def test_restarts_on_the_way_do_not_change_the_memory(format, shares):
    driver = Driver(format)
    for piece in pieces(WHOLE[format], shares):
        driver.feed(piece).restart()
    assert driver.update().markdown == memory_of(format, WHOLE[format])


@pytest.mark.parametrize("format", FORMATS)
def test_a_snapshot_taken_anywhere_goes_on_to_the_same_bytes(format):
    one = Session(format, NEVER)
    one.receive(WHOLE[format], 0.0)
    for cut in range(0, len(WHOLE[format]), len(WHOLE[format]) // 9):
        other = Session(format, NEVER)
        other.receive(WHOLE[format][:cut], 0.0)
        again = Session.restore(other.save(), NEVER, other.past)
        again.receive(WHOLE[format][again.marks.position :], 0.0)
        assert again.settled.snapshot() == one.settled.snapshot()
        assert again.boundaries.state == one.boundaries.state


def test_results_written_before_their_calls_change_nothing_but_their_place():
    script = Script("claude-code").prompt("look")
    script.round("Looking.", "ls", "a b").say("Found.")
    prompt, words, call, result, said = script.lines
    late = Driver("claude-code", NEVER).feed(prompt + words + result + call + said).update()
    assert late.boundary.messages == 5
    assert late.open_calls == 0


def test_an_answer_written_before_its_prompt_is_not_cut_off_from_it():
    prompt, said, *more = Script("claude-code").prompt("look").say("Found.").turn(1).lines
    driver = Driver("claude-code").feed(said, quiet=1.0)
    assert driver.published == []
    driver.feed(prompt + b"".join(more), quiet=1.0)
    assert driver.session.boundaries.cuts[0].offset == len(said + prompt)
