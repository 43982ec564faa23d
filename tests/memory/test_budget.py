from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.budget import Line, Room, explains, fair_limit, take_all, take_telling


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
