"""Where a cut is legal."""

from __future__ import annotations

import pytest

from memcli.transcript.boundary import Boundaries, Cut, tail_cut
from memcli.transcript.entries import (
    AssistantText,
    Compacted,
    Entry,
    MachineText,
    ToolResult,
    ToolUse,
    TurnEnd,
    UserText,
)


def prompt(offset: int, text: str = "go on") -> Entry:
    return Entry(offset, offset + 10, "user", (UserText(text),))


def said(offset: int, text: str = "done", message: str = "", stop: str = "") -> Entry:
    return Entry(offset, offset + 10, "assistant", (AssistantText(text),), message_id=message, stop=stop)


def called(offset: int, message: str = "") -> Entry:
    return Entry(offset, offset + 10, "assistant", (ToolUse("c1", "sh", {}),), message_id=message)


def gave(offset: int) -> Entry:
    return Entry(offset, offset + 10, "tool", (ToolResult("c1", "ok"),))


def after(*entries: Entry) -> Boundaries:
    boundaries = Boundaries()
    for entry in entries:
        boundaries.add(entry)
    return boundaries


def test_a_turn_cut_stands_before_a_prompt():
    assert after(prompt(0), said(10)).before(prompt(20), closed=True) == Cut(20, turn=True, chars=9, messages=2)


def test_nothing_can_be_cut_before_the_first_message():
    assert Boundaries().before(prompt(0), closed=True) is None


def test_no_cut_where_something_is_pending():
    assert after(prompt(0), called(10)).before(prompt(20), closed=False) is None


def test_a_round_cut_stands_before_the_agents_next_message():
    cut = after(prompt(0), called(10, "m1"), gave(20)).before(called(30, "m2"), closed=True)
    assert cut == Cut(30, turn=False, chars=11, messages=3)


def test_parts_of_one_message_are_never_parted():
    """Results stand between the parts of one answer: its second half begins nothing new."""
    assert after(prompt(0), called(10, "m1"), gave(20)).before(said(30, message="m1"), closed=True) is None


def test_an_answer_is_not_parted_from_its_prompt():
    assert after(prompt(0)).before(said(10), closed=True) is None


def test_the_clients_own_compaction_is_a_free_breakpoint():
    boundary = Entry(20, 30, "", (Compacted(),))
    assert after(prompt(0), said(10)).before(boundary, closed=True) == Cut(20, turn=False, chars=9, messages=2)


def test_the_end_of_a_quiet_file_is_a_turn_cut_when_the_agent_spoke_last():
    assert after(prompt(0), said(10)).at_end(20, closed=True) == Cut(20, turn=True, chars=9, messages=2)


def test_the_end_is_a_round_cut_when_results_stand_last():
    end = after(prompt(0), called(10), gave(20)).at_end(30, closed=True)
    assert end is not None
    assert not end.turn


def test_a_prompt_without_answer_stays_behind_the_cut():
    assert after(prompt(0), said(10), prompt(20)).at_end(30, closed=True) is None


def test_the_end_is_no_cut_while_an_announced_call_is_missing():
    assert after(prompt(0), said(10, stop="tool_use")).at_end(20, closed=True) is None


def test_a_record_that_ends_the_turn_overrules_the_announcement():
    ended = after(prompt(0), said(10, stop="tool_use"), Entry(20, 30, "", (TurnEnd(),)))
    assert ended.at_end(30, closed=True) is not None


def test_a_rewind_forgets_the_cuts_of_what_was_taken_back():
    """All but the one before it: there the fold stands that the rewind goes back to."""
    boundaries = after(prompt(0), said(10))
    boundaries.before(prompt(20), closed=True)
    boundaries.add(prompt(20))
    boundaries.add(said(30))
    boundaries.before(prompt(40), closed=True)
    boundaries.rewind(20)
    assert [cut.offset for cut in boundaries.cuts] == [20]
    assert boundaries.state.messages == 2


def test_a_late_half_tears_the_cuts_behind_its_other_half():
    boundaries = after(prompt(0), said(10))
    boundaries.before(prompt(20), closed=True)
    boundaries.tear(10)
    assert boundaries.last is None


def test_two_cuts_with_nothing_between_them_are_one():
    boundaries = after(prompt(0), said(10))
    boundaries.at_end(20, closed=True)
    boundaries.before(prompt(25), closed=True)
    assert [cut.offset for cut in boundaries.cuts] == [25]


CUTS = [Cut(100, turn=True, chars=1000), Cut(200, chars=2000), Cut(300, turn=True, chars=3000), Cut(400, chars=4000)]
END = Cut(500, turn=True, chars=5000)


@pytest.mark.parametrize(
    ("turns", "tokens", "offset"),
    [
        (0, 4000, 500),  # the bare swap
        (1, 4000, 300),  # the last turn
        (2, None, 100),
        (9, None, 0),  # more turns than there are
        (1, 500, 500),  # the last turn is too long, and so is its last round
        (1, 1000, 400),  # its last round fits
        (None, 3000, 200),
    ],
)
def test_the_tail_begins_where_it_is_asked_to(turns, tokens, offset):
    assert tail_cut(CUTS, END, 1.0, first=Cut(0), turns=turns, tokens=tokens).offset == offset


# ---- what stands last decides


def words(offset: int) -> Entry:
    return Entry(offset, offset + 10, "user", (UserText("tabs", "queued", steering=True),))


def machine(offset: int, role: str = "user") -> Entry:
    return Entry(offset, offset + 10, role, (MachineText("note"),))


ENDINGS = {
    "nothing": [],
    "prompt": [prompt(0)],
    "words": [prompt(0), said(10), words(20)],
    "calls": [prompt(0), called(10)],
    "results": [prompt(0), called(10), gave(20)],
    "said": [prompt(0), said(10)],
    "said and noted": [prompt(0), said(10), machine(20, "system")],
}


@pytest.mark.parametrize(
    ("last", "quiet", "turn", "before_prompt", "before_agent"),
    [
        ("nothing", False, False, False, False),
        ("prompt", False, False, True, False),
        ("words", False, False, True, False),
        ("calls", False, False, True, False),
        ("results", True, False, True, True),
        ("said", True, True, True, True),
        ("said and noted", True, True, True, True),
    ],
)
def test_where_a_cut_may_stand(last, quiet, turn, before_prompt, before_agent):
    def standing() -> Boundaries:
        return after(*ENDINGS[last])

    end = standing().at_end(50, closed=True)

    assert (end is not None, end is not None and end.turn) == (quiet, turn)
    assert (standing().before(prompt(50), closed=True) is not None) == before_prompt
    assert (standing().before(said(50), closed=True) is not None) == before_agent
    assert standing().before(gave(50), closed=True) is None
    assert standing().at_end(50, closed=False) is None


def test_a_turn_that_ended_by_a_record_ended_only_if_the_agent_spoke_last():
    ended = Entry(30, 40, "", (TurnEnd(),))

    assert after(prompt(0), called(10), gave(20), ended, said(40, stop="tool_use")).at_end(50, closed=True) is None
    assert after(prompt(0), said(10, stop="tool_use"), ended).at_end(50, closed=True) is not None


def test_bookkeeping_takes_no_place_in_the_counts():
    noted = after(prompt(0), Entry(10, 20, "", (Compacted(),)), machine(20, "system"), said(30))

    assert (noted.state.messages, noted.state.chars) == (2, len("go on") + len("done"))


# ---- what is remembered


def turns(number: int, rounds: int = 1) -> Boundaries:
    """So many turns of one prompt and so many answers; every entry is ten bytes."""
    boundaries, offset = Boundaries(), 0
    for _ in range(number):
        for entry in [prompt, *[said] * rounds]:
            made = entry(offset)
            boundaries.before(made, closed=True)
            boundaries.add(made)
            offset += 10
    return boundaries


def test_turn_cuts_and_round_cuts_are_bounded_apart():
    many = turns(100, rounds=3)

    assert (len(many.state.turns), len(many.state.rounds)) == (64, 64)
    assert many.state.turns[-1].offset == 99 * 40
    assert [cut.offset for cut in many.cuts] == sorted(cut.offset for cut in many.cuts)
    assert many.last == many.cuts[-1]


def test_counts_of_a_cut_are_what_stands_before_it():
    assert [(cut.offset, cut.messages, cut.chars) for cut in turns(3).state.turns] == [(20, 2, 9), (40, 4, 18)]


def test_a_rewind_takes_back_the_counts_and_every_cut_after_it():
    boundaries = turns(3, rounds=2)
    boundaries.rewind(30)

    assert [cut.offset for cut in boundaries.cuts] == [20, 30]  # the cut before the turn that is begun anew stays
    assert (boundaries.state.messages, boundaries.state.chars) == (3, 13)
    assert boundaries.before(prompt(90), closed=True) == Cut(90, turn=True, chars=13, messages=3)


def test_a_rewind_to_no_known_turn_begins_the_counts_anew():
    boundaries = turns(2)
    boundaries.rewind(7)

    assert (boundaries.state.messages, boundaries.state.chars, boundaries.cuts) == (0, 0, [])


def test_what_follows_a_rewind_stands_behind_a_whole_turn():
    boundaries = turns(2)
    boundaries.rewind(20)
    boundaries.add(said(60, message="m1", stop="end_turn"))

    assert boundaries.at_end(70, closed=True) == Cut(70, turn=True, chars=13, messages=3)


@pytest.mark.parametrize(("offset", "left"), [(0, []), (19, []), (20, [20]), (30, [20, 30]), (99, [20, 30, 40, 50])])
def test_a_tear_keeps_the_cuts_up_to_its_place(offset, left):
    boundaries = after(prompt(0), called(10))
    for place, made in enumerate([said, said, prompt, said]):
        boundaries.state.turns.append(Cut(20 + 10 * place, turn=True)) if made is prompt else None
        boundaries.state.rounds.append(Cut(20 + 10 * place)) if made is said else None
    boundaries.tear(offset)

    assert [cut.offset for cut in boundaries.cuts] == left


def test_the_last_cut_is_reached_also_by_who_goes_on_with_the_state():
    boundaries = turns(3)
    reached = [boundaries.reach, Boundaries(boundaries.state).reach]
    boundaries.tear(boundaries.cuts[-2].offset)

    assert reached == [boundaries.cuts[-1].offset + 20] * 2
    assert boundaries.reach == boundaries.cuts[-1].offset
    assert Boundaries().reach == -1


def test_of_two_cuts_with_nothing_between_them_the_later_kind_counts():
    boundaries = after(prompt(0), called(10), gave(20))
    boundaries.at_end(30, closed=True)
    boundaries.before(prompt(35), closed=True)

    assert boundaries.cuts == [Cut(35, turn=True, chars=11, messages=3)]
    assert boundaries.state.rounds == []


@pytest.mark.parametrize(
    ("first", "turns", "tokens", "offset"),
    [
        (Cut(0), 1, 2000, 300),  # exactly as much as there is room for
        (Cut(0), 1, 1999, 400),
        (Cut(0), 3, None, 0),
        (Cut(200), None, None, 200),  # nothing before the conversation can be kept
        (Cut(200, chars=2000), 9, None, 200),
        (Cut(0), None, 0, 500),
        (Cut(0), 2, 3500, 200),  # the second turn is too long, its last round fits
    ],
)
def test_the_tail_is_what_fits_of_the_turns_asked_for(first, turns, tokens, offset):
    assert tail_cut(CUTS, END, 1.0, first=first, turns=turns, tokens=tokens).offset == offset


def test_room_in_tokens_is_room_in_characters_times_the_ratio():
    assert tail_cut(CUTS, END, 4.0, first=Cut(0), turns=None, tokens=500).offset == 300


def test_cuts_behind_the_boundary_are_no_place_for_its_tail():
    assert tail_cut([*CUTS, Cut(600, turn=True, chars=6000)], END, 1.0, first=Cut(0)).offset == 300
