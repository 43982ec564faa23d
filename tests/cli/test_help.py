"""The help of a verb: few options in one list, many under headings, those of `config show` for settings."""

from __future__ import annotations

import re

import pytest
import typer

from memcli import options
from memcli.cli import app
from memcli.settings import KEYS
from tests.cli.command import memcli

PROGRAM = typer.main.get_command(app)
MANY = ["watch", "compact", "update"]


def headings(verb: str) -> list[str]:
    return re.findall(r"^(\w[\w ]*):$", memcli(verb, "--help").out, re.MULTILINE)


def test_few_options_stand_in_one_list():
    assert headings("show") == headings("stop") == ["Arguments", "Options"]


@pytest.mark.parametrize("verb", MANY)
def test_many_options_stand_under_headings_in_their_order(verb):
    found = headings(verb)
    assert found[0] == "Arguments"
    assert found[1:] == [one for one in options.HEADINGS if one in found]
    assert found[-1] == "Output"


@pytest.mark.parametrize("verb", MANY)
def test_no_option_is_left_out_and_none_stands_twice(verb):
    shown = re.findall(r"^  (?:-\w, )?(--[\w-]+)", memcli(verb, "--help").out, re.MULTILINE)
    declared = [
        max(one.opts, key=len) for one in PROGRAM.commands[verb].params if one.opts[0][0] == "-" and not one.hidden
    ]
    assert sorted(shown) == sorted([*declared, "--help"])


def test_a_setting_stands_under_the_heading_that_config_show_gives_it():
    given = {
        (verb, one.name): one.rich_help_panel
        for verb in MANY
        for one in PROGRAM.commands[verb].params
        if one.name in KEYS
    }
    assert given == {(verb, name): KEYS[name].heading for verb, name in given}


def test_an_argument_is_shown_by_its_name_alone():
    """Typer adds the type as Python writes it."""
    assert "[PATH]..." in memcli("watch", "--help").out
    assert "\n  PATH  Transcripts" in memcli("watch", "--help").out


def test_config_show_has_a_heading_for_every_setting(tmp_path):
    lines = memcli("config", "show", cwd=tmp_path).out.splitlines()
    assert [line[:-1] for line in lines if line[0] != " "] == list(dict.fromkeys(key.heading for key in KEYS.values()))
    assert [line.split()[0].replace("-", "_") for line in lines if line[0] == " "] == list(KEYS)
