"""Files: every file the session wrote, deleted, moved or read, with its last state; the last writer wins.

A file is known by its whole path; a path relative to an unknown directory is taken for the one known file that ends
so. Only calls that succeeded count. Beside the state stand what the agent said about the last changes, the names the
new text defines and uses, and sentences of the new text that explain something.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import clean, clip
from memcli.ledger.code import by_file, key_names, unnumbered
from memcli.ledger.shell import is_file, is_scratch

if TYPE_CHECKING:
    from memcli.ledger.deeds import Change, Deed

MAX_FILES = 600
MAX_TOUCHES = 10
TOUCH_NAMES = 16
MAX_NAMES = 80
MAX_REMARKS = 8
WHY_LIMIT = 200
READ_SCAN = 8_000  # characters of a printed file that are looked at
READ_NAMES = 12
READ_MAX = 24


class Touch(msgspec.Struct, array_like=True):
    """One purpose with which a file was changed, and the names of the text that came with it."""

    why: str
    names: list[str]
    last: int = 0


class File(msgspec.Struct, array_like=True):
    """What became of one file. `state` is "" for a file that was only read; `source` where it was moved from. `names`
    are told with the event since which they stand there, 0 for those that were only read.
    """

    state: str = ""
    writes: int = 0
    reads: int = 0
    last: int = 0
    source: str = ""
    touches: list[Touch] = []
    names: dict[str, int] = {}
    remarks: list[str] = []
    read_why: str = ""
    changed: int = -1  # event of the last change
    by: str = ""  # who wrote it, if no call of this transcript did
    about: str = ""  # what its text said it is when it was written whole
    made: int = -1  # event at which it was created
    clean: int = -1  # event at which git said that nothing of it waits for a commit
    dirty: int = -1  # event at which git said that something does
    undone: int = -1  # event at which git took back what waited for a commit
    aside: bool = False  # or rather put it aside

    def become(self, state: str, index: int) -> None:
        """It was changed, and this is its state now."""
        if state == "created" and (self.made < 0 or self.state == "deleted"):
            self.made = index
        self.state, self.changed, self.undone = state, index, -1

    @property
    def taken_back(self) -> bool:
        """True if the last changes are in the working tree no more."""
        return self.undone >= max(self.changed, 0)

    def uncommitted(self, last: int) -> bool:
        """True if changes wait for a commit, as far as is known, when the newest one was made at event `last`."""
        if self.taken_back:
            return False
        listed = self.dirty >= max(last, 0) and self.dirty > self.clean
        return listed or self.changed > max(last, self.clean)


class Files(msgspec.Struct, array_like=True):
    """All files by path, the least recently touched first."""

    known: dict[str, File] = {}

    def changed(self, change: Change, deed: Deed, cwd: str, created: bool | None) -> None:
        """A call changed a file. `created` is what the result says of a whole write: new, not new, or nothing."""
        if change.state == "moved":
            self._moved(change, deed.index, cwd)
            return
        if change.state == "deleted" and change.path.endswith("/"):
            self._cleared(self.at(change.path, cwd), deed.index)
            return
        path = self.at(change.path, cwd)
        file = self._touch(path, deed.index)
        file.writes += file.changed != deed.index or not file.writes  # many lines of one script are one change
        file.become(_state_after(file, change.state, created), deed.index)
        file.source = self.at(change.source, cwd) if change.source else file.source
        file.about = change.about or file.about
        _touched(file, clip(deed.why, WHY_LIMIT), change.names, deed.index)
        for remark in change.remarks:
            _remember(file.remarks, remark, MAX_REMARKS)
        for name in reversed(change.names):
            file.names[name] = file.names.pop(name, 0) or deed.index
        while len(file.names) > MAX_NAMES:
            del file.names[next(iter(file.names))]

    def told(self, change: Change, index: int, cwd: str, by: str = "") -> None:
        """Git or a subagent said what became of a whole file: no call wrote it, so `writes` is left alone."""
        path = self.at(change.path, cwd)
        file = self._touch(path, index)
        file.become(_state_after(file, change.state, None), index)
        file.source = self.at(change.source, cwd) if change.source else file.source
        file.by = by if not file.writes else ""

    def read(self, path: str, deed: Deed, cwd: str, output: str) -> None:
        """A call printed a file: what it defines and uses most is what the file is about."""
        file = self._touch(self.at(path, cwd), deed.index)
        file.reads += 1
        file.read_why = clip(deed.why, WHY_LIMIT) or file.read_why
        if not file.state and len(file.names) < READ_MAX:
            self._holds(file, key_names(unnumbered(clean(output, head=READ_SCAN)))[:READ_NAMES])

    def found(self, output: str, deed: Deed, cwd: str) -> None:
        """A search printed lines of files: which symbols they define is worth knowing."""
        for path, symbols in list(by_file(output[:READ_SCAN]).items())[:READ_NAMES]:
            file = self._touch(self.at(clean(path), cwd), deed.index)
            if not file.state:
                self._holds(file, symbols)

    def _moved(self, change: Change, index: int, cwd: str) -> None:
        """A file or a folder was moved; what is known of it moves along.

        A target in which something is known is a folder that takes it in. Of a folder only known files are seen to
        move; whether a target is a new name or a folder never seen is not guessed.
        """
        old, new = self.at(change.source, cwd), posixpath.normpath(posixpath.join(cwd, change.path))
        if change.path.endswith("/") or any(path.startswith(new + "/") for path in self.known):
            new = posixpath.join(new, posixpath.basename(old))
        elif is_file(change.source) and not is_file(change.path):
            new = ""
        if new == old:
            return
        inside = [path for path in self.known if path.startswith(old + "/")]
        for path in inside or [old] * (old in self.written or is_file(posixpath.basename(old))):
            self._relocated(path, new and new + path[len(old) :], index)

    def _relocated(self, old: str, new: str, index: int) -> None:
        """One file stands elsewhere now (`new` is "" if nobody knows where) and leaves its old place as deleted."""
        before = self.known.pop(old, None) or File()
        whole = before.writes > 0  # a file for certain, whatever its name
        if is_file(old) or (whole and not is_scratch(old)):
            gone = self._touch(old, index)
            gone.state, gone.writes, gone.changed, gone.made = "deleted", max(before.writes, 1), index, before.made
        if (is_file(new) or (whole and new and not is_scratch(new))) and before.state != "deleted":
            self._touch(new, index)
            self.known[new] = msgspec.structs.replace(
                before, state="created", source=old, writes=max(before.writes, 1), last=index, changed=index, made=index
            )

    def _cleared(self, folder: str, index: int) -> None:
        """A folder was deleted, with all that is known to lie there."""
        for path in [path for path in self.written if path.startswith(folder + "/")]:
            file = self._touch(path, index)
            file.become("deleted", index)

    @staticmethod
    def _holds(file: File, names: list[str]) -> None:
        for name in names:
            if len(file.names) < READ_MAX:
                file.names.setdefault(name, 0)

    def _touch(self, path: str, index: int) -> File:
        file = self.known.pop(path, None) or self._until_now_relative(path) or File()
        file.last = index
        self.known[path] = file
        if len(self.known) > MAX_FILES:
            read_only = (name for name, one in self.known.items() if not one.state and one is not file)
            del self.known[next(read_only, next(iter(self.known)))]
        return file

    def _until_now_relative(self, path: str) -> File | None:
        """A file that was known only by a path relative to an unknown directory."""
        if not path.startswith("/"):
            return None
        same = [known for known in self.known if not known.startswith("/") and path.endswith("/" + known)]
        return self.known.pop(same[0]) if len(same) == 1 and "/" in same[0] else None

    def at(self, path: str, cwd: str) -> str:
        """The whole path by which a file is known, or would be."""
        whole = posixpath.normpath(posixpath.join(cwd, path)) if path else ""
        if whole in self.known or path.startswith("/"):
            return whole
        ending = "/" + path.removeprefix("./")
        same = [known for known in self.known if known.endswith(ending)]
        return same[0] if len(same) == 1 else whole

    @property
    def written(self) -> dict[str, File]:
        """Files that were changed, by path."""
        return {path: file for path, file in self.known.items() if file.state}


def _state_after(file: File, state: str, created: bool | None) -> str:
    """The last state: a file made in this session stays created however often it is edited."""
    if state == "written":
        anew = file.state == "deleted" and file.made >= 0  # what was made here and deleted is made again
        new = created if created is not None else anew or not (file.state or file.reads)
        state = "created" if new else "modified"
    if state == "modified" and file.state == "created":
        return "created"
    return state


def _touched(file: File, why: str, names: list[str], index: int) -> None:
    """Note the purpose of a change; the same purpose again gathers its names."""
    same = next((touch for touch in file.touches if touch.why == why), None)
    if same:
        file.touches.remove(same)
        names = list(dict.fromkeys([*names, *same.names]))
    file.touches.append(Touch(why, names[:TOUCH_NAMES], index))
    del file.touches[:-MAX_TOUCHES]


def _remember(items: list[str], item: str, limit: int) -> None:
    """Keep the latest distinct items."""
    if item in items:
        items.remove(item)
    if item:
        items.append(item)
    if len(items) > limit:
        del items[0]
