"""Updates go on after every swap, and nothing falls between memory and tail while one is made.

Both failures of the published reference are replayed: a mark that was never rebased, so that no update came after the
first swap; and a late answer that moved the boundary past messages which no memory covered.
"""

from __future__ import annotations

import pytest

from memcli.session import Inheritance, Session, StartJob, Triggers
from tests.builders import FORMATS, Script
from tests.session.driver import Driver
from tests.session.test_inheritance import MEMORY, parent

BY_TOKENS = Triggers(init_tokens=1, update_tokens=1000, update_tool_calls=10**9)


def turns(*numbers: int, size: int = 2700) -> bytes:
    """Turns of about a thousand tokens each."""
    script = Script("claude-code", serial=100 * numbers[0])
    for number in numbers:
        script.turn(number, output="w" * size)
    return script.data


def compaction(post_tokens: int) -> bytes:
    """The client's own: it says how large the context is from here on."""
    record = {"type": "system", "subtype": "compact_boundary", "uuid": f"cut-{post_tokens}", "parentUuid": None}
    return Script("claude-code").line({**record, "compactMetadata": {"postTokens": post_tokens}}).data


def test_after_the_client_compacted_growth_counts_from_the_new_size():
    """Else none would come until the context had grown past its old size and a step more."""
    driver = Driver("claude-code", BY_TOKENS).feed(turns(0, 1, 2, 3, 4), quiet=1.0)
    before = driver.session.reading.tokens
    driver.feed(compaction(300), quiet=1.0)
    made = len(driver.published)
    driver.feed(turns(5, 6), quiet=1.0)
    assert driver.session.reading.tokens < before
    assert len(driver.published) == made + 1


def test_swapped_again_and_again_every_swap_is_followed_by_updates():
    driver = Driver("claude-code", BY_TOKENS).feed(turns(0, 1, 2), quiet=1.0)
    for swap in range(1, 6):
        made = len(driver.published)
        driver.feed(compaction(300 + swap), quiet=1.0).feed(turns(10 * swap, 10 * swap + 1), quiet=1.0)
        assert len(driver.published) > made


def test_what_the_client_compacted_away_stays_covered_by_our_ledger():
    driver = Driver("claude-code", BY_TOKENS).feed(turns(0, 1), quiet=1.0).feed(compaction(300), quiet=1.0)
    memory = driver.feed(turns(5), quiet=1.0).update().markdown
    assert all(f"step {number} of the plan" in memory for number in (0, 1, 5))


def test_an_answer_that_was_awaited_during_a_swap_covers_what_its_job_was_given_and_no_more():
    driver = Driver("claude-code", BY_TOKENS)
    driver.hold = True
    first = turns(0, 1)
    driver.feed(first, quiet=1.0).feed(compaction(300), quiet=1.0).feed(turns(5, 6), quiet=1.0)
    driver.answer(driver.jobs[0])
    assert driver.published[-1].boundary.offset <= len(first)
    assert driver.session.behind
    driver.hold = False
    assert driver.update().boundary.offset == len(driver.file)


@pytest.mark.parametrize("format", FORMATS)
def test_a_successor_gets_its_own_updates(format):
    """The memory message counts as context; from there on the rules are those of any transcript."""
    fold = parent(format)
    rules = Triggers(init_tokens=1500, update_tokens=1000, update_tool_calls=10**9)
    script = Script(format).prompt(MEMORY)
    driver = Driver(format, rules, Inheritance(fold.snapshot(), 0)).feed(script.data, quiet=1.0)
    assert driver.published == []
    driver.feed(more(format, driver.file, 5), quiet=1.0).feed(more(format, driver.file, 7), quiet=1.0)
    assert len(driver.published) >= 2
    assert "step 1 of the plan" in driver.published[-1].markdown


def more(format: str, file: bytes, number: int) -> bytes:
    """Two turns that go on in a file."""
    script = Script(format, after=file, serial=1000 * number)
    return script.turn(number, output="w" * 2700).turn(number + 1, output="w" * 2700).data


def test_a_restart_while_a_job_is_out_pays_for_it_once_more_and_covers_the_same():
    driver = Driver("claude-code", BY_TOKENS)
    driver.hold = True
    driver.feed(turns(0, 1), quiet=1.0).restart().pass_time(1.0)
    first, again = driver.jobs
    assert first == again
    driver.answer(again)
    assert len(driver.published) == 1


def test_a_job_is_due_again_after_the_user_took_back_what_is_published():
    """The memory speaks of messages that are no part of the conversation any more: no threshold is waited for."""
    script = Script("claude-code").turn(0)
    fork = script.leaf
    rules = Triggers(init_tokens=1, update_tokens=10**9, update_tool_calls=10**9)
    driver = Driver("claude-code", rules).feed(script.turn(1).turn(2).data, quiet=1.0)
    start = len(script.data)
    script.leaf = fork
    driver.feed(script.prompt("the other way round").say("As you wish.").data[start:], quiet=1.0)
    assert len(driver.published) == 2


def test_a_memory_message_whose_parent_is_not_known_yet_holds_everything_up():
    """Nothing is decided before the question where the file comes from is answered."""
    session = Session("anthropic", Triggers(init_tokens=1))
    script = Script("anthropic").prompt(MEMORY).turn(1).turn(2)
    session.receive(script.data, 0.0)
    session.ask()
    assert not any(isinstance(effect, StartJob) for effect in session.tick(9.0))
    session.disown()
    assert any(isinstance(effect, StartJob) for effect in session.tick(9.0))
