"""When a tail is prepared: once the file rests, once for what is new, one in a turn of the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.session import QUIET_SECONDS, Triggers
from memcli.sidecar.place import Place
from memcli.sidecar.presence import Presence
from memcli.watch import spot
from memcli.watch.keeper import READY_SECONDS, Keeper
from memcli.watch.loop import Loop
from memcli.watch.prepared import MOST_BYTES
from tests.builders import Script, session, session_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEVER_DUE = Triggers(update_tokens=10**9, update_tool_calls=10**9)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """One whose transcript has a memory, and a tail that was prepared then."""
    keeper = opened(session_file(tmp_path / "run.jsonl"))
    spot.publish_now(keeper)
    yield keeper
    keeper.close()


def opened(path: Path) -> Keeper:
    keeper = Keeper(Place.of(path), NEVER_DUE)
    keeper.open("watch", 0.0)
    return keeper


def append(keeper: Keeper, now: float, words: str = "and now paint it red") -> None:
    """The client writes, and the loop looks at once."""
    with open(keeper.path, "ab") as file:
        file.write(Script("claude-code", after=session("claude-code"), serial=int(now)).prompt(words).data)
    keeper.look(now)
    turn(keeper, now)


def turn(keeper: Keeper, now: float) -> None:
    """A turn of the loop, with nothing to read."""
    keeper.tick(now, 0.0)
    keeper.ready(now)


def file(keeper: Keeper) -> tuple[int, int] | None:
    """Which file the prepared tail is: each time it is written it is another one. None if there is none."""
    path = keeper.place.sidecar / "tail"
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


SOON = 10**6  # by a steady clock that is far beyond that of the machine


def test_while_the_client_writes_nothing_is_prepared(keeper: Keeper) -> None:
    before = file(keeper)
    for number in range(20):
        append(keeper, SOON + number * QUIET_SECONDS * 0.9)

    assert keeper.ready_at is None
    assert file(keeper) == before


def test_once_it_rests_the_tail_is_prepared_once(keeper: Keeper) -> None:
    before = file(keeper)
    append(keeper, SOON)
    turn(keeper, SOON + 1)
    after = file(keeper)
    for number in range(50):
        turn(keeper, SOON + 2 + number)

    assert before != after == file(keeper)
    assert keeper.ready_at is None


def test_a_client_that_pauses_after_each_record_is_followed_once_a_second(keeper: Keeper) -> None:
    files: set[object] = set()
    for number in range(30):
        append(keeper, SOON + number * 0.3)
        turn(keeper, SOON + number * 0.3 + QUIET_SECONDS)
        files.add(file(keeper))

    assert len(files) <= 30 * 0.3 / READY_SECONDS + 1
    assert keeper.ready_at is None or keeper.ready_at <= SOON + 9 + READY_SECONDS


def test_what_waits_for_its_second_is_prepared_then(keeper: Keeper) -> None:
    append(keeper, SOON)
    turn(keeper, SOON + 0.3)
    first = file(keeper)
    append(keeper, SOON + 0.4)
    turn(keeper, SOON + 0.7)
    assert (file(keeper), keeper.ready_at) == (first, SOON + 0.3 + READY_SECONDS)
    turn(keeper, SOON + 0.3 + READY_SECONDS)

    assert file(keeper) != first


def test_a_tail_that_has_become_too_long_is_removed(keeper: Keeper) -> None:
    assert file(keeper)
    append(keeper, SOON, "x" * MOST_BYTES)
    turn(keeper, SOON + 1)

    assert not file(keeper)


def test_a_transcript_that_is_gone_is_no_error(keeper: Keeper) -> None:
    append(keeper, SOON)
    keeper.place.transcript.rename(keeper.place.transcript.with_suffix(".old"))
    turn(keeper, SOON + 1)

    assert keeper.ready_at is None
    keeper.place.transcript.with_suffix(".old").rename(keeper.place.transcript)


def test_another_transcript_under_the_name_has_no_tail(keeper: Keeper) -> None:
    keeper.place.transcript.write_bytes(session("pi", turns=1))
    keeper.look(SOON)

    assert not file(keeper)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """A loop over four transcripts with memories, none of them read yet."""
    paths = [session_file(tmp_path / f"{number}.jsonl") for number in range(4)]
    for path in paths:
        keeper = opened(path)
        spot.publish_now(keeper)
        keeper.close()
        (keeper.place.sidecar / "tail").unlink()
    loop, presence = Loop(paths, NEVER_DUE, lambda _: None), Presence.start()
    loop._begin(presence)
    yield loop
    loop._crew.close()
    loop._lookout.close()
    presence.end()


def prepared(loop: Loop) -> int:
    return sum((keeper.place.sidecar / "tail").exists() for keeper in loop.keepers.values())


def test_one_tail_is_prepared_in_a_turn_of_the_loop(loop: Loop) -> None:
    found = []
    while prepared(loop) < 4:
        assert loop._patience() == 0.0
        loop._turn()
        found.append(prepared(loop))

    assert found[-4:] == [1, 2, 3, 4]


def test_what_is_to_be_read_comes_before_what_is_to_be_prepared(loop: Loop) -> None:
    while prepared(loop) < 1:
        loop._turn()
    loop._order.backlog(loop.paths[:1])
    loop._ready()
    assert prepared(loop) == 1
    loop._turn()

    assert prepared(loop) == 2


def test_nobody_stays_awake_for_a_prepared_tail(loop: Loop) -> None:
    """Else a crowd of them would leave no room for those that are still to be read."""
    while prepared(loop) < 1:
        loop._turn()

    assert {loop._may_rest(awake) for awake in loop._crew} == {True}


def test_where_nobody_more_can_be_awake_tails_are_prepared_meanwhile(loop: Loop) -> None:
    """What waits to be read waits for others: the loop must neither spin nor forget them."""
    while prepared(loop) < 1:
        loop._turn()
    loop._order.backlog(["/somebody/who/waits"])
    loop._crowded = True
    loop._ready()

    assert prepared(loop) == 2
