"""Files: every file that was written, with its last state, newest first; why it was changed comes from the pool.

A file is never left out for want of room before it was tried to name it on a line that it shares with others of its
folder: names are worth more than what is said of them.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from memcli.ledger.prose import TELLING, telling
from memcli.ledger.shell import is_scratch
from memcli.memory import labels
from memcli.memory.budget import Line
from memcli.memory.sections import FILES
from memcli.memory.shown import shown_path

if TYPE_CHECKING:
    from memcli.ledger.files import File
    from memcli.ledger.ledger import Ledger
    from memcli.memory.budget import Groups

    Named = list[tuple[str, File]]

MANY = 15  # files from which those that tell nothing are gathered
PLAIN_WRITES = 2  # changes of a file that may have been passed by
SCRATCH_FOLDER = 40  # characters of a folder that will be gone soon
TOGETHER = 3  # such files of one folder that stand on one line


def files(ledger: Ledger, share: int) -> Groups:
    """The section's groups: files with a line each, then those that share lines, last those that hardly matter."""
    root = ledger.state.commits.root
    known = list(reversed(ledger.state.files.written.items()))
    aside = _aside(known)
    newest = [(path, file) for path, file in known if path not in aside]
    plain = _plain(newest, root) if len(newest) > MANY else set()
    newest = [one for one in newest if one[0] not in plain]
    gathered = _packed([(path, file) for path, file in known if path in plain], root)
    last = _packed([(path, file) for path, file in known if path in aside], root)
    for line in last:
        line.order += len(known)
    lines = [Line(FILES, labels.WRITTEN, file_line(path, file, root), -file.last) for path, file in newest]
    fit = _that_fit(lines, share)
    if fit == len(lines):
        return [(lines, share), (gathered, share), (last, share // 4)]
    fit = min(fit, int(fit * 0.7) + 1)
    rest = sum(len(posixpath.basename(path)) + 30 for path, _ in newest[fit:])
    packed = _packed(newest[fit:], root) + gathered
    return [(lines[:fit], share), (packed, rest + share), (last, share // 4)]


def file_line(path: str, file: File, root: str) -> str:
    """A file with its last state."""
    name = shown_path(path, root)
    moved = f" (moved from {_origin(file.source, path, root)})" if file.source else ""
    often = f", {min(file.writes, 99)} times" if file.writes > 1 and file.state == "modified" else ""
    return f"- {name} — {file.state}{often}{moved}"


def _origin(source: str, path: str, root: str) -> str:
    """Where a file came from: the folder alone if the name is the same, without the folders both have in common."""
    old, new = shown_path(source, root), shown_path(path, root)
    folder, other = posixpath.dirname(old), posixpath.dirname(new)
    if not folder or posixpath.basename(old) != posixpath.basename(new):
        return old
    common = posixpath.commonpath([folder, other]) if folder.startswith("/") == other.startswith("/") else ""
    above = posixpath.dirname(common)
    return f"{folder.removeprefix(above + '/') if above else folder}/"


def _aside(known: Named) -> set[str]:
    """What stands together in few lines: old places of what was moved, scratch files, what git or others alone told."""
    moved = {file.source for _, file in known}
    return {
        path
        for path, file in known
        if not file.writes or is_scratch(path) or (file.state == "deleted" and path in moved)
    }


def _plain(known: Named, root: str) -> set[str]:
    """Files of which only the state is known, if there are several in a folder: a line each would tell nothing more."""
    plain: dict[tuple[str, str], list[str]] = {}
    for path, file in known:
        said = file.about or file.source or any(telling(touch.why) >= TELLING for touch in file.touches)
        if not said and file.writes <= PLAIN_WRITES:
            plain.setdefault((file.state, posixpath.dirname(shown_path(path, root))), []).append(path)
    return {path for paths in plain.values() if len(paths) >= TOGETHER for path in paths}


def _packed(known: Named, root: str) -> list[Line]:
    """Files too many for a line each: one line for each folder and state."""
    folders: dict[tuple[str, str], list[str]] = {}
    for path, file in known:
        state = f"{file.state} by a {file.by}" if file.by else file.state
        folder = posixpath.dirname(shown_path(path, root))
        if is_scratch(path) and len(folder) > SCRATCH_FOLDER:
            folder = f"…/{posixpath.basename(folder)}"
        folders.setdefault((state, folder), []).append(posixpath.basename(path))
    return [
        Line(FILES, labels.WRITTEN, f"- {state} in {folder or 'the root'}: {', '.join(names)}", 1 + place)
        for place, ((state, folder), names) in enumerate(folders.items())
    ]


def _that_fit(lines: list[Line], room: int) -> int:
    """How many of the lines fit in so many characters."""
    fit = 0
    while fit < len(lines) and (room := room - len(lines[fit].text) - 1) > 0:
        fit += 1
    return fit
