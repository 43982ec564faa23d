"""How full the context is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.transcript.entries import AssistantText, Compacted, Entry, Thinking, ToolUse, Usage, UserText
from memcli.transcript.meter import PRIOR_RATIO, Meter, Reading, chars_of


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


def test_a_reading_says_what_is_counted_and_what_is_estimated():
    assert str(Reading(1200, 34)) == "1,234 tokens (1,200 counted + 34 estimated)"
    assert str(Reading(0, 34)) == "about 34 tokens (estimated)"


def test_thinking_takes_no_place_and_arguments_do():
    assert chars_of(Entry(0, 1, "assistant", (Thinking(9000), ToolUse("c", "sh", {"a": 1})))) == len('sh{"a":1}')


@given(st.lists(st.integers(0, 500), max_size=8))
def test_the_meter_is_additive(sizes):
    """Many small entries measure as one large one."""
    assert read(*map(text, sizes)).state.chars == read(text(sum(sizes))).state.chars
