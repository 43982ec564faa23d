"""The live view: a row a transcript, and what happened last."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.ui.live import SHOWN_EVENTS, SHOWN_ROWS, LiveView
from memcli.watch import spot
from memcli.watch.keeper import Keeper
from memcli.watch.told import Told
from tests.builders import session_file
from tests.commands.states import grown, rested

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """An opened keeper of three turns, nothing read yet."""
    found = Keeper(Place.of(rested(session_file(tmp_path / "run.jsonl"))), Triggers())
    found.open("watch", time.time())
    yield found
    found.close()


def picture(view: LiveView) -> list[str]:
    """What the view draws, line by line."""
    console = Console(file=io.StringIO(), width=100, color_system=None)
    with console.capture() as drawn:
        console.print(view._picture())
    return [line.rstrip() for line in drawn.get().splitlines()]


def shown(*keepers: Keeper) -> list[str]:
    """The rows of these keepers."""
    view = LiveView()
    return rows(view, {str(place): keeper for place, keeper in enumerate(keepers)})


def rows(view: LiveView, awake: dict[str, Keeper], resting: tuple[str, ...] = ()) -> list[str]:
    """The rows of a view. It only reads `keepers` and `paths` of its loop."""
    view._loop = SimpleNamespace(keepers=awake, paths=[*awake, *resting])
    head, *drawn = picture(view)
    assert head.split() == ["transcript", "context", "covered", "memory"]
    return [" ".join(row.split()) for row in drawn if row]


def test_before_the_first_line_it_waits(keeper: Keeper) -> None:
    assert shown(keeper) == ["run.jsonl - - waiting for the first line"]


def test_before_the_first_memory_nothing_is_covered(keeper: Keeper) -> None:
    keeper.catch_up(0.0)
    assert shown(keeper) == [f"run.jsonl {keeper.session.reading.tokens:,} 0/15 none yet"]


def test_a_memory_is_shown_with_its_reach_and_age(keeper: Keeper) -> None:
    spot.publish_now(keeper)
    assert shown(keeper)[0].split()[2:4] == ["15/15", "session-memory.md,"]
    grown(keeper.place.transcript)
    keeper.catch_up(0.0)
    assert shown(keeper)[0].split()[2] == "15/20"
    assert shown(keeper)[0].endswith("s ago")


def test_an_update_in_flight_is_told(keeper: Keeper) -> None:
    spot.publish_now(keeper)
    grown(keeper.place.transcript)
    keeper.catch_up(0.0)
    keeper.session.ask()
    keeper.tick(time.monotonic(), time.time())
    assert shown(keeper)[0].endswith("session-memory.md, updating")


def test_more_transcripts_than_fit_are_counted(keeper: Keeper) -> None:
    drawn = shown(*[keeper] * (SHOWN_ROWS + 3))
    assert len(drawn) == SHOWN_ROWS + 1
    assert drawn[-1] == "and 3 more"


def test_one_that_rests_is_shown_with_the_figures_it_had(keeper: Keeper) -> None:
    view = LiveView()
    spot.publish_now(keeper)
    (awake,) = rows(view, {"/srv/run.jsonl": keeper})
    (resting,) = rows(view, {}, ("/srv/run.jsonl",))
    assert resting.split()[:3] == awake.split()[:3]
    assert resting.endswith("session-memory.md, at rest")


def test_the_last_events_stand_below_the_newest_last() -> None:
    view = LiveView()
    for n in range(SHOWN_EVENTS + 2):
        view.report(Told(f"/srv/run-{n}.jsonl", "started", {"pid": n}))
    lines = [line for line in picture(view) if "run-" in line]
    assert [line.split("run-")[1][0] for line in lines] == [str(n) for n in range(2, SHOWN_EVENTS + 2)]


def test_brackets_in_the_name_of_a_transcript_are_no_markup(tmp_path: Path) -> None:
    keeper = Keeper(Place.of(tmp_path / "[red]run.jsonl"), Triggers())
    assert shown(keeper) == ["[red]run.jsonl - - waiting for the first line"]


def test_brackets_in_an_event_are_no_markup() -> None:
    view = LiveView()
    view.report(Told("/srv/[red]run.jsonl", "started", {}))
    assert any("[red]run.jsonl" in line for line in picture(view))
