"""The turn that has not ended."""

from __future__ import annotations

from memcli.memory import sections
from memcli.transcript.entries import AssistantText, MachineText
from tests.ledger.builders import agent, done, entry, ran, stopped, user
from tests.memory.test_render import text

TURN = (
    user("please edit the pull request"),
    agent("The paths of the vault are service paths, so they stay."),
    *ran("ls"),
    agent("The helper is in; next come the docs of the provider."),
    *ran("ls docs"),
)


def test_all_that_was_said_in_the_running_turn_stands_in_order() -> None:
    active = text(sections.ACTIVE_WORK, *TURN)

    assert active.index('agent: "The paths of the vault') < active.index('agent: "The helper is in')


def test_the_request_of_the_running_turn_is_pending() -> None:
    assert '- in progress, user: "please edit the pull request"' in text(sections.PENDING, *TURN)


def test_what_the_user_added_meanwhile_is_pending_too() -> None:
    assert '- in progress, user: "and its title"' in text(sections.PENDING, *TURN, user("and its title", "queued"))


def test_an_interrupted_turn_is_still_under_way() -> None:
    assert "in progress" in text(sections.PENDING, *TURN, stopped())


def test_once_the_agent_has_the_last_word_nothing_is_under_way() -> None:
    assert "in progress" not in text(sections.PENDING, *TURN, agent("All of it is done, the docs too."))


def test_a_long_turn_shortens_its_oldest_words_first() -> None:
    said = [
        one for n in range(40) for one in (agent(f"Step {n} of the work " + "goes on and on " * 13), *ran(f"ls {n}"))
    ]
    lines = text(sections.ACTIVE_WORK, user("work through all of it"), *said).split("\n")
    agents = [line for line in lines if line.startswith("- agent: ")]

    assert "[…]" not in agents[-1]
    assert "[…]" in agents[0]


def test_an_offer_is_no_result() -> None:
    said = agent("The planner in plan_order.py is quick now. Want me to add a note on plan_order.py to the docs?")

    assert "Want me to" not in text(sections.COMPLETED, user("make it quick"), said, user("no, thanks"))


def test_a_diagnosis_stands_beside_its_error() -> None:
    failed = ran("make", "a.c:3:1: error: expected a brace before the end", failed=True)
    errors = text(sections.ERRORS, user("build it"), *failed, agent("The macro lacks its closing brace."))

    assert '— agent then: "The macro lacks its closing brace."' in errors


def test_a_plan_put_into_a_call_is_not_quoted_as_what_the_agent_said() -> None:
    plan = done("ExitPlanMode", {"plan": "Count the lines of the commit against the checkpoint"})
    active = text(sections.ACTIVE_WORK, user("count the lines"), plan, *ran("ls"))

    assert 'agent: "Count the lines' not in active


def test_what_was_awaited_in_the_running_turn_gives_way_to_what_came() -> None:
    waits = [one for n in range(6) for one in (agent(f"Still waiting for image {n} of the shop."), *ran(f"make {n}"))]
    active = text(sections.ACTIVE_WORK, *TURN, *waits)

    assert "image 5" in active
    assert "image 1" not in active


def test_a_command_without_words_is_under_way_too() -> None:
    began = entry("user", MachineText("<command-name>/ship</command-name>"))

    assert "- in progress, the command `/ship`" in text(sections.PENDING, began, agent("I build it."), *ran("make"))


def test_a_text_that_says_the_work_goes_on_leaves_the_turn_under_way() -> None:
    going_on = entry("assistant", AssistantText("The docs are right, I am committing them.", commentary=True))

    assert "in progress" in text(sections.PENDING, *TURN, going_on)


def test_in_a_long_turn_announcements_give_way_to_what_was_found() -> None:
    said = [one for n in range(20) for one in (agent(f"Let me look at the part {n} of the planner."), *ran(f"ls {n}"))]
    found = agent("The planner ignores the figure of the second part.")
    active = text(sections.ACTIVE_WORK, user("find it"), *said[:20], found, *said[20:])

    assert "ignores the figure of the second part" in active
    assert "the part 3 of" not in active.split("Latest steps:")[0]


def test_where_little_would_be_left_of_each_note_the_telling_ones_stand_whole() -> None:
    steps = [
        one for n in range(40) for one in (agent(f"The part {n} compiles and links again, on it goes."), *ran("ls"))
    ]
    found = agent("The total is wrong because the planner rounds every single figure before it adds them up.")
    active = text(sections.ACTIVE_WORK, user("find it"), *steps[:20], found, *steps[20:])

    assert "rounds every single figure before it adds them up" in active.split("Latest steps:")[0]


def test_what_the_user_stopped_stands_beside_the_words_that_stopped_it() -> None:
    did = [agent("The generated files are counted as work of the user, so I filter them out."), *ran("ls")]
    against = [stopped(), user("no, take that back", steering=True), agent("I take it back."), *ran("git diff")]
    active = text(sections.ACTIVE_WORK, user("the counts are off"), *did, *against)

    assert 'which the user stopped:\n- agent: "The generated files are counted as work of the user' in active


def test_a_turn_that_opposes_nothing_does_not_repeat_the_one_before() -> None:
    assert "The helper is in" not in text(sections.ACTIVE_WORK, *TURN, user("now the docs"), agent("Yes."), *ran("ls"))


def test_the_request_that_was_steered_is_told_as_stopped() -> None:
    steering = [stopped(), user("not in that file", steering=True), agent("In the other one, then."), *ran("ls")]
    pending = text(sections.PENDING, *TURN, *steering)

    assert '- in progress, user: "not in that file"' in pending
    assert '- stopped by the user, maybe replaced by what follows, user: "please edit the pull request"' in pending


def test_a_slip_is_an_open_error_only_while_its_turn_runs() -> None:
    slip = ran("pytst a.py", "bash: pytst: command not found", failed=True)

    assert "OPEN: `pytst a.py`" in text(sections.ERRORS, user("test it"), slip, *ran("ls"))
    ended = text(sections.ERRORS, user("test it"), slip, agent("All tests of the cart pass."))
    assert "without or around, newest first:\n- [t1] `pytst a.py`" in ended
    assert "OPEN" not in ended


REFUSED = done("Bash", {"command": "cd /tmp && rm -rf shop"}, "refused", is_error=True, rejected=True)


def test_a_refusal_without_words_is_told_with_what_was_refused() -> None:
    shown = text(sections.ERRORS, user("clean up"), REFUSED, agent("I leave it as it is, then."))

    assert "- [t1] refused without a word: `Bash cd /tmp && rm -rf shop`" in shown


def test_words_typed_right_after_a_refusal_stand_with_what_was_refused() -> None:
    shown = text(sections.ERRORS, user("clean up"), REFUSED, stopped(), user("are the tests right?", steering=True))

    assert '- [t2] refused `Bash cd /tmp && rm -rf shop` — user: "are the tests right?"' in shown


def test_what_was_announced_in_a_turn_that_has_ended_is_told_nowhere() -> None:
    said = [user("fix it"), agent("Let me first write a test of round_half_up in the cart."), *ran("ls")]
    ended = [*said, agent("The cart is right now.")]

    assert "Let me first write" in text(sections.ACTIVE_WORK, *said, *ran("ls"))
    assert "Latest steps" not in text(sections.ACTIVE_WORK, *ended)
    assert "Findings" not in text(sections.REFERENCES, *ended)


def test_what_the_last_words_propose_stands_among_the_pending_tasks_alone() -> None:
    said = [
        user("fix it"),
        agent("The cart is right now.\n\nNext: the till of the shop\n\nShall I begin with the till?"),
    ]

    assert text(sections.ACTIVE_WORK, *said).endswith('latest words:\n- agent: "The cart is right now."')
    assert "Next: the till of the shop" in text(sections.PENDING, *said)
    assert "Shall I begin with the till?" in text(sections.PENDING, *said)


def test_a_request_of_its_own_stops_none_before_it() -> None:
    pending = text(sections.PENDING, *TURN, user("now write the docs"), agent("I write them."), *ran("ls"))

    assert '- in progress, user: "now write the docs"' in pending
    assert "stopped by the user" not in pending


def test_what_is_announced_finds_no_room_among_the_findings() -> None:
    steps = [one for n in range(60) for one in (agent(f"Let me look at {'the till ' * 9}{n}."), *ran(f"ls {n}"))]

    assert "Findings" not in text(sections.REFERENCES, user("find it"), *steps)


def test_refusals_without_words_take_what_words_have_left() -> None:
    refused = [done("Bash", {"command": f"rm -rf {'shop/' * 20}{n}"}, "no", is_error=True, rejected=True) for n in "ab"]
    said = [user(f"never put price {n} into a table of " + "old " * 40, steering=True) for n in range(9)]
    both = text(sections.ERRORS, user("clean up"), refused, agent("I leave it, then."), said)

    assert all(f"never put price {n}" in both for n in range(9))
    assert "refused without a word" in both


def test_an_error_that_work_went_around_is_not_told_beside_an_open_one_that_says_the_same() -> None:
    piped, check = (ran(it, "error: the key is missing", failed=True) for it in ("gh view 7 | jq a", "make gh"))
    errors = text(sections.ERRORS, user("look"), piped, check, *ran("gh view 7"))

    assert errors.count("the key is missing") == 1
