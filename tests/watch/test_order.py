"""Who is read next: nobody waits for ever, whatever the others do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.watch.order import EVERY, OPEN, STAY, Order

PATHS = st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True)


def taken(order: Order, times: int = 10**6) -> list[str]:
    """Whose turn it is, so many times or until nobody waits; each is done with one slice."""
    found = []
    while len(found) < times and (turn := order.next()) is not None:
        found.append(turn.path)
    return found


@given(PATHS, PATHS)
def test_each_gets_its_turn_and_then_nobody_waits(fresh, old):
    order = Order()
    order.backlog(old)
    for path in fresh:
        order.news(path, 1.0)
    assert set(fresh) | set(old) == set(taken(order))
    assert len(order) == 0
    assert not any(path in order for path in (*fresh, *old))


def test_what_was_appended_to_comes_before_what_has_waited():
    order = Order()
    order.backlog(["old"])
    order.news("first", 1.0)
    order.news("second", 2.0)
    assert taken(order) == ["first", "second", "old"]


def test_the_old_ones_come_on_however_much_news_there_is():
    order = Order()
    order.backlog(["old"])
    turns = []
    for _ in range(EVERY + 1):
        order.news("loud", 1.0)
        turns += taken(order, 1)
    assert turns == ["loud"] * EVERY + ["old"]


def test_a_turn_tells_when_something_happened_last():
    order = Order()
    order.backlog(["run"])
    order.news("run", 1.0)
    order.news("run", 2.0)
    assert order.next() == ("run", 2.0)
    assert order.next() == ("run", None)


def test_a_few_old_ones_are_read_by_turns_and_the_others_after_them():
    order = Order()
    names = [str(number) for number in range(OPEN + 2)]
    order.backlog(names)
    turns = []
    for _ in range(2 * OPEN):
        turns += taken(order, 1)
        order.unfinished(turns[-1])
    assert turns == names[:OPEN] * 2


def test_a_huge_one_goes_to_the_end_if_others_wait():
    """Its session need not stay in memory meanwhile."""
    order = Order()
    names = [f"huge{number}" for number in range(OPEN)]
    order.backlog([*names, "small"])
    turns = 0
    while (turn := order.next()) is not None and turn.path != "small":
        turns += 1
        order.unfinished(turn.path)
    assert turns == OPEN * STAY


def test_alone_a_huge_one_is_read_to_its_end():
    order = Order()
    order.backlog(["huge"])
    for _ in range(3 * STAY):
        assert taken(order, 1) == ["huge"]
        assert order.unfinished("huge")


def test_who_cannot_be_read_now_comes_first_the_next_time():
    order = Order()
    order.backlog(["old", "older"])
    order.news("fresh", 1.0)
    order.news("later", 1.0)
    order.postponed(order.next())
    assert taken(order, 2) == ["fresh", "later"]
    order.postponed(order.next())
    assert taken(order) == ["old", "older"]


def test_a_turn_can_be_taken_out_of_order():
    order = Order()
    order.news("first", 1.0)
    order.news("second", 2.0)
    assert order.take("second") == ("second", 2.0)
    assert order.take("second") is None
    assert taken(order) == ["first"]
