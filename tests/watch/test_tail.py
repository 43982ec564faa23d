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


def test_a_file_cut_and_grown_to_the_same_size_is_another_one(file):
    """Same inode, same size: only the bytes tell."""
    tail = following(file)
    file.write_bytes(b"two\n")
    assert tail.look() == "replaced"


def test_a_file_written_again_with_the_same_bytes_is_the_same(file):
    tail = following(file)
    file.write_bytes(b"one\n")
    assert tail.look() == "none"


def test_an_emptied_file_is_another_one_and_found_empty(file):
    tail = following(file)
    file.write_bytes(b"")
    assert tail.look() == "replaced"


def test_a_link_pointed_at_another_file_is_another_one(file, tmp_path):
    link, other = tmp_path / "link", tmp_path / "other"
    link.symlink_to(file)
    tail = following(link)
    other.write_bytes(b"six\nseven\n")
    (tmp_path / "new").symlink_to(other)
    (tmp_path / "new").replace(link)
    assert tail.look() == "replaced"


def test_a_link_to_nothing_is_gone_until_its_file_is_there(tmp_path):
    link, real = tmp_path / "link", tmp_path / "real"
    link.symlink_to(real)
    tail = Tail(str(link))
    assert tail.look() == "gone"
    real.write_bytes(b"one\n")
    assert tail.look() == "grown"


def test_a_deleted_file_that_comes_back_unchanged_goes_on(file):
    """As a file restored from a snapshot, or a directory that was unmounted for a moment."""
    tail = following(file)
    before = file.read_bytes()
    file.unlink()
    assert tail.look() == "gone"
    file.write_bytes(before + b"two\n")
    assert tail.look() == "grown"
    assert b"".join(tail.read()) == b"two\n"


def test_what_is_appended_while_we_read_waits_for_the_next_look(file):
    """Else a writer faster than us would never let us go."""
    tail = Tail(str(file))
    tail.look()
    seen = b""
    for chunk in tail.read():
        seen += chunk
        append(file, b"more\n")
    assert seen == b"one\n"
    assert tail.look() == "grown"


def test_a_file_that_shrinks_while_we_read_ends_the_reading(file):
    file.write_bytes(b"x" * (2 * CHUNK_BYTES))
    tail = Tail(str(file))
    tail.look()
    chunks = []
    for chunk in tail.read():
        chunks.append(chunk)
        os.truncate(file, 10)
    assert [len(chunk) for chunk in chunks] == [CHUNK_BYTES]
    assert tail.look() == "replaced"


def test_a_file_that_vanishes_between_look_and_read_has_no_bytes(file):
    tail = Tail(str(file))
    tail.look()
    file.unlink()
    assert list(tail.read()) == []
    assert tail.position == 0


def test_a_line_of_ten_megabytes_is_read_in_pieces_and_whole(file):
    line = b"x" * 10_000_000 + b"\n"
    append(file, line)
    tail = Tail(str(file))
    tail.look()
    pieces = list(tail.read())
    assert max(map(len, pieces)) == CHUNK_BYTES
    assert b"".join(pieces) == b"one\n" + line


def test_no_descriptor_stays_open_between_two_looks(file):
    """Ten thousand idle transcripts are ten thousand names, not ten thousand open files."""
    before = set(os.listdir("/proc/self/fd"))
    tail = following(file)
    append(file, b"two\n")
    tail.look()
    next(tail.read())
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_reading_given_up_halfway_goes_on_where_it_was(file):
    file.write_bytes(b"a" * CHUNK_BYTES + b"b" * 5)
    tail = Tail(str(file))
    tail.look()
    reading = tail.read()
    next(reading)
    reading.close()
    assert b"".join(tail.read()) == b"b" * 5
