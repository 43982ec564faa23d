"""What is committed, read while somebody commits: at each system call of the one, all of the other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memcli import swap
from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.watch import spot
from memcli.watch.keeper import Keeper
from tests.builders import Script, at_calls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def committed(path: Path) -> tuple[str, bytes] | None:
    """Generation and ready message as the swap finds them; None if it leaves them to the slow route."""
    source = os.open(path, os.O_RDONLY)
    try:
        head = swap.committed(str(path.parent / ".memcli" / path.name), str(path.parent), source)
    except (OSError, ValueError):
        return None
    finally:
        os.close(source)
    return head.generation, head.before + head.state + head.after


def write(path: Path, turns: int) -> None:
    script = Script("anthropic")
    for number in range(turns):
        script.turn(number)
    path.write_bytes(script.data)
    os.utime(path, (1e9, 1e9))


@pytest.fixture
def keeper(tmp_path) -> Iterator[Keeper]:
    path = tmp_path / "run.jsonl"
    write(path, 2)
    one = Keeper(Place.of(path), Triggers())
    one.open("test", 0.0)
    yield one
    one.close()


def test_a_memory_that_is_committed_while_it_is_read_is_never_taken_for_an_edit(keeper) -> None:
    """The message is the one of before or the one of after; only in between it may be left to the slow route."""
    path, turns, calls = keeper.place.transcript, 2, 1
    spot.publish_now(keeper)
    while calls >= turns - 1:  # as many memories as the reading has system calls
        before, read = committed(path), []
        turns += 1
        write(path, turns)
        due = turns - 2

        def commit(number: int, due: int = due) -> None:
            if number == due:
                spot.publish_now(keeper)

        calls = at_calls(commit, lambda: read.append(committed(path)))  # noqa: B023 - called at once
        assert read[0] in (None, before, committed(path))
    assert calls > 5


def test_a_first_memory_is_ready_from_the_moment_it_is_committed(keeper) -> None:
    """Also before its Markdown stands beside the transcript."""
    path, found = keeper.place.transcript, []
    head = path.parent / ".memcli" / path.name / "head"

    def look(_number: int) -> None:
        found.append((head.exists(), committed(path) is not None))

    at_calls(look, lambda: spot.publish_now(keeper))
    assert set(found) == {(False, False), (True, True)}
