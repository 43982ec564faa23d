"""Settings on their way to the verbs, and what is said before the first file is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.commands.config_show import config_show
from memcli.errors import Usage
from memcli.making import setup
from memcli.session import Triggers
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without settings of anybody."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_said_gives_the_triggers_that_are_documented() -> None:
    assert setup.triggers(setup.load({})) == Triggers()


def test_what_is_said_reaches_the_triggers() -> None:
    said = {
        "init_tokens": 1,
        "update_tokens": 2,
        "update_tool_calls": 3,
        "min_update_tokens": 4,
        "every_turn": True,
        "context_limit": 5,
        "budget": 6_000,
    }
    assert setup.triggers(setup.load(said)) == Triggers(1, 2, 3, 4, every_turn=True, context_limit=5, budget=6_000)


def test_the_command_line_goes_before_the_environment_and_that_before_the_project(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "memcli.toml").write_text("budget = 3000\ninit-tokens = 3\nupdate-tokens = 33\n")
    monkeypatch.setenv("MEMCLI_BUDGET", "5000")
    monkeypatch.setenv("MEMCLI_INIT_TOKENS", "5")
    found = setup.triggers(setup.load({"budget": 7_000, "init_tokens": None}))
    assert (found.budget, found.init_tokens, found.update_tokens) == (7_000, 5, 33)


def test_a_growth_that_nobody_asked_for_is_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert setup.triggers(setup.load({})).min_update_tokens == 0
    monkeypatch.setenv("MEMCLI_MIN_UPDATE_TOKENS", "700")
    assert setup.triggers(setup.load({})).min_update_tokens == 700


def test_an_unknown_setting_is_warned_of_unless_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEMCLI_BUDGETT", "1")
    setup.load({}, quiet=True)
    assert capsys.readouterr() == ("", "")
    setup.load({})
    assert capsys.readouterr().err == "memcli: unknown setting MEMCLI_BUDGETT; did you mean MEMCLI_BUDGET?\n"


def test_a_value_that_makes_no_sense_stops_the_verb() -> None:
    with pytest.raises(Usage, match="budget must be a whole number of at least 2000"):
        setup.load({"budget": 10})


def test_a_place_beside_the_transcript_is_no_news(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup.announce(Place.of(here / "run.jsonl"))
    assert capsys.readouterr() == ("", "")


def test_a_place_elsewhere_is_announced_until_it_is_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".memcli").touch()
    place = Place.of(here / "run.jsonl")
    setup.announce(place, quiet=True)
    setup.announce(place)
    assert capsys.readouterr().err == f"memcli: {here} cannot be written: the memory is kept in {place.sidecar}\n"
    place.claim()
    setup.announce(place)
    assert capsys.readouterr().err == ""


def test_config_show_tells_value_and_origin_of_every_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEMCLI_EVERY_TURN", "yes")
    assert config_show(as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines if line.startswith("  ")}

    assert rows["every-turn"] == ["true", "MEMCLI_EVERY_TURN"]
    assert rows["budget"] == ["4000", "default"]
    assert rows["on-limit"] == ["-", "default"]
