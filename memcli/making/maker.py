"""How `compact` makes a memory that is not there: at once from the ledger, or (`--fresh`) by a model, waited for."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import msgspec

from memcli.making import setup
from memcli.memory.fitting import rendered
from memcli.watch.taking import Maker

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from memcli.making.writer import Writer
    from memcli.memory.jobs import Job, Result
    from memcli.watch.children import Progressed


def maker(
    overrides: Mapping[str, object],
    sidecar: Path | None,
    *,
    fresh: bool,
    quiet: bool,
    given_up: threading.Event | None = None,
) -> Maker:
    """The maker of these settings. Only a fresh memory is worth waiting for; without a model it is folded anew.

    `sidecar`: where the costs are put down, None for nowhere. Once `given_up` is set no model is waited for any more:
    its process is ended, and the memory is folded. Raises Usage for a backend that cannot work.
    """
    loaded = setup.load(overrides, quiet=quiet)
    if not fresh:
        return Maker(setup.triggers(loaded))
    from memcli.making import writer  # it loads what starts processes

    who = writer.chosen(loaded.settings)
    if not who.writes:
        return Maker(setup.triggers(loaded))
    triggers = msgspec.structs.replace(setup.triggers(loaded, write=True), strategy="traditional")
    return Maker(triggers, _Asker(who, sidecar, given_up, quiet=quiet).answer, asks=True)


class _Asker:
    """Asks the summarizer child and waits, saying so on stderr."""

    def __init__(self, who: Writer, sidecar: Path | None, given_up: threading.Event | None, *, quiet: bool) -> None:
        self._who = who
        self._sidecar = sidecar
        self._given_up = given_up
        self._quiet = quiet

    def answer(self, job: Job) -> Result:
        if not job.write:
            return rendered(job)
        accounts = self._who.accounts
        assert accounts is not None
        grant = accounts.granted(job, time.time(), asked=True)
        if grant.refused:
            self._say(f"no model was asked: {grant.refused}")
            return rendered(job)
        self._say(f"waiting for {self._who.name}")
        started = time.monotonic()

        def heard(far: Progressed) -> None:
            if far.most is not None:
                accounts.bounded(far.most, time.time())
            self._say(far.sentence)

        from memcli.watch.children import Asking, GivenUp

        child = Asking(self._who.argv, self._who.patience, heard, self._given_up)
        try:
            result = child.ask(grant.job)
            accounts.settled(self._sidecar, grant, result, time.time())
        except GivenUp:
            return rendered(job)  # a sidecar that was cleared for the new memory is not left without any
        finally:
            child.close()
            accounts.dropped(time.time())
        problem = result.error or (result.failure.sentence if result.failure else "")
        outcome = f"failed ({problem}); the memory was folded from the transcript" if problem else "answered"
        self._say(f"{self._who.name} {outcome} after {time.monotonic() - started:.1f} s")
        return rendered(job) if result.error else result

    def _say(self, sentence: str) -> None:
        if not self._quiet:
            print(f"memcli: {sentence}", file=sys.stderr)
