"""Our part of a client's configuration: the hooks in its settings, and a slash command in a file of its own.

    <place>/settings.json          two hooks, inserted; all else stays byte for byte
    <place>/commands/memcli.md     the slash command, if no file of that name is there

What was inserted, and which directories were made, is noted in the user's state directory, so that `uninstall` leaves
every byte as it was. Without the note (lost, or of another machine) our hooks are found by their command.

Each file is written whole, beside its place, and renamed; a symlink is followed, the mode stays. Dying between two
files leaves hooks without the slash command, or without the note: repeating the verb finishes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from memcli.errors import TryAgain, Usage
from memcli.hosts import hooks_in_settings
from memcli.hosts.hook import EVENTS
from memcli.hosts.hooks_in_settings import Added, Edit
from memcli.sidecar import files
from memcli.userdirs import state_dir

if TYPE_CHECKING:
    from collections.abc import Callable

Read = TypeVar("Read")

TIMEOUT_SECONDS = 10
"""After which the client goes on without a hook's answer, should one ever hang."""

SLASH = """\
---
description: Session memory - how full the context is, and a compacted session to go on in
allowed-tools: Bash(memcli status:*), Bash(memcli compact:*)
---
How this conversation and its memory stand:

!`memcli status`

A compacted copy of this session (the conversation itself is unchanged):

!`memcli compact --session`

Tell me in two lines how full the context is and the command above that resumes the compacted copy. Do nothing else.
"""

_NAMES = {"session-start": "SessionStart", "pre-compact": "PreCompact"}
_OURS = re.compile(rf"memcli['\"]? hook (?:{'|'.join(EVENTS)})\b")


class Note(NamedTuple):
    """What an installation inserted, if it made the file, and which directories it made."""

    edits: tuple[Edit, ...] = ()
    created: bool = False
    directories: tuple[str, ...] = ()


class Change(NamedTuple):
    """What becomes of one file: its text before and after, None where it is not there."""

    path: Path
    before: str | None
    after: str | None

    @property
    def kind(self) -> Literal["made", "changed", "removed"]:
        """What that is in a word."""
        return "made" if self.before is None else "removed" if self.after is None else "changed"


class Plan(NamedTuple):
    """The changes to make, and what is then to be noted (None: nothing is installed any more)."""

    changes: tuple[Change, ...]
    note: Note | None


class Installation:
    """Our part of the configuration that lies in `place` (a `.claude` directory)."""

    def __init__(self, place: Path) -> None:
        self.settings = Path(os.path.realpath(place / "settings.json"))
        self.slash = Path(os.path.realpath(place / "commands" / "memcli.md"))
        key = hashlib.blake2b(os.fsencode(self.settings), digest_size=12).hexdigest()
        self._record = state_dir() / "installed" / f"{key}.json"

    def to_install(self) -> Plan:
        """The plan to install; no changes if all is there. Raises Usage for settings that cannot be edited."""
        text, note = _read(self.settings), self._note()
        changes = []
        hooks = {_NAMES[event]: handler(event) for event in EVENTS}
        if not _stand_in(self._understood(hooks_in_settings.commands, text or ""), hooks):
            base = self._without(text, note)
            fresh: Added = self._understood(lambda known: hooks_in_settings.added(known, hooks), base or "")
            changes.append(Change(self.settings, text, fresh.text))
            note = Note(fresh.edits, created=base is None)
        if _read(self.slash) is None:
            changes.append(Change(self.slash, None, SLASH))
        note = note or Note()
        made = [*note.directories, *(str(path) for change in changes for path in _missing(change.path.parent))]
        return Plan(tuple(changes), note._replace(directories=tuple(dict.fromkeys(made))))

    def to_uninstall(self) -> Plan:
        """The plan to take everything of ours out; no changes if nothing is there. Raises Usage as `to_install`."""
        text, slash = _read(self.settings), _read(self.slash)
        after = self._without(text, self._note())
        changes = [Change(self.settings, text, after)] if after != text else []
        if slash == SLASH:
            changes.append(Change(self.slash, slash, None))
        return Plan(tuple(changes), None)

    def carry_out(self, plan: Plan) -> None:
        """Write, and note it. Raises OSError; TryAgain where a file is not the one that the plan was made for, as the
        client may write its settings while a person reads the plan."""
        for change in plan.changes:
            if _read(change.path) != change.before:
                raise TryAgain(f"{change.path} was changed meanwhile", "memcli install claude-code --dry-run")
        for change in plan.changes:
            _write(change)
        if plan.note is not None:
            self._record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write_atomic(self._record, json.dumps({"schema": "memcli.installed/1", **_plain(plan.note)}).encode())
            return
        for directory in sorted((self._note() or Note()).directories, key=len, reverse=True):  # innermost first
            with contextlib.suppress(OSError):  # somebody else's files are in it
                os.rmdir(directory)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # the latter where there is no state at all
            self._record.unlink()

    def _without(self, text: str | None, note: Note | None) -> str | None:
        """The settings without our hooks; None if we made the file and nothing else is in it."""
        if text is None:
            return None
        before = hooks_in_settings.undone(text, note.edits) if note else None
        if before is None or not self._lacks_only_ours(before, text):
            before = self._understood(lambda known: hooks_in_settings.removed(known, _is_ours), text)
        created = note.created if note else text == hooks_in_settings.added("", _own_hooks()).text
        return None if created and before.strip() in ("", "{}") else before

    def _lacks_only_ours(self, before: str, text: str) -> bool:
        """True if `before` holds the same hooks as `text`, but for ours."""
        try:
            kept = hooks_in_settings.commands(before)
        except ValueError:
            return False
        found = self._understood(hooks_in_settings.commands, text)
        return all(
            kept.get(event, []) == [command for command in found.get(event, []) if not _is_ours(command)]
            for event in {*kept, *found}
        )

    def _understood(self, read: Callable[[str], Read], text: str) -> Read:
        """What `read` makes of the settings. Raises Usage where it cannot."""
        try:
            return read(text)
        except ValueError as error:
            name = shlex.quote(str(self.settings))
            raise Usage(f"{self.settings} cannot be edited: {error}", f"python3 -m json.tool {name}") from error

    def _note(self) -> Note | None:
        data = files.read(self._record)
        try:
            said = json.loads(data or b"")
            edits = tuple(Edit(int(offset), str(text)) for offset, text in said["edits"])
            return Note(edits, bool(said["created"]), tuple(map(str, said["directories"])))
        except (ValueError, KeyError, TypeError):
            return None


def handler(event: str) -> dict[str, object]:
    """The hook of an event, as it stands in the settings. Where memcli is gone, it says nothing and fails nothing."""
    program = _program()
    command = f"command -v {program.split(' -P ')[0]} >/dev/null && {program} hook {event} || true"
    return {"type": "command", "command": command, "timeout": TIMEOUT_SECONDS}


def _own_hooks() -> dict[str, dict[str, object]]:
    return {_NAMES[event]: handler(event) for event in EVENTS}


def _program() -> str:
    """What starts this memcli: its name where that finds it, else its path."""
    own = Path(sys.executable).parent
    found = shutil.which("memcli")
    if found and own in (Path(found).parent, Path(os.path.realpath(found)).parent):
        return "memcli"
    script = own / "memcli"
    return shlex.quote(str(script)) if script.exists() else f"{shlex.quote(sys.executable)} -P -m memcli"


def _is_ours(command: str) -> bool:
    return _OURS.search(command) is not None


def _stand_in(found: dict[str, list[str]], hooks: dict[str, dict[str, object]]) -> bool:
    """True if each hook is there once, and no other one of ours."""
    ours = {event: [command for command in listed if _is_ours(command)] for event, listed in found.items()}
    return {event: listed for event, listed in ours.items() if listed} == {
        event: [hook["command"]] for event, hook in hooks.items()
    }


def _read(path: Path) -> str | None:
    """The text of a file, any bytes; None if there is none."""
    data = files.read(path)
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _write(change: Change) -> None:
    if change.after is None:
        change.path.unlink()
        return
    change.path.parent.mkdir(parents=True, exist_ok=True)
    with files.temporary(change.path, change.after.encode("utf-8", "surrogateescape"), mode=0o644) as fresh:
        if change.before is not None:
            fresh.chmod(change.path.stat().st_mode & 0o7777)
        os.replace(fresh, change.path)
    files.sync_directory(change.path.parent)


def _missing(directory: Path) -> list[Path]:
    """The directories to make for this one, innermost first."""
    return [path for path in (directory, *directory.parents) if not path.exists()]


def _plain(note: Note) -> dict[str, object]:
    return {"edits": [list(edit) for edit in note.edits], "created": note.created, "directories": note.directories}
