"""Where a swapped transcript comes from: the parent's generation by its id, and whether a mark is really ours.

A memory message names its generation in a mark with a digest (`memory/message.py`). The digest is an HMAC-SHA256
with a key that only this user's memcli has, over the generation's id and the signed part of the document. Text that
somebody quotes or invents cannot carry one for a memory that we did not write.

The mark's `covered` is not part of it: `compact --keep-turns N` sets it on the instant route, where there is neither
key nor hash function. It can be changed only in a file whose first message holds our whole memory, by whoever owns
that file.

A memory that the user has edited by hand is signed at the swap itself (`memcli.edited`), with a key for this one
generation that its head tells: whoever reads a head, which is for its owner alone, can sign texts of that generation.

A sidecar is found beside the successor first, else through the state directory: one symlink a sidecar id, made when
the sidecar was. Both are only hints: what is found must have the right id inside. Links to sidecars that are gone go
when others come (`register`).
"""

from __future__ import annotations

import contextlib
import hmac
import os
from typing import TYPE_CHECKING, NamedTuple, Self

from memcli.edited import signature
from memcli.sidecar import files
from memcli.sidecar.generations import Generation, Generations, split_id
from memcli.sidecar.place import ROOM
from memcli.userdirs import state_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEY_BYTES = 32
_NO_KEY = bytes(_KEY_BYTES)
_EDITED = "\0edited"
"""No memory holds this text, so what signs it can be told without signing any."""


class Parent(NamedTuple):
    """A generation found by its id. `ledger` is None if it is no longer kept."""

    generation: Generation
    ledger: bytes | None
    sidecar: Path


class Keys:
    """The keys that may have signed: the user's, and that of a sidecar which was made without one."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    @classmethod
    def load(cls, sidecar: Path | None) -> Self:
        """The keys there are, to verify with; makes none."""
        return cls(_keys(sidecar))

    @classmethod
    def make(cls, sidecar: Path | None) -> Self:
        """The same, to sign with: made on first use, in the sidecar if the state directory cannot be written.

        Where neither can (stdin in a read-only home), it signs with a key that never verifies: no lineage from there.
        """
        if not _keys(sidecar):
            _make_key(sidecar)
        return cls(_keys(sidecar) or (_NO_KEY,))

    def digest(self, generation: str, signed: str) -> str:
        """The digest of a mark, 64 hexadecimal digits. Needs `make`."""
        return _digest(self._keys[0], generation, signed)

    def edit_key(self, generation: str) -> str:
        """What signs the user's edits of this generation's memory, 64 hexadecimal digits. Needs `make`."""
        return _digest(self._keys[0], generation, _EDITED)

    def verify(self, generation: str, signed: str, digest: str) -> bool:
        """True if one of our keys made this digest, for this generation and text."""
        made = [_digest(key, generation, signed) for key in self._keys]
        made += [signature(_digest(key, generation, _EDITED), signed) for key in self._keys]
        return any(hmac.compare_digest(each, digest) for each in made)


def find(generation: str, transcript: Path) -> Parent | None:
    """The generation with this id, for a successor that lies at `transcript`; None if its sidecar is gone."""
    parts = split_id(generation)
    if parts is None:
        return None
    sidecar_id, n = parts
    for sidecar in _candidates(sidecar_id, transcript):
        generations = Generations(sidecar)
        found = generations.get(n)
        if found and found.id == generation:
            return Parent(found, generations.ledger(n), sidecar)
    return None


def register(sidecar_id: str, sidecar: Path) -> None:
    """Note where a sidecar lies. Best effort: without a state directory, successors in the same place still find it.

    For one that is new, links that lead nowhere are removed; dying meanwhile leaves some to the next one.
    """
    link = _link(sidecar_id)
    with contextlib.suppress(OSError):
        if link.is_symlink() and link.readlink() == sidecar:
            return
        link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = link.with_name(f".{sidecar_id}.{os.getpid()}.tmp")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(sidecar)
        os.replace(fresh, link)
        _sweep(link)


def _sweep(new: Path) -> None:
    # Only where an id begins as the new one does, which is as good as a draw: of thousands a few are looked at.
    for name in os.listdir(new.parent):
        if name[0] == new.name[0] and name != new.name and _is_gone(new.with_name(name)):
            new.with_name(name).unlink(missing_ok=True)


def _is_gone(link: Path) -> bool:
    """True if the sidecar is gone, and not the disk it lies on: where one is not mounted, a directory is empty."""
    try:
        nearest = next(path for path in (link, *link.readlink().parents) if path.exists())
        return nearest != link and any(nearest.iterdir())
    except OSError:
        return False


def _candidates(sidecar_id: str, transcript: Path) -> Iterator[Path]:
    room = transcript.parent / ROOM
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(room)):
            if files.read(room / name / "id") == f"{sidecar_id}\n".encode():
                yield room / name
    yield _link(sidecar_id)


def _link(sidecar_id: str) -> Path:
    return state_dir() / "sidecars" / sidecar_id


def _keys(sidecar: Path | None) -> tuple[bytes, ...]:
    return tuple(key for path in _key_paths(sidecar) if (key := _read_key(path)))


def _make_key(sidecar: Path | None) -> None:
    for path in _key_paths(sidecar):
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.create(path, os.urandom(_KEY_BYTES))
        if _read_key(path):
            return


def _key_paths(sidecar: Path | None) -> tuple[Path, ...]:
    user = state_dir() / "key"
    return (user, sidecar / "key") if sidecar else (user,)


def _read_key(path: Path) -> bytes | None:
    try:
        key = files.read(path)
    except OSError:
        return None
    return key if key and len(key) == _KEY_BYTES else None


def _digest(key: bytes, generation: str, signed: str) -> str:
    # The length in front: no text can be shifted between the two.
    content = signed.encode("utf-8", "surrogatepass")
    return hmac.digest(key, b"%d %s " % (len(content), generation.encode()) + content, "sha256").hex()
