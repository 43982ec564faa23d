"""Who is asked for a memory, and what is left of the asking when nobody waits for it any more."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from memcli.commands.compact import Wish, compact
from memcli.commands.compare import compare
from memcli.commands.update import update
from memcli.making import setup, writer
from memcli.sidecar import spending
from memcli.watch.health import Health
from tests.builders import session_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PRESSES_CTRL_C = "import os, signal, sys\nfor _ in sys.stdin: os.kill(int(sys.argv[1]), signal.SIGINT)"
"""A summarizer that answers nothing: when it is asked, the person who waits has had enough."""

VERBS: dict[str, Callable[[Path, Mapping[str, object]], object]] = {
    "compact": lambda path, given: compact(str(path), Wish(fresh=True, settings=given)),
    "update": lambda path, given: update(path, given, check=False, line=None, as_json=False, quiet=True, verbose=False),
    "compare": lambda path, given: compare(path, given, as_json=False, quiet=True),
}


@pytest.fixture(autouse=True)
def _hears_ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("verb", VERBS)
def test_who_does_not_wait_for_the_model_holds_nothing_of_the_budget(verb: str, tmp_path: Path) -> None:
    program = shlex.join([sys.executable, "-c", PRESSES_CTRL_C, str(os.getpid())])
    given = {"summarizer": program, "model": "claude-haiku-5-5", "max_cost_per_hour": 1.0}
    with pytest.raises(KeyboardInterrupt):
        VERBS[verb](session_file(tmp_path / "run.jsonl"), given)
    accounts = writer.chosen(setup.load(given, quiet=True).settings).accounts
    assert accounts is not None
    assert spending.value_of(accounts.path, Health).held == ()
