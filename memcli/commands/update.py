"""`memcli update`: bring the memory up to date once, or (`--check`) only tell whether it is."""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING

from memcli.commands.reports import Check, Update
from memcli.commands.source import laid_out
from memcli.commands.standing import standing_of
from memcli.commands.target import target
from memcli.errors import AlreadyWatched, IsDirectory
from memcli.making import setup, writer
from memcli.sidecar.lock import freed
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import ask
from memcli.watch.keeper import Keeper
from memcli.watch.once import Updated, update_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def update(
    path: Path | None,
    overrides: Mapping[str, object],
    *,
    check: bool,
    line: int | None = None,
    as_json: bool = False,
    quiet: bool,
    verbose: bool = False,
) -> int:
    """Exit code 0; with `check` 0 if the memory is current, else MemoryStale, MemoryForeign or NoMemory is raised.

    With `as_json` one report on stdout instead of sentences on stderr; a check's also where it then raises.
    """
    quiet = quiet or as_json
    transcript = target(path, "update", quiet=quiet)
    if transcript.is_dir():
        raise IsDirectory(f"{transcript} is a directory", f"memcli watch {shlex.quote(str(transcript))}")
    if check:
        return _check(transcript, as_json=as_json)
    chosen = setup.load(overrides, quiet=quiet)
    who = writer.chosen(chosen.settings)
    place = Place.of(transcript)
    keeper = Keeper(place, setup.triggers(chosen, write=who.writes), laid_out(transcript, place, line))
    setup.announce(place, quiet=quiet)
    try:
        _open(keeper, chosen.settings.wait)
    except AlreadyWatched as error:
        _ask_daemon(keeper, error, chosen.settings.wait, quiet=quiet)
        if as_json:
            print(_report_of_daemon(keeper.place).to_line())
        return 0
    try:
        done = update_once(
            keeper, who.argv, accounts=who.accounts, patience=who.patience, progress=_progress(verbose=verbose)
        )
    finally:
        keeper.close()
    if as_json:
        print(_report(keeper, done).to_line())
    elif not quiet:
        _tell(keeper, done, verbose=verbose)
    return 0


def _check(transcript: Path, *, as_json: bool) -> int:
    found = standing_of(transcript)
    if as_json:
        report = Check(
            transcript=str(found.place.transcript),
            memory=str(found.place.memory),
            state=found.state,
            messages=found.session.messages,
            covered_messages=found.covered,
        )
        print(report.to_line(), flush=True)
    found.require_current()
    return 0


def _open(keeper: Keeper, patience: float) -> None:
    """Take the lock. Another verb that has it is waited for: it ends soon. Raises AlreadyWatched."""
    deadline = time.monotonic() + patience
    while True:
        try:
            keeper.open("update", time.time())
        except AlreadyWatched as error:
            if error.daemon or not freed(keeper.place.lock, deadline - time.monotonic()):
                raise
        else:
            return


def _ask_daemon(keeper: Keeper, watched: AlreadyWatched, patience: float, *, quiet: bool) -> None:
    """A daemon holds the lock: it folds, we wait."""
    if not watched.daemon:
        raise watched
    if not quiet:
        print(f"memcli: waiting for the update in flight (process {watched.pid})", file=sys.stderr)
    sentence = ask.ask(keeper.place.sidecar, watched.pid, patience, keeper.place.transcript)
    if not quiet:
        print(f"memcli: {Place.of(keeper.place.transcript).memory} {sentence}", file=sys.stderr)


def _progress(*, verbose: bool) -> Callable[[str], object]:
    return (lambda sentence: print(f"memcli: {sentence}", file=sys.stderr)) if verbose else (lambda _: None)


def _tell(keeper: Keeper, done: Updated, *, verbose: bool) -> None:
    for warning in done.warnings:
        print(f"memcli: {warning}", file=sys.stderr)
    session = keeper.session
    assert session is not None
    head = keeper.head
    if head is None:
        print(f"memcli: nothing can be covered yet: {session.messages} messages, no closed round", file=sys.stderr)
        return
    made = f"generation {done.generation.n}" if done.generation else "already current"
    covered = head.messages - head.tail_messages
    print(f"memcli: {keeper.place.memory}: {made}, covers {covered} of {head.messages} messages", file=sys.stderr)
    for line in problems(session.reader.problems):
        print(f"memcli: {line}", file=sys.stderr)
    if verbose:
        print(f"memcli: context is {session.reading}", file=sys.stderr)


def _report(keeper: Keeper, done: Updated) -> Update:
    session, head = keeper.session, keeper.head
    assert session is not None
    return Update(
        transcript=str(keeper.place.transcript),
        memory=str(keeper.place.memory),
        generation=head.generation if head else None,
        changed=done.generation is not None,
        messages=session.messages,
        covered_messages=head.messages - head.tail_messages if head else 0,
        warnings=done.warnings,
        problems=dict(session.reader.problems),
    )


def _report_of_daemon(place: Place) -> Update:
    """What the daemon left: the head that is committed now."""
    place = Place.of(place.transcript)
    head = Store(place).head()
    return Update(
        transcript=str(place.transcript),
        memory=str(place.memory),
        generation=head.generation if head else None,
        changed=None,
        messages=head.messages if head else 0,
        covered_messages=head.messages - head.tail_messages if head else 0,
        warnings=(),
        problems={},
    )


def problems(counted: Mapping[str, int]) -> list[str]:
    """What could not be read, a sentence each."""
    return [f"{count} x {name}" for name, count in sorted(counted.items())]
