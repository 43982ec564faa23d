"""Following one file: only new bytes, and every trick a file can play."""

from __future__ import annotations

import os

import pytest

from memcli.watch.tail import CHUNK_BYTES, Tail


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"one\n")
    return path


def following(path) -> Tail:
    """A tail that has read all there is."""
    tail = Tail(str(path))
    tail.look()
    assert b"".join(tail.read()) == path.read_bytes()
    return tail


def append(path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_the_first_look_finds_the_whole_file(file):
    assert Tail(str(file)).look() == "grown"


def test_nothing_happens_while_nobody_writes(file):
    assert following(file).look() == "none"


def test_only_new_bytes_are_read(file):
    tail = following(file)
    append(file, b"two\nthr")
    assert tail.look() == "grown"
    assert b"".join(tail.read()) == b"two\nthr"


def test_large_files_come_in_chunks(file):
    file.write_bytes(b"x" * (2 * CHUNK_BYTES + 7))
    tail = Tail(str(file))
    tail.look()
    assert [len(chunk) for chunk in tail.read()] == [CHUNK_BYTES, CHUNK_BYTES, 7]


def test_a_shorter_file_is_another_one(file):
    tail = following(file)
    file.write_bytes(b"on")
    assert tail.look() == "replaced"


def test_a_file_renamed_over_it_is_another_one(file, tmp_path):
    tail = following(file)
    other = tmp_path / "other"
    other.write_bytes(b"four\nfive\n")
    other.replace(file)
    assert tail.look() == "replaced"


def test_a_file_rewritten_longer_between_two_looks_is_another_one(file):
    """Same inode, and it only grew: the bytes before our position tell."""
    tail = following(file)
    file.write_bytes(b"ONE\ntwo\n")
    assert tail.look() == "replaced"


def test_a_copy_renamed_over_it_goes_on(file, tmp_path):
    """Editors and sync tools replace files by equal longer ones: nothing has to be read twice."""
    tail = following(file)
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes() + b"two\n")
    copy.replace(file)
    assert tail.look() == "grown"
    assert b"".join(tail.read()) == b"two\n"


def test_a_file_that_is_gone_and_comes_back_other_is_another_one(file):
    tail = following(file)
    file.unlink()
    assert tail.look() == "gone"
    file.write_bytes(b"new\n")
    assert tail.look() == "replaced"


def test_a_touched_file_has_not_grown(file):
    tail = following(file)
    os.utime(file, (1, 1))
    assert tail.look() == "none"


def test_a_symlink_is_followed(file, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(file)
    assert b"".join(following(link).read()) == b""


def test_going_on_after_a_restart_reads_no_byte_twice(file):
    tail = Tail(str(file))
    tail.resume(4, b"one\n")
    append(file, b"two\n")
    assert tail.look() == "grown"
    assert b"".join(tail.read()) == b"two\n"


def test_going_on_in_another_file_is_noticed(file):
    tail = Tail(str(file))
    tail.resume(4, b"uno\n")
    append(file, b"two\n")
    assert tail.look() == "replaced"


def test_a_missing_file_has_no_bytes(tmp_path):
    tail = Tail(str(tmp_path / "none"))
    assert tail.look() == "gone"
    assert list(tail.read()) == []
