from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from memcli.sidecar import files
from tests.sidecar.builders import FullDisk, NoLinks

if TYPE_CHECKING:
    from pathlib import Path


def test_content_is_replaced_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    files.write_atomic(path, b"old")
    files.write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["memory"]


@pytest.mark.parametrize("room", [0, 1, 99])
def test_a_full_disk_leaves_the_old_content_and_no_litter(tmp_path: Path, room: int) -> None:
    path = tmp_path / "memory"
    files.write_atomic(path, b"old")
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(path, b"n" * 100, disk=FullDisk(room))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["memory"]


def test_a_file_that_cannot_be_made_goes_by_the_name_people_know(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        files.write_atomic(tmp_path / "missing" / "memory", b"new")
    assert caught.value.filename == str(tmp_path / "missing" / "memory")


def test_a_disk_that_takes_one_byte_at_a_time_gets_all_of_it(tmp_path: Path) -> None:
    class Slow(files.Disk):
        def write(self, fd: int, data: memoryview) -> int:
            return super().write(fd, data[:1])

    files.write_atomic(tmp_path / "memory", b"every byte", disk=Slow())
    assert (tmp_path / "memory").read_bytes() == b"every byte"


def test_durable_syncs_the_file_before_the_rename_and_the_directory_after(tmp_path: Path) -> None:
    done: list[str] = []

    class Recorder(files.Disk):
        def sync(self, fd: int) -> None:
            done.append("sync directory" if os.path.isdir(f"/proc/self/fd/{fd}") else "sync file")

        def replace(self, source: Path, target: Path) -> None:
            done.append("rename")
            super().replace(source, target)

    files.write_atomic(tmp_path / "head", b"x", disk=Recorder())
    assert done == ["sync file", "rename", "sync directory"]
    files.write_atomic(tmp_path / "now", b"x", disk=Recorder(), durable=False)
    assert done[3:] == ["rename"]


@pytest.mark.parametrize("disk", [files.Disk(), NoLinks()])
def test_create_wins_once(tmp_path: Path, disk: files.Disk) -> None:
    path = tmp_path / "owner"
    assert files.create(path, b"first", disk=disk)
    assert not files.create(path, b"second", disk=disk)
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["owner"]


def test_a_symlink_laid_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "trap").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        files.write_new(tmp_path / "trap", b"x")
    assert not (tmp_path / "victim").exists()


def test_a_second_name_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").write_text("in the way")
    assert files.second_name(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").samefile(tmp_path / "b")


def test_without_hard_links_a_second_name_is_a_copy(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert files.second_name(tmp_path / "a", tmp_path / "b", NoLinks())
    assert (tmp_path / "b").read_text() == "x"


@pytest.mark.parametrize("disk", [files.Disk(), NoLinks()])
def test_what_is_not_there_gets_no_second_name(tmp_path: Path, disk: files.Disk) -> None:
    assert not files.second_name(tmp_path / "a", tmp_path / "b", disk)
    assert os.listdir(tmp_path) == []


def test_sweep_takes_what_a_killed_writer_left_and_nothing_else(tmp_path: Path) -> None:
    for name in (".head.0a1b2c3d.tmp", "notes.tmp", ".hidden", "head"):
        (tmp_path / name).write_text("x")
    files.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "head", "notes.tmp"]


def test_sweep_leaves_what_somebody_writes_at_this_moment(tmp_path: Path) -> None:
    with files.temporary(tmp_path / "head", b"new") as fresh:
        files.sweep(tmp_path)
        os.replace(fresh, tmp_path / "head")
    assert (tmp_path / "head").read_bytes() == b"new"


def test_a_file_that_was_swept_before_it_could_be_locked_is_begun_anew(tmp_path: Path) -> None:
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            files.sweep(tmp_path)

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        for number in range(300):
            files.write_atomic(tmp_path / "head", b"%d" % number, durable=False)
    finally:
        over.set()
        thread.join()
    assert os.listdir(tmp_path) == ["head"]


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    files.write_atomic(path, b"x")
    assert path.read_bytes() == b"x"


class Refusing(files.Disk):
    """A disk on which one call fails in one way."""

    def __init__(self, call: str, number: int) -> None:
        self.call, self.number = call, number

    def sync(self, fd: int) -> None:
        self._fail("sync directory" if os.path.isdir(f"/proc/self/fd/{fd}") else "sync file")
        super().sync(fd)

    def replace(self, source: Path, target: Path) -> None:
        self._fail("rename")
        super().replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        self._fail("link")
        super().link(source, target)

    def _fail(self, call: str) -> None:
        if call == self.call:
            raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("call", ["sync file", "rename"])
def test_a_disk_that_fails_before_the_rename_leaves_what_was_there(tmp_path: Path, call: str) -> None:
    files.write_atomic(tmp_path / "head", b"old")
    with pytest.raises(OSError, match="Input/output"):
        files.write_atomic(tmp_path / "head", b"new", disk=Refusing(call, errno.EIO))
    assert (tmp_path / "head").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["head"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES])
def test_a_file_system_that_syncs_no_directory_has_to_do(tmp_path: Path, number: int) -> None:
    files.write_atomic(tmp_path / "head", b"new", disk=Refusing("sync directory", number))
    assert (tmp_path / "head").read_bytes() == b"new"


def test_a_directory_that_fails_to_sync_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Input/output"):
        files.sync_directory(tmp_path, Refusing("sync directory", errno.EIO))


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV])
def test_every_way_to_have_no_links_is_known(tmp_path: Path, number: int) -> None:
    disk = Refusing("link", number)
    assert files.create(tmp_path / "owner", b"me", disk=disk)
    assert files.second_name(tmp_path / "owner", tmp_path / "copy", disk)
    assert (tmp_path / "copy").read_bytes() == b"me"


def test_a_link_that_fails_for_another_reason_is_told(tmp_path: Path) -> None:
    disk = Refusing("link", errno.ENOSPC)
    (tmp_path / "a").write_text("x")
    with pytest.raises(OSError, match="No space"):
        files.create(tmp_path / "owner", b"me", disk=disk)
    with pytest.raises(OSError, match="No space"):
        files.second_name(tmp_path / "a", tmp_path / "b", disk)
    assert os.listdir(tmp_path) == ["a"]


def test_a_mode_that_is_asked_for_is_the_mode_from_the_start(tmp_path: Path) -> None:
    with files.temporary(tmp_path / "x", b"", mode=0o640) as fresh:
        assert fresh.stat().st_mode & 0o777 == 0o640
        assert fresh.parent == tmp_path
        assert files.is_temporary(fresh.name)


def test_a_temporary_file_goes_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), files.temporary(tmp_path / "x", b""):
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_what_is_no_file_has_no_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert files.read(tmp_path / "none") is None
    assert files.read(tmp_path / "a" / "below") is None
    with pytest.raises(IsADirectoryError):
        files.read(tmp_path)


@pytest.mark.parametrize("name", [".x.0a1b2c3d.tmp", "..x.00000000.tmp", ".a b.ffffffff.tmp"])
def test_names_of_temporary_files_are_known(name: str) -> None:
    assert files.is_temporary(name)


@pytest.mark.parametrize("name", ["x.0a1b2c3d.tmp", ".x.0A1B2C3D.tmp", ".x.0a1b2c3.tmp", "..0a1b2c3d.tmp", ".x.tmp"])
def test_other_names_are_not_taken_for_them(name: str) -> None:
    assert not files.is_temporary(name)
