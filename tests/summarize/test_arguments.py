"""The child's command line, and which backend comes of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from memcli.errors import Usage
from memcli.summarize.__main__ import parsed
from memcli.summarize.backends.choose import choose
from memcli.summarize.options import Options


def test_without_options_nobody_writes() -> None:
    assert parsed([]) == Options()
    assert choose(Options()) is None


def test_every_option_arrives() -> None:
    line = "--backend anthropic --model m --base-url http://h --auth-header x-api-key --api-version 2023-06-01 "
    line += "--dialect compatible --effort high --cache-ttl 1h --timeout 9 --prompt-file p.md --jobs 7"
    assert parsed(line.split()) == Options(
        "anthropic", "m", "http://h", "x-api-key", "2023-06-01", "compatible", "", "", "high", "1h", 9.0, "p.md", 7
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (["--command", "cat"], "command"),
        (["--summarizer", "./mine.py"], "program"),
        (["--backend", "anthropic", "--command", "cat"], "anthropic"),
        (["--backend", "command", "--command", "cat"], "command"),
    ],
)
def test_the_backend_is_the_one_that_was_named_or_that_the_options_are_for(line: list[str], name: str) -> None:
    options = parsed(line)
    chosen = choose(options)
    assert chosen
    assert (options.backend, chosen.name) == (name, name)


@pytest.mark.parametrize(
    "line",
    [
        ["--backend", "auto"],
        ["--backend", "command"],
        ["--backend", "program"],
        ["--base-url", "localhost:11434"],
        ["--jobs", "0"],
        ["--timeout", "0"],
        ["--timeout", "nan"],
        ["--colour"],
        ["jobs.jsonl"],
    ],
)
def test_what_makes_no_sense_is_refused(line: list[str]) -> None:
    with pytest.raises(Usage):
        parsed(line)


@pytest.mark.parametrize("line", [["--command", "'"], ["--summarizer", "'"]])
def test_what_is_no_command_line_is_refused_with_an_example(line: list[str]) -> None:
    with pytest.raises(Usage, match="is no command") as caught:
        parsed(line)
    assert caught.value.hint.startswith(f"memcli summarize {line[0]} ")


@pytest.mark.parametrize("door", [["-m", "memcli.summarize"], ["-m", "memcli", "summarize"]])
def test_both_doors_read_the_same_options(door: list[str]) -> None:
    ran = subprocess.run([sys.executable, *door, "--colour"], capture_output=True, check=False, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "Error: unrecognized arguments: --colour\nTry: memcli summarize --help\n"
