"""What the user wrote into the Markdown of one sidecar: each text whole, and none of them ever lost.

    edits/<name>.new      until a generation has taken it in; the name is that of its content
    edits/<name>.md       after that, the last ones
    edits/older.md.gz     those before, each below a line that names it: `zcat` shows them

An editor that saves by itself, or a program that formats what it finds, makes a text a second, and each differs from
the one before in a few words: packed one behind the other a text takes a hundred bytes or so, not sixteen thousand. So
what lies here grows with what is typed, not with how often it is saved.

What a crash leaves: before the rename of the archive, the old one; after it, texts that stand in it and beside it. The
next time those are not packed again, only removed: they are all in its last part, so no other is read. An archive whose
last part cannot be read is left alone, and nothing is packed.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from typing import TYPE_CHECKING, Literal, NamedTuple

from memcli.sidecar import files

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 32
"""So many texts that were taken in stay files of their own at least; as many more may come before they are packed."""

ARCHIVE = "older.md.gz"
_PART = b"\x1f\x8b\x08\0\0\0\0\0"
"""How each part begins that was packed at once: gzip, deflated, no flags, no time."""
_TITLE = "##### memcli edit {} #####\n"
_TITLES = re.compile(rb"^##### memcli edit ([0-9a-f]+) #####$", re.MULTILINE)


class Edit(NamedTuple):
    """The whole Markdown as the user left it. `name` is how `Store.publish` is told that it was taken in."""

    name: str
    text: str


class KeptEdits:
    """The edits of one sidecar on disk. Changing them is for the holder of its lock, and raises OSError."""

    def __init__(self, sidecar: Path, disk: files.Disk = files.DISK) -> None:
        self._directory = sidecar / "edits"
        self._disk = disk

    def keep(self, content: bytes, kind: Literal["new", "md"]) -> None:
        """Keep a text: to be taken in, or only to be kept."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        name = hashlib.blake2b(content, digest_size=8).hexdigest()
        files.create(self._directory / f"{name}.{kind}", content, disk=self._disk)

    @property
    def any_wait(self) -> bool:
        """True if a text waits to be taken in."""
        return any(self._directory.glob("*.new"))

    def waiting(self) -> list[Edit]:
        """Those that no generation has taken in yet, oldest first."""
        return [Edit(path.stem, path.read_bytes().decode("utf-8", "replace")) for path in self._found("new")]

    def taken(self, edit: Edit) -> None:
        """A generation has taken it in. Raises FileNotFoundError for one that does not wait."""
        self._disk.replace(self._directory / f"{edit.name}.new", self._directory / f"{edit.name}.md")

    def pack(self) -> None:
        """Put all but the last few that were taken in into the archive, once there are many."""
        found = self._found("md")
        if len(found) <= 2 * KEPT:
            return
        archive, old = self._directory / ARCHIVE, found[:-KEPT]
        before = files.read(archive) or b""
        try:
            last = gzip.decompress(before[before.rfind(_PART) :])
        except (OSError, EOFError, zlib.error):
            return
        packed = {title.decode() for title in _TITLES.findall(last)}
        text = b"".join(_below_title(path) for path in old if path.stem not in packed)
        if text:
            files.write_atomic(archive, before + gzip.compress(text, mtime=0), disk=self._disk)
        for path in old:
            path.unlink()

    def _found(self, kind: str) -> list[Path]:
        return sorted(self._directory.glob(f"*.{kind}"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def _below_title(path: Path) -> bytes:
    content = path.read_bytes()
    return _TITLE.format(path.stem).encode() + content + (b"" if content.endswith(b"\n") else b"\n")
