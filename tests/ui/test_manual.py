"""Manual pages: one for each verb, and such as those who show them accept."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import typer

from memcli.cli import app
from memcli.ui import manual
from memcli.ui.verbs import Option, Verb, every, tree
from tests.cli.command import memcli

PROGRAM = tree(typer.main.get_command(app))
VERBS = list(every(PROGRAM))


def shown(page: str) -> str:
    """As a reader sees it, in one long line."""
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    ran = subprocess.run(["mandoc", "-T", "ascii"], input=page, capture_output=True, text=True, check=True)
    plain = subprocess.run(["col", "-b"], input=ran.stdout, capture_output=True, text=True, check=True).stdout
    return " ".join(plain.split())


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_page_of_a_verb_is_without_fault_and_holds_all_its_options(verb):
    page = manual.page(verb, VERBS, "2026-01-02")
    text = shown(page)
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style"], input=page, capture_output=True, text=True, check=False
    )
    assert lint.stdout == ""
    assert all(name in text for option in verb.options for name in option.names)
    assert all(option.meaning in text for option in verb.options if len(option.meaning) < 60)
    assert verb.example in text


def test_the_first_page_tells_all_verbs_exit_codes_and_settings():
    text = shown(manual.page(PROGRAM, VERBS, "2026-01-02"))
    assert all(verb.summary[:40] in text for verb in PROGRAM.verbs)
    assert "3 nothing there, 4 memory stale or foreign" in text
    assert "MEMCLI_UPDATE_TOKENS tokens between two updates" in text


def test_options_can_be_copied_from_a_page():
    """A minus is written as one: typeset, a hyphen is another character, which no program takes."""
    assert "\\fB\\-\\-keep\\-turns\\fR \\fIN\\fR" in memcli("man", "compact").out


def test_words_that_look_like_requests_are_words():
    hostile = Option(("-x",), "\\fB", ".SH FORGED\n'br \\(aq ~^`")
    verb = Verb((), "Says. .TH no", "memcli \\n | x", "", (hostile,), ())
    text = shown(manual.page(verb, [verb], "2026-01-02"))
    assert ".SH FORGED 'br \\(aq ~^`" in text
    assert "memcli \\n | x" in text


def test_all_pages_are_written_into_a_directory(tmp_path):
    assert memcli("man", "-o", tmp_path / "man") == (0, "", "")
    assert len(list((tmp_path / "man").iterdir())) == len(VERBS)
    assert (tmp_path / "man" / "memcli-config-show.1").read_text() == memcli("man", "config", "show").out


def test_a_reproducible_build_names_the_day(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert '1 "1970-01-02"' in memcli("man").out


def test_a_page_of_no_verb_is_an_error():
    ran = memcli("man", "nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: there is no verb nonsense\n")
