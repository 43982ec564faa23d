"""How full the context is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.transcript.entries import (
    AssistantText,
    Compacted,
    Entry,
    Interrupt,
    MachineText,
    Thinking,
    ToolResult,
    ToolUse,
    TurnEnd,
    Usage,
    UserText,
)
from memcli.transcript.meter import PRIOR_RATIO, Meter, Reading


def text(size: int) -> Entry:
    return Entry(0, 1, "user", (UserText("x" * size),))


def counted(context: int, model: str = "m", size: int = 0) -> Entry:
    return Entry(0, 1, "assistant", (Usage(context, model), AssistantText("y" * size)))


def read(*entries: Entry) -> Meter:
    meter = Meter()
    for entry in entries:
        meter.add(entry)
    return meter


def test_without_usage_everything_is_an_estimate():
    assert read(text(2700)).reading == Reading(0, round(2700 / PRIOR_RATIO))


def test_usage_counts_what_came_before_it_and_the_rest_is_estimated():
    assert read(text(9000), counted(4000, size=270)).reading == Reading(4000, 100)


def test_the_ratio_is_learnt_from_the_sessions_own_calls():
    meter = read(counted(1000), text(100_000), counted(21_000))
    assert 4.0 < meter.ratio < 5.0  # 100,000 characters were 20,000 tokens


def test_another_models_count_teaches_nothing():
    meter = read(counted(1000, "a"), text(100_000), counted(21_000, "b"))
    assert meter.ratio == PRIOR_RATIO


def test_a_smaller_context_teaches_nothing():
    assert read(counted(50_000), text(1000), counted(9000)).ratio == PRIOR_RATIO


def test_after_the_clients_compaction_counting_starts_from_its_figure():
    meter = read(counted(150_000), text(5000), Entry(0, 1, "", (Compacted(post_tokens=12_000),)))
    assert meter.reading == Reading(12_000, 0)


def after_swap(*entries: Entry) -> Meter:
    """Of a transcript that begins with the memory of 100,000 tokens."""
    meter = Meter()
    meter.swapped(100_000)
    for entry in (text(2700), *entries):
        meter.add(entry)
    return meter


def test_usage_in_a_tail_that_was_swapped_is_of_the_context_before():
    meter = after_swap(counted(98_000), counted(104_000, size=2700))
    assert meter.reading == Reading(0, 2000)


def test_the_first_answer_after_a_swap_counts_and_so_do_all_that_follow():
    meter = after_swap(counted(99_000), counted(30_000))
    assert meter.reading == Reading(30_000, 0)
    meter.add(counted(120_000))
    assert meter.reading == Reading(120_000, 0)


def test_a_tail_as_long_as_what_was_swapped_is_counted_as_it_says():
    assert after_swap(text(300_000), counted(120_000)).reading == Reading(120_000, 0)


def test_a_reading_says_what_is_counted_and_what_is_estimated():
    assert str(Reading(1200, 34)) == "1,234 tokens (1,200 counted + 34 estimated)"
    assert str(Reading(0, 34)) == "about 34 tokens (estimated)"


def test_thinking_takes_no_place_and_arguments_do():
    assert Entry(0, 1, "assistant", (Thinking(9000), ToolUse("c", "sh", {"a": 1}))).chars == len('sh{"a":1}')


@given(st.lists(st.integers(0, 500), max_size=8))
def test_the_meter_is_additive(sizes):
    """Many small entries measure as one large one."""
    assert read(*map(text, sizes)).state.chars == read(text(sum(sizes))).state.chars


@pytest.mark.parametrize(
    ("part", "chars"),
    [
        (UserText("four"), 4),
        (AssistantText("four"), 4),
        (MachineText("four"), 4),
        (ToolResult("c", "four"), 4),
        (ToolUse("c", "ls", {"a": "é"}), len("ls") + len('{"a":"é"}'.encode())),
        (Interrupt(), 0),
        (TurnEnd(), 0),
        (Compacted("a summary"), 0),
        (Usage(9), 0),
    ],
)
def test_only_what_the_model_reads_takes_place(part, chars):
    assert Entry(0, 1, "user", (part,)).chars == chars


def test_the_clients_summary_is_no_second_swap():
    """Claude Code writes boundary and summary as two records: only the first one starts the counting anew."""
    boundary, summary = Entry(0, 1, "", (Compacted(post_tokens=12_000),)), Entry(1, 2, "", (Compacted("it was..."),))

    assert read(boundary, summary, text(270)).reading == Reading(12_000, 100)


def test_a_swap_of_unknown_size_is_estimated_from_then_on():
    assert read(counted(150_000), text(5000), Entry(0, 1, "", (Compacted(),)), text(270)).reading == Reading(0, 100)


def test_a_summary_with_a_figure_is_a_swap():
    assert read(counted(9000), text(500), Entry(0, 1, "", (Compacted("s", post_tokens=70),))).reading == Reading(70, 0)


def test_the_first_count_and_one_without_new_text_teach_nothing():
    assert read(text(9000), counted(1000)).ratio == PRIOR_RATIO
    assert read(counted(1000), counted(9000)).ratio == PRIOR_RATIO
    assert read(counted(1000), text(100), counted(1000)).ratio == PRIOR_RATIO


def test_what_was_learnt_survives_another_model_and_the_clients_swap():
    learnt = read(counted(1000), text(100_000), counted(21_000))
    ratio = learnt.ratio
    learnt.add(counted(500, "other"))
    learnt.add(Entry(0, 1, "", (Compacted(),)))

    assert learnt.ratio == ratio


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=12), st.sampled_from([1.5, 2.7, 4.0, 6.0]))
def test_the_ratio_moves_from_the_prior_towards_the_sessions_own_and_never_beyond(sizes, true_ratio):
    meter, context = Meter(), 1000
    meter.add(counted(context))
    for size in sizes:
        meter.add(text(size * 10))
        context += max(1, round(size * 10 / true_ratio))
        meter.add(counted(context))

    low, high = sorted((PRIOR_RATIO, true_ratio))
    assert low * 0.99 <= meter.ratio <= high * 1.01
    assert meter.reading == Reading(context, 0)


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 3000)), max_size=8), st.integers(0, 8))
def test_a_meter_that_was_saved_anywhere_goes_on_as_before(steps, stop):
    entries = [counted(context, size=size) if context % 2 else text(size) for context, size in steps]
    whole, first = read(*entries), read(*entries[:stop])
    second = Meter(first.state)
    for entry in entries[stop:]:
        second.add(entry)

    assert second.state == whole.state
