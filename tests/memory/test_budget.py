from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.budget import Coverage, Line, Room, Told, explains, fair_limit, take_all, take_telling


def line(text: str, section: str = "Files", **more: float) -> Line:
    return Line(section, "", text, 0, **more)


@given(st.lists(st.integers(0, 400), max_size=30), st.integers(0, 5_000))
def test_fair_cuts_fit_together(lengths: list[int], room: int) -> None:
    limit = fair_limit(lengths, room)

    assert sum(min(length, limit) for length in lengths) <= max(room, 0)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20))
def test_nothing_is_cut_where_all_fits(lengths: list[int]) -> None:
    assert fair_limit(lengths, sum(lengths)) == max(lengths)


def test_short_texts_stay_whole_while_long_ones_share() -> None:
    assert fair_limit([10, 100, 100], 110) == 50


def test_a_line_costs_its_end_and_the_first_of_a_group_its_label() -> None:
    room = Room(100, 500)
    room.take(Line("Files", "Read:", "- a", 0))
    room.take(Line("Files", "Read:", "- b", 1))

    assert room.chars == 100 - len("Read:\n- a\n- b\n") - 1


def test_a_section_has_only_so_many_words() -> None:
    room = Room(1_000, 3)

    assert [room.take(line("one two")), room.take(line("three four")), room.take(line("three four", "Other"))] == [
        True,
        False,
        True,
    ]


def test_a_line_may_spill_into_another_section() -> None:
    room, spilling = Room(1_000, 3), line("three four")
    room.take(line("one two"))
    spilling.spill = ("Other", "More:")

    assert room.take(spilling)
    assert spilling.section == "Other"


def test_a_share_is_kept_and_what_is_too_long_is_passed_over() -> None:
    taken = take_all(Room(1_000, 500), [line("x" * 20), line("y" * 50), line("z" * 20)], 45)

    assert [one.text[0] for one in taken] == ["x", "z"]


def test_the_line_with_the_weightier_names_wins() -> None:
    pool = [line("this line tells about light_name here"), line("that one speaks well of heavy_name too")]
    (taken,) = take_telling(Room(70, 500), pool, {"heavy_name": 3.0, "light_name": 0.5}, [])

    assert "heavy_name" in taken.text


def test_a_name_that_is_explained_already_earns_nothing_more() -> None:
    chosen = line("we know all about heavy_name already")
    pool = [line("more words again around heavy_name today"), line("that other thing concerns light_name now")]
    (taken,) = take_telling(Room(60, 500), pool, {"heavy_name": 3.0, "light_name": 0.5}, [chosen])

    assert "light_name" in taken.text


def test_a_line_much_like_a_chosen_one_comes_after_all_others() -> None:
    pool = [
        line("the cart adds the tax in some_name", worth=9),
        line("the cart adds the tax in other_name", worth=8),
        line("quite another thing is told here", worth=1),
    ]

    assert [one.text[:5] for one in take_telling(Room(80, 500), pool, {}, [])] == ["the c", "quite"]
    assert len(take_telling(Room(500, 500), pool, {}, [])) == 3


def test_an_extension_is_appended_to_its_line() -> None:
    host = line("- cart.py — modified")
    more = Line("Files", "", ": the total now includes the tax_rate", 0, extends=host)
    take_telling(Room(500, 500), [more], {"tax_rate": 1.0}, [host])

    assert host.full == "- cart.py — modified: the total now includes the tax_rate"


def test_a_line_explains_its_names_with_enough_words_of_its_own() -> None:
    assert explains("the total_price is rounded far too early")
    assert not explains("total_price, tax_rate, round_up and cart_sum")


@given(st.lists(st.text(max_size=60), max_size=25), st.integers(0, 300))
def test_the_room_is_never_overdrawn(texts: list[str], chars: int) -> None:
    room = Room(chars, 50)
    taken = take_telling(room, [line(text, worth=1) for text in texts], {}, [])

    assert room.chars >= 0
    assert sum(len(one.text) + 1 for one in taken) <= chars


def test_fair_limits_grow_with_the_room() -> None:
    limits = [fair_limit([10, 40, 90], room) for room in range(0, 150, 10)]

    assert limits == sorted(limits)
    assert (limits[0], limits[-1]) == (0, 90)


def test_nothing_to_share_has_no_limit() -> None:
    assert fair_limit([], 100) == 0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.integers(0, 400))
def test_a_fair_limit_is_the_largest_that_fits(lengths: list[int], room: int) -> None:
    limit = fair_limit(lengths, room)

    if limit < max(lengths):
        assert sum(min(length, limit + 1) for length in lengths) > room


def test_a_group_takes_no_more_than_its_cap() -> None:
    room = Room(1_000, 500)
    room.caps["Read:"] = 30
    lines = [Line("Files", "Read:", "x" * 15, 0), Line("Files", "Read:", "y" * 15, 0), Line("Files", "", "z" * 15, 0)]

    assert [room.take(one) for one in lines] == [True, False, True]


def test_a_line_that_does_not_fit_takes_nothing() -> None:
    room = Room(10, 500)

    assert not room.take(line("x" * 20))
    assert (room.chars, room.words, room.groups) == (10, {}, set())


@pytest.mark.parametrize(("chars", "fits"), [(5, False), (6, True), (7, True)])
def test_a_line_fits_with_its_line_end_and_no_less(chars: int, fits: bool) -> None:
    room = Room(chars, 500)
    room.groups.add(("Files", ""))

    assert room.take(line("x" * 5)) is fits


def test_words_of_a_label_count_once() -> None:
    room = Room(1_000, 5)
    lines = [Line("Files", "Two words:", text, 0) for text in ("a b", "c", "d")]

    assert [room.take(one) for one in lines] == [True, True, False]


def test_an_extension_costs_its_own_characters_alone() -> None:
    host = line("- a.py")
    room = Room(100, 500)
    room.take(host)
    left = room.chars
    room.take(Line("Files", "Said:", ": x", 0, extends=host))

    assert room.chars == left - 3
    assert host.full == "- a.py: x"


def test_a_line_that_spills_stays_there_though_it_finds_no_room() -> None:
    room, spilling = Room(10, 1), line("three four five")
    spilling.spill = ("Other", "More:")

    assert not room.take(spilling)
    assert (spilling.section, spilling.group) == ("Other", "More:")


@pytest.mark.parametrize(
    ("text", "whether"),
    [
        ("the total of the cart is rounded in total_price", True),
        ("rounded in total_price", False),
        ("all of these seven stand here for nothing at all: " + " ".join(f"name_{n}" for n in "abcdefg"), False),
        ("all of these six stand here for something at last: " + " ".join(f"name_{n}" for n in "abcdef"), True),
    ],
)
def test_to_explain_takes_words_enough_and_few_names(text: str, whether: bool) -> None:
    assert explains(text) is whether


def test_worth_without_words_of_its_own_earns_nothing() -> None:
    plain = Coverage({}, [])

    assert plain.gain(line("a.py b.py", worth=9.0)) < plain.gain(line("the cart adds up all totals", worth=9.0))


def test_naming_again_earns_less_than_naming_first_and_explaining_still_earns() -> None:
    told = line("the total of the cart is rounded in total_price")
    fresh, named = Coverage({"total_price": 1.0}, []), Coverage({"total_price": 1.0}, [line("total_price")])
    done = Coverage({"total_price": 1.0}, [told])

    assert fresh.gain(told) > named.gain(told) > done.gain(told) == 0


def test_lines_that_repeat_come_last_if_they_explain_anything() -> None:
    first = line("the total of the cart is rounded too early", worth=1.0)
    again = line("the total of the cart is rounded too late", worth=0.9)
    other = line("every bill of the till has two copies", worth=0.1)

    assert take_telling(Room(1_000, 500), [again, first, other], {}, []) == [first, other, again]
    assert take_telling(Room(1_000, 500), [line("a.py", worth=0.0)], {"a.py": 0.0}, []) == []


def test_nothing_is_taken_twice() -> None:
    one = line("the total of the cart is rounded too early", worth=1.0)

    assert take_telling(Room(1_000, 500), [line(one.text, worth=1.0)], {}, [one]) == []


def test_a_sentence_that_stands_cut_is_not_told_whole_as_well() -> None:
    words = "The total of the cart is added up before it is rounded to whole cents"
    told = Told([f'- [t3] agent: "{words} […]"'])

    assert not told.new(f"- found: {words}, as the till does it.")
    assert not told.new(f"- {words[:50]}")
    assert told.new(f"- {words.replace('whole', 'half')}, as the till does it.")
