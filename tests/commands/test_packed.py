"""Compressed transcripts, with a stand-in for the program `zstd` that knows frames of uncompressed blocks."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from memcli.commands.packed import unpacked
from tests.builders import is_tail, session
from tests.cli.command import Ran, fails, memcli

BLOCK = 100_000
STAND_IN = f"""\
#!{sys.executable}
import sys
data, place, last = open(sys.argv[-1], "rb").read(), 13, 0
if data[:4] != bytes.fromhex("28b52ffd"):
    sys.exit("zstd: unsupported format")
while not last:
    head = int.from_bytes(data[place : place + 3], "little")
    last, size = head & 1, head >> 3
    sys.stdout.buffer.write(data[place + 3 : place + 3 + size])
    place += 3 + size
"""


def frame(data: bytes) -> bytes:
    """A zstd frame that holds `data` in blocks as they are (RFC 8878, section 3.1.1)."""
    blocks = [data[place : place + BLOCK] for place in range(0, len(data), BLOCK)]
    heads = [
        (len(block) << 3 | (number == len(blocks))).to_bytes(3, "little") for number, block in enumerate(blocks, 1)
    ]
    body = b"".join(head + block for head, block in zip(heads, blocks, strict=True))
    return bytes.fromhex("28b52ffd") + b"\xe0" + len(data).to_bytes(8, "little") + body


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compressed rollout, and a program that decompresses it."""
    tool = tmp_path / "bin" / "zstd"
    tool.parent.mkdir()
    tool.write_text(STAND_IN)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    path = tmp_path / "run.jsonl.zst"
    path.write_bytes(frame(session("codex")))
    return path


def ran(*words: object) -> Ran:
    done = memcli(*words)
    assert done.code == 0, done.err
    return done


def test_it_is_compacted_like_any_other(packed: Path) -> None:
    before = packed.read_bytes()
    assert is_tail("codex", ran("compact", packed).out.encode(), session("codex"))
    assert packed.read_bytes() == before


def test_memory_and_sidecar_lie_beside_it(packed: Path) -> None:
    ran("update", packed)
    memory = Path(ran("where", packed).out.strip())
    assert memory.is_relative_to(packed.parent / ".memcli" / packed.name)
    assert ran("show", packed).out == memory.read_text()
    assert sorted(path.name for path in packed.parent.iterdir()) == [".memcli", "bin", packed.name]


def test_it_is_decompressed_once_and_again_after_a_change(packed: Path) -> None:
    first = unpacked(packed)
    told = first.stat()
    assert unpacked(packed).stat() == told
    packed.write_bytes(frame(session("codex", 5)))
    os.utime(packed, (1, 1))
    assert unpacked(packed).read_bytes() == session("codex", 5)


def test_a_damaged_one_is_said(packed: Path) -> None:
    packed.write_bytes(b"no frame")
    code, sentence = fails(memcli("show", packed))
    assert code == 1
    assert sentence.startswith(f"{packed} cannot be decompressed: ")
    assert [path.name for path in (packed.parent / ".memcli" / packed.name).iterdir()] == []


def test_it_is_never_written(packed: Path) -> None:
    code, sentence = fails(memcli("compact", packed, "--in-place"))
    assert (code, sentence) == (2, f"{packed} is compressed: it is read, never written")


def test_where_nothing_decompresses_it_is_said(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info >= (3, 14) or importlib.util.find_spec("backports"):
        pytest.skip("this Python can")
    monkeypatch.setenv("PATH", str(packed.parent))
    assert fails(memcli("show", packed)) == (1, f"nothing here can decompress {packed}")
