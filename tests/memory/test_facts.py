"""How single facts are told, and in which order they are served."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.files import File
from memcli.memory import labels
from memcli.memory.facts import groups
from memcli.memory.facts.corrections import MOST_FOR_CORRECTIONS
from memcli.memory.facts.files import file_line
from memcli.memory.facts.pending import AHEAD_TURNS
from memcli.memory.render import render
from memcli.memory.sections import COMPLETED, ERRORS, NAMES, PENDING, SECTIONS, USER_INTENT
from memcli.transcript.entries import Link
from tests.ledger.builders import a_session, agent, done, entry, flat, folded, user

ROOT = "/srv/shop"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (File("created", 3), "- src/a.py — created"),
        (File("modified", 1), "- src/a.py — modified"),
        (File("modified", 2), "- src/a.py — modified, 2 times"),
        (File("modified", 500), "- src/a.py — modified, 99 times"),
        (File("deleted", 2), "- src/a.py — deleted"),
        (File("created", 1, source="/srv/shop/lib/a.py"), "- src/a.py — created (moved from lib/)"),
        (File("created", 1, source="/srv/shop/src/b.py"), "- src/a.py — created (moved from src/b.py)"),
        (File("created", 1, source="/srv/shop/a.py"), "- src/a.py — created (moved from a.py)"),
        (File("created", 1, source="/opt/a.py"), "- src/a.py — created (moved from /opt/)"),
        (File("created", 1, source="/srv/shop/src/old/a.py"), "- src/a.py — created (moved from src/old/)"),
    ],
)
def test_a_file_is_told_with_its_last_state_and_where_it_came_from(file: File, line: str) -> None:
    assert file_line("/srv/shop/src/a.py", file, ROOT) == line


def test_folders_that_both_places_share_are_not_told() -> None:
    moved = File("created", 1, source="/srv/shop/a/b/old/x.py")

    assert file_line("/srv/shop/a/b/new/x.py", moved, ROOT) == "- a/b/new/x.py — created (moved from b/old/)"


@pytest.mark.parametrize("section", NAMES[1:])
def test_lines_of_a_group_belong_to_their_section_and_are_no_longer_than_it(section: str) -> None:
    for lines, _ in groups(section, folded(*a_session()), 4_000):
        assert all(line.section == section and len(line.text) <= 4_000 for line in lines)


def test_the_latest_words_are_served_first_then_short_ones_newest_first_then_long_ones() -> None:
    texts = ["first of all", "short one", "long " * 400, "short two", "the newest " * 300]
    _, *later = groups(USER_INTENT, folded(*map(user, texts)), 3_000)

    assert [line.order for lines, _ in later for line in lines] == [5, 4, 2, 3]


def test_where_corrections_do_not_all_fit_each_is_still_told() -> None:
    said = [user(f"rule {number}: never " + "and never " * 40, steering=True) for number in range(20)]
    (steered, room), *_ = groups(ERRORS, folded(user("go"), *said), 4_000)

    assert len(steered) == 20
    assert sum(len(line.text) + 1 for line in steered) <= room == int(4_000 * MOST_FOR_CORRECTIONS)
    assert all(f"rule {int(line.order) - 2}:" in line.text for line in steered)


def test_a_reply_to_a_correction_stands_with_it() -> None:
    said = [user("go"), user("why is the cart locked?", steering=True), agent("Two jobs wrote into it at once.")]
    (steered, _), *_ = groups(ERRORS, folded(*said), 4_000)

    assert 'agent then: "Two jobs wrote into it at once."' in steered[0].text


def test_what_was_named_as_next_is_forgotten_after_some_turns() -> None:
    named = [user("go"), agent("Remaining:\n- sign the bill of the cart\n")]

    def ahead(turns: int) -> int:
        return len(groups(PENDING, folded(*named, *(user(f"turn {n}") for n in range(turns))), 4_000)[3][0])

    assert [ahead(turns) for turns in (0, AHEAD_TURNS, AHEAD_TURNS + 1)] == [1, 1, 0]


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=30), st.sampled_from(["pending", "in_progress"]))))
def test_every_item_of_the_list_has_a_line(items: list[tuple[str, str]]) -> None:
    todos = done("TodoWrite", {"todos": [{"content": text, "status": status} for text, status in items]})
    listed = groups(PENDING, folded(user("go"), todos), 4_000)[1][0]

    assert len(listed) == len({text for text, _ in items})


def test_what_the_agent_asked_before_newer_words_of_the_user_is_not_said_to_wait_for_an_answer() -> None:
    asked = [user("look"), agent("The till is slow. Shall I make the till quick?")]
    before, after = folded(*asked), folded(*asked, user("the docs of the cart come first"))

    assert [line.group for group, _ in groups(PENDING, before, 4_000) for line in group] == [labels.PROPOSED]
    assert labels.ASKED_LAST in [line.group for group, _ in groups(PENDING, after, 4_000) for line in group]


@pytest.mark.parametrize(
    ("said", "offers"),
    [("I can make the till quick.", True), ("I run the tests of the till so I can tell you how quick it is.", False)],
)
def test_what_the_agent_can_do_is_an_offer_and_what_it_does_so_that_it_can_is_none(said: str, offers: bool) -> None:
    lines = [line for group, _ in groups(PENDING, folded(user("look"), agent(said)), 4_000) for line in group]

    assert (labels.PROPOSED in [line.group for line in lines]) == offers


def test_links_take_a_sixth_of_their_section_and_the_newest_stand() -> None:
    links = [entry("", Link(f"https://git.example/shop/pull/{n}", f"pull request {n}")) for n in range(10, 60)]
    block = render(folded(*links), 4_000).block(COMPLETED).ledger
    shown = [line for line in block.splitlines() if "https://" in line]
    room = 4_000 * 4 * next(one.share for one in SECTIONS if one.name == COMPLETED) / 6
    assert 0.6 * room < sum(map(len, shown)) <= room
    assert "/pull/59" in shown[-1]


@pytest.mark.parametrize("share", [4_000, 1_200])
def test_refusals_without_words_are_served_after_what_corrects_with_words(share: int) -> None:
    refused = [done("Bash", {"command": f"rm {n}"}, "no", is_error=True, rejected=True) for n in "ab"]
    said = [user(f"never put price {n} into a table of " + "old " * 40, steering=True) for n in range(9)]
    (lines, _), *_ = groups(ERRORS, folded(*flat([user("clean up"), refused, agent("I leave it."), said])), share)

    assert ["without a word" in line.text for line in lines] == [False] * 9 + [True] * 2
