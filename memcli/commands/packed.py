"""Transcripts that a client has compressed (`.jsonl.zst`): laid out in the sidecar, and read there.

    x.jsonl.zst                          is read, never written
    .memcli/x.jsonl.zst/x.jsonl          what it says; its own sidecar and memory lie beside this

What decompresses: Python itself (3.14 on), `backports.zstd` (the extra `memcli[zstd]`), or the program `zstd`.
"""

from __future__ import annotations

import importlib
import os
import shlex
from typing import TYPE_CHECKING, BinaryIO

from memcli.errors import MemcliError, NotATranscript
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SUFFIX = ".zst"
_MODULES = ("compression.zstd", "backports.zstd")


def is_packed(path: Path) -> bool:
    """True for the name of a compressed transcript."""
    return path.name.endswith(f".jsonl{SUFFIX}") and path.is_file()


def unpacked(path: Path) -> Path:
    """What a compressed transcript says, as a file; made anew when the compressed one has changed.

    Raises MemcliError where nothing can decompress it, NotATranscript where it is damaged, NotWritable.
    """
    place = Place.of(path)
    place.make()
    fresh = place.sidecar / path.name.removesuffix(SUFFIX)
    stat = path.stat()
    if fresh.exists() and fresh.stat().st_mtime_ns == stat.st_mtime_ns:
        return fresh
    spare = place.sidecar / f".{os.getpid()}.tmp"
    try:
        with open(os.open(spare, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            _decompress(path, file)
        os.utime(spare, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
        os.replace(spare, fresh)
    finally:
        spare.unlink(missing_ok=True)
    return fresh


def _decompress(path: Path, to: BinaryIO) -> None:
    import shutil  # here, not above: few transcripts are packed, and all verbs ask whether theirs is
    import subprocess

    module, program, name = _module(), shutil.which("zstd"), shlex.quote(str(path))
    if module is not None:
        try:
            with module.open(path, "rb") as packed:
                shutil.copyfileobj(packed, to)
        except (EOFError, module.ZstdError) as error:
            raise NotATranscript(f"{path} cannot be decompressed: {error}", f"zstd --test {name}") from error
    elif program is not None:
        done = subprocess.run([program, "-dcq", "--", path], stdout=to, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise NotATranscript(f"{path} cannot be decompressed: {said}", f"zstd --test {name}")
    else:
        raise MemcliError(f"nothing here can decompress {path}", "pip install 'memcli[zstd]'")


def _module() -> ModuleType | None:
    for name in _MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
