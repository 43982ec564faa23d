"""What `memcli history` lists, and what it says of memories that are not kept any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memcli.commands.history import history
from memcli.sidecar.generations import RECENT, Generations
from tests.sidecar.builders import a_long_life, a_store, a_transcript

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return a_transcript(tmp_path)


@pytest.fixture
def generations(run: Path) -> Generations:
    """Of a long life, before any was thinned out."""
    return a_long_life(a_store(run).place.sidecar, RECENT + 4)


def listed(run: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The first words of each line, without the heading."""
    assert history(run, as_json=False) == 0
    return [" ".join(line.split()[:4]) for line in capsys.readouterr().out.splitlines()[1:]]


def numbers(run: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[int, int]]:
    assert history(run, as_json=True) == 0
    found = map(json.loads, capsys.readouterr().out.splitlines())
    return [(one["n"], one["thinned"]) for one in found]


def test_what_was_thinned_out_is_said_where_it_stood(
    run: Path, generations: Generations, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not any("thinned" in line for line in listed(run, capsys))
    generations.thin("")
    lines = listed(run, capsys)
    assert [line.split()[0] for line in lines[:5]] == ["1", "2", "...", "4", "5"]
    assert lines[2] == "... 1 thinned out"


def test_the_report_counts_them(run: Path, generations: Generations, capsys: pytest.CaptureFixture[str]) -> None:
    generations.thin("")
    assert numbers(run, capsys)[:4] == [(1, 0), (2, 0), (4, 1), (5, 0)]


def test_one_that_is_damaged_was_not_thinned_out(
    run: Path, generations: Generations, capsys: pytest.CaptureFixture[str]
) -> None:
    generations.thin("")
    for n in (2, 5):
        (a_store(run).place.sidecar / f"generations/{n}.json").write_bytes(b"{")
    assert numbers(run, capsys)[:3] == [(1, 0), (4, 1), (6, 0)]
