"""The order in which calls and results are whole: what `arrange` does with any items."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.encode.common import Plan
from memcli.transcript.encode.rounds import Item, arrange


def item(kind: str, what: str = "", group: str = "") -> Item:
    """An item named by its record; `what` is its calls or results, by letters."""
    calls, results = (what, "") if kind == "a" else ("", what)
    return Item(0, {"name": f"{kind}{what}"}, b"", kind, group=group, calls=calls, results=results)


def put_in_order(items: list[Item], plan: Plan, *, join: bool = False) -> list[Item]:
    """The items in their new order; "!x" is a result made for call x."""

    def trim(result: Item, indexes: set[int]) -> bool:
        result.results = [call for place, call in enumerate(result.results) if place not in indexes]
        result.record["name"] = "r" + "".join(result.results)
        return bool(result.results)

    return arrange(items, plan, lambda call, _: Item(0, {"name": f"!{call}"}, None, "r"), trim, join=join)


def arranged(items: list[Item], *, join: bool = False) -> tuple[list[str], dict[str, int]]:
    """Names in their new order, and the problems."""
    plan = Plan()
    return [made.record["name"] for made in put_in_order(items, plan, join=join)], plan.problems


def order(*words: str, join: bool = False) -> str:
    """The same for items written as "ax" (calls x), "rx" (answers x), "u", "w", "x", "a"; a group behind a dot."""
    items = [item(word[0], word[1:].partition(".")[0], word.partition(".")[2]) for word in words]
    return " ".join(arranged(items, join=join)[0])


def test_whole_rounds_are_left_as_they_are() -> None:
    assert order("u", "ax", "rx", "a", "u", "axy", "ry", "rx", "a") == "u ax rx a u axy ry rx a"


def test_a_result_waits_for_its_call() -> None:
    assert order("u", "rx", "ax", "a") == "u ax rx a"
    assert order("u", "rx", "ry", "ax", "ay") == "u ax rx ay ry"


def test_a_late_result_is_called_back_to_its_round() -> None:
    assert order("u", "ax", "a", "rx") == "u ax rx a"
    assert order("u", "ax", "u", "rx", "a") == "u ax rx u a"


def test_a_call_that_something_follows_gets_a_result() -> None:
    assert order("u", "ax", "u") == "u ax !x u"
    assert order("u", "axyz", "ry", "a") == "u axyz !x !z ry a"


def test_an_open_round_at_the_end_stays_open() -> None:
    assert order("u", "ax") == "u ax"
    assert order("u", "axy", "rx") == "u axy rx"


def test_words_wait_for_the_end_of_the_round() -> None:
    assert order("u", "ax", "w", "rx", "a") == "u ax rx w a"
    assert order("u", "ax", "w", "rx", "u") == "u ax rx w u"
    assert order("u", "ax", "rx", "w") == "u ax rx w"
    assert order("u", "w", "a") == "u w a"


def test_words_in_an_open_round_stand_before_it() -> None:
    assert order("u", "ax", "rx", "ay", "w") == "u ax rx w ay"
    assert order("u", "ax.g", "ay.g", "w", "rx") == "u w ax ay rx"


def test_words_between_the_parts_of_an_answer_wait_for_its_end() -> None:
    assert order("u", "a.g", "w", "ax.g", "rx", "a.h") == "u a ax rx w a"


def test_other_records_stay_where_they_are() -> None:
    assert order("x", "u", "ax", "x", "rx", "x") == "x u ax x rx x"


def test_parts_of_an_answer_are_joined_where_the_format_wants_it() -> None:
    assert order("u", "ax.g", "rx", "ay.g", "ry", "a.h", join=True) == "u ax ay rx ry a"
    assert order("u", "ax.g", "rx", "ay.g", "ry", "a.h") == "u ax rx ay ry a"


def test_the_same_group_in_another_turn_is_another_answer() -> None:
    assert order("u", "ax.g", "rx", "u", "ay.g", "ry", join=True) == "u ax rx u ay ry"


def test_an_id_may_be_used_again() -> None:
    assert order("u", "ax", "rx", "u", "ax", "rx") == "u ax rx u ax rx"
    assert order("u", "ax", "u", "ax", "rx") == "u ax rx u ax"


def test_results_without_a_call_are_taken_out_and_counted() -> None:
    assert arranged([item("r", "x"), item("u"), item("a", "y"), item("r", "yz")]) == (
        ["u", "ay", "ry"],
        {"result without a call": 2},
    )


def test_one_record_with_many_results_stands_behind_the_last_of_its_calls_that_is_there() -> None:
    assert order("u", "axy", "rxy", "a") == "u axy rxy a"
    assert order("u", "rxy", "axy", "a") == "u axy rxy a"


IDS = "xyz"
ITEMS = st.lists(
    st.one_of(
        st.builds(item, st.just("a"), st.text(IDS, max_size=2), st.sampled_from(["", "g"])),
        st.builds(item, st.just("r"), st.text(IDS, min_size=1, max_size=1)),
        st.builds(item, st.sampled_from(["u", "w", "x"])),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(ITEMS, st.booleans())
def test_every_call_but_those_of_the_last_round_is_answered_behind_it(items: list[Item], join: bool) -> None:
    waiting: Counter[str] = Counter()
    names, _ = arranged(items, join=join)
    for name in names:
        if name[0] in "r!":
            assert waiting[name[1:]] > 0
            waiting[name[1:]] -= 1
        if name == "u":
            assert not waiting.total()
        if name[0] == "a":
            waiting.update(name[1:])


@settings(max_examples=60)
@given(ITEMS, st.booleans())
def test_nothing_is_lost_or_doubled_but_results_without_a_call(items: list[Item], join: bool) -> None:
    before = Counter(made.record["name"] for made in items)
    names, problems = arranged(items, join=join)
    after = Counter(name for name in names if name[0] != "!")

    assert sum(before.values()) - sum(after.values()) == problems.get("result without a call", 0)
    assert not after - before
    for kinds in ("u", "a"):
        assert [name for name in names if name[0] in kinds] == [
            made.record["name"] for made in items if made.kind in kinds
        ]


@settings(max_examples=100)
@given(ITEMS)
def test_what_is_in_order_is_left_alone(items: list[Item]) -> None:
    once = put_in_order(items, Plan())
    names = [made.record["name"].replace("!", "r") for made in once]
    again = [item(name[0], name[1:], made.group) for name, made in zip(names, once, strict=True)]

    assert arranged(again)[0] == names
