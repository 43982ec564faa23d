from __future__ import annotations

import re
import subprocess
import sys

import pytest

from memcli import errors
from memcli.errors import SUPPORTED, AlreadyWatched, MemcliError, NotATranscript


def every_error() -> list[type[MemcliError]]:
    found = [MemcliError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


def test_the_drawing_shows_every_error_with_its_exit_code() -> None:
    drawn = dict(re.findall(r"^[ │├└─]*(\w+) +(\d+)\b", errors.__doc__ or "", re.MULTILINE))
    assert {name: int(code) for name, code in drawn.items()} == {kind.__name__: kind.code for kind in every_error()}


@pytest.mark.parametrize("kind", every_error())
def test_every_error_prints_a_sentence_and_a_command(kind: type[MemcliError]) -> None:
    lines = str(kind("it went wrong", "memcli doctor")).splitlines()
    assert lines[0].startswith("Error: it went wrong")
    assert lines[1] == "Try: memcli doctor"


def test_what_is_no_transcript_is_told_what_would_be_one() -> None:
    assert str(NotATranscript("a.png is a picture")).count(SUPPORTED) == 1
    assert str(NotATranscript(f"a.png is a picture; {SUPPORTED}")).count(SUPPORTED) == 1


def test_a_refusal_by_the_lock_knows_the_process() -> None:
    assert AlreadyWatched("run.jsonl is watched", pid=77).pid == 77
    assert AlreadyWatched("run.jsonl is watched").pid == 0


def test_the_errors_cost_the_instant_route_nothing() -> None:
    look = "import sys; before = set(sys.modules); import memcli.errors; print(sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['memcli', 'memcli.errors']"
