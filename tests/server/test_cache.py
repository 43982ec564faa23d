"""The prompt cache of the server keeps the rules that are published, one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.messages_api.cache import PromptCache, Visit
from tests.messages_api.model import model_named
from tests.messages_api.piece import pieces
from tests.server.asking import HAIKU, HOUR, MARK, TOOLS, body, text

LONG = "word " * 800  # 4,000 characters: 1,300 tokens
START = 1000.0


class Caller:
    """Asks one cache; each response begins at once unless it is held."""

    def __init__(self) -> None:
        self.cache = PromptCache()

    def ask(
        self, *blocks: dict[str, Any], at: float = START, begin: bool = True, workspace: str = "", **fields: Any
    ) -> Visit:
        request = body(("user", list(blocks)), **fields)
        model = model_named(request["model"], known_only=True)
        visit = self.cache.visit(pieces(request, model, workspace), model.cache_minimum, at)
        if begin:
            self.cache.begin(visit)
        return visit


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_the_first_request_writes_and_the_second_reads(caller) -> None:
    first, second = (caller.ask(text(LONG, MARK), text("and then?")) for _ in range(2))
    assert (first.note, first.write_5m, first.read) == ("write", 1304, 0)
    assert (second.note, second.write_5m, second.read, second.rest) == ("hit", 0, 1304, 3)


def test_the_prompt_is_the_sum_of_its_parts(caller) -> None:
    caller.ask(text(LONG, MARK))
    visit = caller.ask(text(LONG, MARK), text(LONG, MARK), text("and then?"))
    assert visit.read + visit.write_5m + visit.write_1h + visit.rest == visit.total == 1304 + 1300 + 3


def test_without_a_mark_nothing_is_written(caller) -> None:
    caller.ask(text(LONG))
    assert caller.ask(text(LONG)).note == "unmarked"
    assert caller.ask(text(LONG, MARK)).read == 0


def test_only_marks_write_so_a_shorter_prefix_is_not_read(caller) -> None:
    caller.ask(text(LONG), text("one", MARK))
    assert caller.ask(text(LONG, MARK), text("two")).read == 0


def test_a_mark_costs_no_token(caller) -> None:
    totals = [caller.ask(text("one"), tools=[TOOLS[0] | mark]).total for mark in ({}, {"cache_control": MARK})]
    assert totals[0] == totals[1]


def test_a_change_before_the_mark_is_a_miss(caller) -> None:
    caller.ask(text(LONG, MARK))
    assert caller.ask(text("x" + LONG, MARK)).note == "write"


def test_a_mark_is_no_part_of_what_is_compared(caller) -> None:
    caller.ask(text(LONG, MARK), text("one", MARK))
    assert caller.ask(text(LONG), text("one"), text("two", MARK)).read == 1305


@pytest.mark.parametrize(("apart", "read"), [(19, True), (20, False)])
def test_a_mark_looks_back_over_twenty_blocks_itself_included(caller, apart: int, read: bool) -> None:
    caller.ask(text(LONG, MARK))
    visit = caller.ask(text(LONG), *(text(f"{number}") for number in range(apart - 1)), text("end", MARK))
    assert (visit.read > 0) is read
    assert visit.note == ("hit" if read else "miss: window")


def test_a_second_mark_where_the_first_was_saves_the_window(caller) -> None:
    caller.ask(text(LONG, MARK))
    assert caller.ask(text(LONG, MARK), *(text(f"{number}") for number in range(30)), text("end", MARK)).read == 1304


def test_an_entry_lives_five_minutes_from_the_start_of_its_request(caller) -> None:
    caller.ask(text(LONG, MARK), at=START)
    assert caller.ask(text(LONG, MARK), at=START + 300).note == "miss: ttl"


def test_reading_renews_for_free(caller) -> None:
    for minutes in (0, 4, 8):
        visit = caller.ask(text(LONG, MARK), at=START + minutes * 60)
    assert (visit.read, visit.write_5m) == (1304, 0)


def test_an_hour_lasts_an_hour(caller) -> None:
    caller.ask(text(LONG, HOUR), at=START)
    assert caller.ask(text(LONG, HOUR), at=START + 3599).read == 1304
    assert caller.ask(text(LONG, HOUR), at=START + 3599 + 3600).note == "miss: ttl"


def test_the_longest_prefix_that_is_written_is_read(caller) -> None:
    both = [text(LONG, MARK), text(LONG, MARK)]
    assert [caller.ask(*both).read for _ in range(2)] == [0, 2604]


def test_hours_and_minutes_are_billed_apart(caller) -> None:
    caller.ask(text(LONG, HOUR))
    visit = caller.ask(text(LONG, HOUR), text(LONG, HOUR), text(LONG, MARK), text("end"))
    assert (visit.read, visit.write_1h, visit.write_5m, visit.rest) == (1304, 1300, 1300, 1)


def test_what_is_being_written_cannot_be_read_yet(caller) -> None:
    first = caller.ask(text(LONG, MARK), begin=False)
    assert caller.ask(text(LONG, MARK), begin=False).read == 0
    caller.cache.begin(first)
    assert caller.ask(text(LONG, MARK)).read == 1304


@pytest.mark.parametrize(("model", "least"), [(HAIKU, 512), ("claude-sonnet-5", 1024), ("claude-haiku-4-5", 4096)])
def test_below_the_minimum_of_its_model_nothing_is_cached_and_nothing_is_said(caller, model: str, least: int) -> None:
    weight = model_named(model, known_only=True).weight
    enough = "x" * int(least * 4 / weight)
    short = "x" * int((least - 8) * 4 / weight)
    assert [caller.ask(text(short, MARK), model=model).note for _ in range(2)] == ["below minimum"] * 2
    assert [caller.ask(text(enough, MARK), model=model).note for _ in range(2)] == ["write", "hit"]


def test_the_order_is_tools_system_messages(caller) -> None:
    fixed = {"tools": TOOLS, "system": [text(LONG, MARK)]}
    caller.ask(text("one"), **fixed)
    assert caller.ask(text("two"), **fixed).read > 1300
    assert caller.ask(text("two"), **fixed | {"tools": [TOOLS[0] | {"description": "other"}]}).read == 0


@pytest.mark.parametrize(
    "other",
    [{"output_config": {"effort": "low"}}, {"thinking": {"type": "adaptive"}}, {"tool_choice": {"type": "none"}}],
    ids=str,
)
def test_effort_thinking_and_choice_part_the_messages_but_not_the_system(caller, other: dict) -> None:
    caller.ask(text(LONG, MARK), system=[text(LONG, MARK)])
    visit = caller.ask(text(LONG, MARK), system=[text(LONG, MARK)], **other)
    assert (visit.read, visit.write_5m) == (1300, 1304)


def test_models_and_workspaces_have_caches_of_their_own(caller) -> None:
    caller.ask(text(LONG, MARK))
    assert caller.ask(text(LONG, MARK), model="claude-sonnet-5-5").read == 0
    assert caller.ask(text(LONG, MARK), workspace="other").read == 0


def test_a_mark_for_the_whole_request_stands_at_its_last_block(caller) -> None:
    caller.ask(text(LONG), text("one"), cache_control=MARK)
    assert caller.ask(text(LONG), text("one"), text("two", MARK)).read == 1305
