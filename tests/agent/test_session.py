"""A session that remembers itself, end to end: its daemon, its transcript, a model on loopback, the three ways."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import memcli
from memcli.agent.compaction import making
from memcli.errors import NoMessages, Usage
from memcli.sidecar import publisher
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch.taking import taken
from tests.agent.talks import answer, grow, is_valid, prompt, talk
from tests.builders import MARK, PATIENCE, eventually
from tests.cli.command import memcli as command
from tests.messages_api import Server
from tests.messages_api.answers import Talking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT = 8_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


class Gated(Talking):
    """A model that answers when the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.open = threading.Event(), threading.Event()
        self.tired = False
        """Nobody opened it in time."""

    def __call__(self, body: dict[str, Any]) -> str:
        self.asked.set()
        self.tired = not self.open.wait(PATIENCE) or self.tired
        assert not self.tired
        return super().__call__(body)


@pytest.fixture
def gated(model: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gated]:
    """In place of the model: one that waits for the test."""
    answers = Gated()
    with Server(answers) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield answers
        answers.open.set()


def remembers(path: Path) -> bool:
    """True once the background has a memory of the transcript as it is, and not of the one that stood there before."""
    head = Store(Place.of(path)).head()
    with path.open("rb") as file:
        return head is not None and publisher.fingerprint(file, head.covered, head.end) == head.fingerprint


def status(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command("status", path, "--json").out)
    return found


async def opened(gate: threading.Event) -> None:
    """Wait for a gate without holding up the loop."""
    await asyncio.to_thread(gate.wait, PATIENCE)


@pytest.mark.parametrize("strategy", ["instant", "cached", "traditional"])
def test_each_way_keeps_the_facts_over_two_compactions(path: Path, model: Server, strategy: str) -> None:
    async def run() -> list[memcli.Compaction]:
        async with memcli.Session(path, strategy=strategy, context_limit=LIMIT) as session:
            done = []
            number = 0
            for _ in range(2):
                number = grow(session, number) + 1
                if strategy != "traditional":
                    assert eventually(lambda: remembers(path))
                done.append(await session.compact())
                assert not session.full
                assert is_valid(session.messages)
                session.add(answer(number - 1))
        return done

    first, second = asyncio.run(run())
    assert (first.strategy, first.problem) == (strategy, "")
    assert first.how == second.how == ("written now" if strategy == "traditional" else "was ready")
    assert first.tokens_after < first.tokens_before / 1.5
    assert (first.requests > 0, first.cost is not None and first.cost > 0) == (True, True)
    kept = str(second.messages)
    assert kept.count(MARK) == 1
    assert "please do step 0 of the plan" in kept
    assert ("cache_control" in str(model.log.asked()[0].body)) == (strategy == "cached")


def test_the_transcript_is_the_context_and_goes_on_after_a_swap(path: Path, model: Server) -> None:
    with memcli.Session(path, strategy="traditional", backend="embedded") as session:
        for message in [*talk(6), prompt(6)]:
            session.add(message)
        session.compact_now()
        assert session.memory.startswith("# Session memory")
        session.add(answer(6))
        messages, tokens = session.messages, session.tokens
    with memcli.Session(path, strategy="traditional") as again:
        assert again.messages == messages
        assert abs(again.tokens - tokens) < tokens / 4
    assert command("undo", path).code == 0
    assert len(path.read_bytes().splitlines()) == 13


@pytest.mark.usefixtures("without_a_model")
def test_what_the_house_can_do_with_a_transcript_it_can_do_with_this_one(path: Path) -> None:
    with memcli.Session(path, update_tokens=500, init_tokens=500) as session:
        for message in talk(6):
            session.add(message)
        assert eventually(lambda: remembers(path))
        assert status(path)["watched_by"]
        assert command("update", path, "--wait", PATIENCE).code == 0
        assert "please do step 5 of the plan" in command("show", path).out
        assert "please do step 5 of the plan" in session.memory
        assert command("compact", path).code == 0


def test_the_event_loop_goes_on_while_a_model_is_waited_for(path: Path, gated: Gated) -> None:
    async def opener(session: memcli.Session) -> None:
        await opened(gated.asked)
        session.add(answer(6))
        gated.open.set()

    async def run() -> None:
        async with memcli.Session(path, strategy="traditional") as session:
            for message in [*talk(6), prompt(6)]:
                session.add(message)
            done, _ = await asyncio.gather(session.compact(), opener(session))
            assert (done.how, done.requests) == ("written now", 1)
            assert session.messages[-1] == answer(6)
            assert is_valid([*session.messages, prompt(7)])

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_what_is_said_between_the_taking_and_the_swap_stands_behind_it(path: Path) -> None:
    with memcli.Session(path, strategy="traditional", backend="embedded") as session:
        for message in talk(6):
            session.add(message)
        found = taken(path, making({}, Place.of(path).sidecar, fresh=False))
        session.add(prompt(6))
        session._replace(found)
        assert MARK in str(session.messages[0])
        assert session.messages[-1] == prompt(6)


def test_a_compaction_that_is_cancelled_changes_nothing(path: Path, gated: Gated) -> None:
    async def run(session: memcli.Session) -> None:
        waiting = asyncio.create_task(session.compact())
        await opened(gated.asked)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        session.add(prompt(6))

    with memcli.Session(path, strategy="traditional") as session:
        for message in talk(6):
            session.add(message)
        asyncio.run(asyncio.wait_for(run(session), PATIENCE))  # which waits for its threads
        assert gated.asked.is_set()
        assert not gated.tired  # which an answer would have been waited for until it was
        assert session.messages == [*talk(6), prompt(6)]
        assert Store(Place.of(path)).head() is not None
    assert len(path.read_bytes().splitlines()) == 13


def test_a_model_that_fails_costs_the_prose_and_is_told(path: Path, model: Server) -> None:
    model.script("401")
    with memcli.Session(path, strategy="traditional") as session:
        for message in talk(6):
            session.add(message)
        done = session.compact_now()
    assert "answered 401" in done.problem
    assert "please do step 0 of the plan" in str(done.messages)


def test_an_instant_session_can_be_compacted_the_traditional_way(path: Path, model: Server) -> None:
    with memcli.Session(path, init_tokens=10**6) as session:
        for message in talk(6):
            session.add(message)
        assert eventually(lambda: holder(Place.of(path).lock) is not None)
        done = session.compact_now("traditional")
        assert (done.strategy, done.how, done.requests) == ("traditional", "written now beside the daemon", 1)
        assert "The user asked" in str(session.messages[0])


def test_a_memory_of_another_way_is_not_promised(path: Path, model: Server) -> None:
    with memcli.Session(path) as session:
        session.add(prompt(0))
        with pytest.raises(Usage, match="the instant way"):
            session.compact_now("cached")
        with pytest.raises(Usage, match="no strategy"):
            session.compact_now("quick")


def test_nothing_said_is_nothing_to_compact(path: Path, model: Server) -> None:
    with memcli.Session(path) as session, pytest.raises(NoMessages):
        session.compact_now()


@pytest.mark.usefixtures("without_a_model")
def test_another_watcher_of_the_file_will_do(path: Path) -> None:
    path.write_text("".join(json.dumps(message) + "\n" for message in talk(6)))
    with memcli.watch(path, init_tokens=100) as watching, memcli.Session(path) as session:
        assert eventually(lambda: remembers(path))
        session.add(prompt(6))
        done = session.compact_now()
        assert (watching.running, done.problem) == (True, "")
        assert "please do step 0 of the plan" in str(session.messages[0])


def test_a_context_that_stays_too_large_is_not_compacted_again_and_again(path: Path, model: Server) -> None:
    with memcli.Session(path, strategy="traditional", backend="embedded", context_limit=1_000) as session:
        number = grow(session, 0)
        session.compact_now()
        assert (session.tokens > 1_000, session.full) == (True, False)
        grow(session, number + 1)


def test_what_was_counted_before_a_swap_says_nothing_of_the_size_after_it(path: Path, model: Server) -> None:
    with memcli.Session(path, strategy="traditional", backend="embedded", context_limit=9_000) as session:
        for number in range(6):
            session.add(prompt(number))
            session.add({**answer(number), "usage": {"input_tokens": 9_000 + number}})
        assert session.full
        session.compact_now()
        assert session.tokens < 6_000
    assert sum(status(path)["context_tokens"].values()) < 6_000
