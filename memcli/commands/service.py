"""`memcli service`: `memcli watch` as a service of this user, kept running by systemd or launchd.

There is one service. What it runs is `memcli watch` with the words that `install` was given; without any, all live
sessions of Claude Code. Everything that is written is one file, and that file is printed first.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from memcli.commands import units
from memcli.errors import MemcliError, NothingThere, TryAgain
from memcli.sidecar import files
from memcli.userdirs import state_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT = ("--claude-code", "--all")
"""What is watched where nothing is said."""

FAILED = 1
NOTHING = 3


class Wish(NamedTuple):
    """What the command line asks for: the words for `watch`; only to print the file; only to write it."""

    words: tuple[str, ...] = ()
    dry_run: bool = False
    no_start: bool = False
    quiet: bool = False
    as_json: bool = False


_Name: TypeAlias = Literal["systemd", "launchd"]


class _Manager(Protocol):
    """A service manager: where its file lies, what stands in it, and how it is told."""

    name: _Name
    path: Path
    rooms: tuple[Path, ...]
    """Directories that must be there for it."""

    def text(self, command: Sequence[str], directory: str) -> str: ...

    def check(self, again: str) -> None:
        """Raises MemcliError if it is not there, or not for this user."""

    def start(self, *, changed: bool) -> None: ...

    def stop(self) -> None: ...

    def forgotten(self) -> None:
        """The file is gone."""

    def state(self) -> str: ...

    def ends(self) -> str:
        """When it ends although nobody stops it, as a sentence for the user; "" if never."""


def install(wish: Wish) -> int:
    """Exit code 0 once the service runs. Repeating it changes nothing. Raises MemcliError, TryAgain."""
    manager = _manager()
    command = (sys.executable, "-P", "-m", "memcli", "watch", *(wish.words or DEFAULT))
    directory = str(Path.cwd() if wish.words else Path.home())
    text = manager.text(command, directory)
    if wish.dry_run:
        _show(manager, text, None, "nothing", as_json=wish.as_json)
        return 0
    if not wish.no_start:
        manager.check(f"memcli service install --dry-run {shlex.join(wish.words)}".rstrip())
    changed = files.read(manager.path) != text.encode()
    if changed:
        if not wish.as_json:
            print(text, end="", flush=True)
        for room in manager.rooms:
            room.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_atomic(manager.path, text.encode(), mode=0o644)
    quiet = wish.quiet or wish.as_json
    _say(quiet, f"{'wrote' if changed else 'nothing to change in'} {manager.path}")
    if not wish.no_start:
        manager.start(changed=changed)
        _say(quiet, f"the service is {manager.state()}; `memcli service status` tells how it is")
        if ends := manager.ends():
            _say(quiet, ends)
    if wish.as_json:
        state = None if wish.no_start else manager.state()
        _show(manager, text, state, "wrote" if changed else "nothing", as_json=True)
    return 0


def uninstall(*, as_json: bool = False, quiet: bool) -> int:
    """Exit code 0 once the service is stopped and its file is gone. Raises NothingThere if there is none."""
    manager = _manager()
    if not manager.path.exists():
        raise NothingThere(f"no service is installed: there is no {manager.path}", "memcli service install --dry-run")
    manager.stop()
    manager.path.unlink()
    manager.forgotten()
    _say(quiet or as_json, f"stopped the service and removed {manager.path}")
    if as_json:
        _show(manager, None, None, "removed", as_json=True)
    return 0


def _show(
    manager: _Manager,
    text: str | None,
    state: str | None,
    done: Literal["wrote", "removed", "nothing"],
    *,
    as_json: bool,
) -> None:
    """Print the unit, or the report of what was done with it."""
    if not as_json:
        print(text or "", end="")
        return
    from memcli.commands.reports import Unit

    print(Unit(manager=manager.name, unit=str(manager.path), done=done, text=text, state=state).to_line())


def status(*, as_json: bool) -> int:
    """Exit code 0 if the service runs, 3 if none is installed, else 1."""
    manager = _manager()
    text = files.read(manager.path)
    state = manager.state() if text is not None else "not installed"
    if as_json:
        from memcli.commands.reports import Service

        report = Service(
            manager=manager.name,
            unit=str(manager.path),
            installed=text is not None,
            state=state,
        )
        print(report.to_line())
    else:
        print(f"{manager.name}: {manager.path}: {state}")
    if text is None:
        return NOTHING
    return 0 if state == "active" else FAILED


def _say(quiet: bool, sentence: str) -> None:
    if not quiet:
        print(f"memcli: {sentence}", file=sys.stderr)


# ------------------------------------------------------------------ managers


def _manager() -> _Manager:
    """The manager of this system. Raises MemcliError where there is neither."""
    if sys.platform == "darwin":
        return _Launchd()
    if shutil.which("systemctl"):
        return _Systemd()
    raise MemcliError(
        "neither systemd nor launchd is here to keep a service running", "nohup memcli watch --claude-code --all &"
    )


def _told(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a program says, with this more in its environment."""
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


class _Systemd:
    """The instance of systemd that belongs to the user."""

    name: _Name = "systemd"

    def __init__(self) -> None:
        config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        self.path = Path(config) / "systemd" / "user" / units.UNIT
        self.rooms: tuple[Path, ...] = (self.path.parent,)
        # After `su` or `sudo -u` nothing names the directory of the user's bus. Where it lies is known: pam_systemd(8).
        runtime = f"/run/user/{os.getuid()}"
        known = bool(os.environ.get("XDG_RUNTIME_DIR")) or not os.path.isdir(runtime)
        self._environment = {} if known else {"XDG_RUNTIME_DIR": runtime}

    def text(self, command: Sequence[str], directory: str) -> str:
        return units.systemd(command, directory)

    def check(self, again: str) -> None:
        ran = self._systemctl("show", "--property=Version")
        if ran.returncode:
            reason = (ran.stderr.strip() or "it does not answer").partition("\n")[0]
            raise MemcliError(f"systemd does not run for this user: {reason}", again)

    def start(self, *, changed: bool) -> None:
        self._must("daemon-reload")
        self._must("enable", units.UNIT)
        self._must("restart" if changed else "start", units.UNIT)

    def stop(self) -> None:
        # Where systemd does not run there is nothing to stop, and the links are removed all the same.
        self._systemctl("disable", "--now", units.UNIT)

    def forgotten(self) -> None:
        # A unit that failed is remembered without its file, until somebody has seen it.
        self._systemctl("reset-failed", units.UNIT)
        self._systemctl("daemon-reload")

    def state(self) -> str:
        ran = self._systemctl("is-active", units.UNIT)
        return ran.stdout.strip() or "unknown: systemd does not run for this user"

    def ends(self) -> str:
        ran = _told("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value")
        if ran.stdout.strip() != "no":
            return ""
        return "it ends with your last login and comes with the next; `loginctl enable-linger` keeps it running"

    def _systemctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _told("systemctl", "--user", *words, **self._environment)

    def _must(self, *words: str) -> None:
        ran = self._systemctl(*words)
        if ran.returncode:
            reason = (ran.stderr.strip() or "no reason given").partition("\n")[0]
            raise TryAgain(f"systemctl {words[0]} failed: {reason}", f"journalctl --user -n 20 -u {units.UNIT}")


class _Launchd:
    """The agents of the user on macOS."""

    name: _Name = "launchd"

    def __init__(self) -> None:
        self.path = Path.home() / "Library" / "LaunchAgents" / f"{units.LABEL}.plist"
        self._log = state_dir() / "log" / "service.log"
        self.rooms: tuple[Path, ...] = (self.path.parent, self._log.parent)
        self._domain = f"gui/{os.getuid()}"

    def text(self, command: Sequence[str], directory: str) -> str:
        return units.launchd(command, directory, str(self._log))

    def check(self, again: str) -> None:
        if not shutil.which("launchctl"):
            raise MemcliError("launchctl is not there", again)

    def start(self, *, changed: bool) -> None:
        if changed:
            self.stop()
        ran = _told("launchctl", "bootstrap", self._domain, str(self.path))
        if ran.returncode and self.state() != "active":
            reason = (ran.stderr.strip() or "no reason given").partition("\n")[0]
            raise TryAgain(f"launchctl bootstrap failed: {reason}", f"launchctl print {self._domain}/{units.LABEL}")

    def stop(self) -> None:
        _told("launchctl", "bootout", f"{self._domain}/{units.LABEL}")

    def forgotten(self) -> None:
        pass  # bootout has done it

    def state(self) -> str:
        ran = _told("launchctl", "print", f"{self._domain}/{units.LABEL}")
        return "active" if "state = running" in ran.stdout else "inactive"

    def ends(self) -> str:
        return ""  # an agent belongs to the login, as everybody expects of it there
