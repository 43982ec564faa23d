"""`memcli watch`: follow transcripts until stopped.

Where nobody looks at a terminal the process is replaced by one that holds nothing but the daemon: no typer, no
pydantic, no rich. It keeps its process id, so whoever started it can still wait for it and signal it.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from memcli.commands.target import target
from memcli.errors import NoTranscript, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from memcli.settings import Loaded
    from memcli.watch.daemon import Orders


PROJECT_FILES = ("memcli.toml", "pyproject.toml")

REST_SECONDS = 3600.0
"""A watcher that a hook has started ends after so long without a live session; the next session starts another."""


class Live(NamedTuple):
    """Which live sessions of a host are followed: those of `project` (the current directory if None), or `all`.

    `hosts`: as asked for; there can be one. `hook`: a hook of it has started us, and nobody reads what we say.
    """

    hosts: tuple[str, ...] = ()
    project: Path | None = None
    all: bool = False
    hook: bool = False

    @property
    def host(self) -> str:
        """The host; "" for none."""
        return "".join(self.hosts[:1])


def watch(
    paths: list[Path],
    overrides: Mapping[str, object],
    live: Live,
    *,
    metrics: str | None = None,
    as_json: bool = False,
    quiet: bool,
    verbose: bool,
) -> int:
    """The exit code of the daemon: 130 or 143 when stopped. Raises AlreadyWatched, NoTranscript, Usage."""
    if not (paths or live.host or live.project or live.all):
        paths = [target(None, "watch", quiet=quiet)]
    project = checked(paths, live)
    from msgspec.structs import replace

    rest = REST_SECONDS if live.hook else 0.0
    told = replace(
        _orders(paths, overrides, live, quiet=quiet),
        host=live.host,
        project=project,
        rest=rest,
        metrics=metrics,
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )
    if as_json or not sys.stderr.isatty():
        from msgspec.json import encode

        # -P: what lies in the current directory is not taken for a module of ours, here and below.
        daemon = [sys.executable, "-P", "-m", "memcli.watch.daemon", encode(told).decode()]
        os.execv(sys.executable, daemon)  # noqa: S606 - ourselves, as another program
    from memcli.watch.daemon import loop_of, reporter

    if quiet:
        return loop_of(told, reporter(quiet=True, verbose=verbose)).run()
    from memcli.ui.live import LiveView

    view = LiveView()
    loop = loop_of(told, view.report)
    with view.showing(loop):
        return loop.run()


def checked(paths: list[Path], live: Live) -> str:
    """The project whose sessions are followed, as in `Orders`. Raises NoTranscript, Usage if this cannot be watched."""
    project = _project(live)
    for path in paths:
        _check(path)
    return project


def _orders(paths: list[Path], overrides: Mapping[str, object], live: Live, *, quiet: bool) -> Orders:
    """What the daemon is to do by the settings. Raises Usage."""
    from memcli.making import setup, writer
    from memcli.making.orders import orders

    chosen = setup.load(overrides, quiet=quiet)
    if live.hook and not _names_writer(chosen):
        # Free, so it may be level with every turn: the client may compact at any.
        chosen = setup.load({"every_turn": True, **overrides, "backend": "embedded"}, quiet=quiet)
    who = writer.chosen(chosen.settings)
    return orders(paths, chosen.settings, setup.triggers(chosen, write=who.writes), who)


def _project(live: Live) -> str:
    """The directory whose sessions are followed, "" for all or none. Raises Usage, NoTranscript."""
    if len(live.hosts) > 1:
        raise Usage("one watcher follows one host", f"memcli watch --{live.host}")
    if not live.host:
        if live.project or live.all:
            raise Usage(
                "--project and --all go with --claude-code, --codex, --pi or --openclaw",
                "memcli watch --claude-code --all",
            )
        return ""
    if live.project and live.all:
        raise Usage("--project and --all ask for different sessions", f"memcli watch --{live.host} --all")
    if live.project and not live.project.is_dir():
        raise NoTranscript(f"no such directory: {live.project}", f"memcli watch --{live.host} --all")
    from memcli.hosts.known import named  # here, not above: mostly paths are watched

    host = named(live.host)
    if why := host.kept_elsewhere():
        raise NoTranscript(why, host.export)
    return "" if live.all else os.path.realpath(live.project or os.curdir)


def _names_writer(chosen: Loaded) -> bool:
    """True if the user's own settings name who writes. A key that lies in the environment for another program, or a
    word in a project's file, is no wish to pay for a watcher that nobody sees."""
    named = chosen.settings.backend != "auto" and os.path.basename(chosen.origins["backend"]) not in PROJECT_FILES
    return named or bool(chosen.settings.command or chosen.settings.summarizer)


def _check(path: Path) -> None:
    """A named file may still be missing, but its directory must be there."""
    if path.exists():
        return
    if str(path) == "-":
        raise Usage("stdin cannot be watched: it is compacted at its end", "memcli compact --help")
    from memcli.agent.place import check_place

    check_place(path)
