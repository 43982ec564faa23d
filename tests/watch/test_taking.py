"""What a compaction takes, for verbs, programs and the daemon alike."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.watch.keeper import Keeper
from memcli.watch.taking import Maker, bare, taken, taken_by
from tests.builders import FORMATS, is_tail, session_file, tail_of
from tests.commands.states import committed, grown, remembered, rested, watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAKER = Maker(Triggers())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return remembered(session_file(tmp_path / "run.jsonl", turns=4))


@pytest.fixture
def deaf() -> Iterator[None]:
    """The question for an update goes to whoever holds the lock, which is this process."""
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("format", FORMATS)
def test_what_came_after_the_memory_is_taken_with_it(tmp_path: Path, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    grown(path, format)
    found = taken(path, MAKER)
    size = path.stat().st_size
    assert (found.how, found.end, found.size) == ("was ready", size, size)
    assert is_tail(format, b"".join(found.lines), path.read_bytes())
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in found.lines)


def test_half_a_line_is_not_taken_but_counted(run: Path) -> None:
    whole = run.stat().st_size
    with run.open("ab") as file:
        file.write(b'{"type":"us')
    found = taken(run, MAKER)
    assert (found.end, found.size) == (whole, whole + 11)


def test_a_last_line_that_has_grown_since_is_read_again(tmp_path: Path) -> None:
    """It had no end when it was covered; what stands there now is another record."""
    path = session_file(tmp_path / "run.jsonl", "anthropic")
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    remembered(path)
    with path.open("ab") as file:
        file.write(b' {"role":"user","content":"and mend the sluice"}\n')
    assert taken(rested(path), MAKER).how == "made now"


@pytest.mark.parametrize("wish", [{"fresh": True}, {"anew": True}])
def test_what_is_ready_is_not_taken_where_another_memory_is_asked_for(run: Path, wish: dict[str, bool]) -> None:
    found = taken(run, Maker(Triggers(budget=2_000)), **wish)
    assert found.how == ("made now" if "anew" in wish else "refolded now without a model")
    assert committed(run).generation == found.head.generation


@pytest.mark.usefixtures("deaf")
def test_beside_a_daemon_nothing_is_published(tmp_path: Path) -> None:
    path = rested(session_file(tmp_path / "run.jsonl"))
    said: list[str] = []
    with watched(path):
        found = taken(path, MAKER, wait=0.01, say=said.append)
    assert found.how == "made now beside the daemon"
    assert not Place.of(path).memory.exists()
    assert said == ["waiting for the update in flight"]


def test_the_tail_that_is_asked_for_goes_behind_a_ready_memory(run: Path) -> None:
    one, two = (taken(run, MAKER, ("turns", number)) for number in (1, 2))
    assert one.how == two.how == "was ready"
    assert len(one.lines) < len(two.lines)
    assert bare(two, run).lines == bare(one, run).lines == taken(run, MAKER, ("turns", 0)).lines


def test_the_owner_of_a_sidecar_takes_what_is_committed(run: Path) -> None:
    keeper = Keeper(Place.of(run), Triggers())
    keeper.open("watch", 0.0)
    try:
        found = taken_by(keeper)
    finally:
        keeper.close()
    assert found.head.generation == committed(run).generation
    assert tail_of("claude-code", b"".join(found.lines)) == tail_of("claude-code", b"".join(taken(run, MAKER).lines))
