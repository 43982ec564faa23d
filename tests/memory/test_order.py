"""What shows order in a memory: turn numbers, and what a request answers."""

from __future__ import annotations

from memcli.memory import sections
from tests.ledger.builders import agent, ran, user
from tests.memory.test_render import now, text

PLAN = "1. Composite action for the image\n2. Reusable workflow with cache\n\nWhich one?"


def test_a_request_stands_with_its_turn_and_what_it_answers() -> None:
    intent = text(sections.USER_INTENT, user("make the build faster"), agent(PLAN), user("option 2"))

    assert '- [t2] "option 2" (answers the agent\'s "2. Reusable workflow with cache")' in intent


def test_the_same_word_to_another_question_is_another_request() -> None:
    intent = text(
        sections.USER_INTENT,
        user("look at the build"),
        agent("Shall I measure the build first?"),
        user("yes"),
        agent("Shall I cache the image now?"),
        user("yes"),
    )

    assert intent.count('"yes"') == 2


def test_corrections_and_commits_stand_with_their_turn() -> None:
    session = (user("add tax"), user("not so", "rejection"), *ran("git commit -m x", "[main 1a2b3c4] Add tax"))

    assert "- [t1] refused" in text(sections.ERRORS, *session)
    assert "- [t1] 1a2b3c4" in text(sections.COMPLETED, *session)


def test_the_moment_says_what_the_last_request_answers() -> None:
    assert 'it answers the agent\'s: "1. Composite action for the image"' in now(agent(PLAN), user("1"))
