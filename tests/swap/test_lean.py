"""The lean route: right at once, or not at all."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

import pytest

from memcli import copying, swap
from memcli import head as heads
from tests.swap.a_head import a_head, swapped
from tests.swap.sessions import WRITERS

EVENTS = [("prompt", "a"), ("say", "b"), ("prompt", "c"), ("call", "c1"), ("result", "c1"), ("say", "d")]
LEAN = (
    "import sys; from memcli.lean import answer, options_of; options = options_of(sys.argv[1:]); "
    "code = answer(options) if options else None; sys.exit(99 if code is None else code)"
)


@pytest.fixture
def remembered(tmp_path):
    """A transcript with a memory beside it; gives a function that makes it for a format."""

    def make(format: str = "anthropic", **fields) -> tuple:
        data = WRITERS[format](EVENTS)
        path = tmp_path / "run.jsonl"
        path.write_bytes(data)
        (tmp_path / "session-memory.md").write_text("memory")
        stat = (tmp_path / "session-memory.md").stat()
        known = {
            "memory_size": stat.st_size,
            "memory_mtime": stat.st_mtime_ns,
            "memory_number": heads.number(b"memory"),
        }
        begin = data.find(b"\n", data.find(b'"b"')) + 1
        cuts = ((0, "t", 9, 2), (begin, "t", 0, 0))
        head = a_head(format, data, begin, **(known | {"cuts": cuts, "tail_messages": 4, "first": 0} | fields))
        room = tmp_path / ".memcli" / "run.jsonl"
        room.mkdir(parents=True)
        (room / "head").write_bytes(heads.build(head))
        return path, head, room

    return make


def lean(*words, code: str = LEAN) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code, "compact", *map(str, words)], capture_output=True, check=False)


@pytest.mark.parametrize("format", WRITERS)
def test_it_writes_what_swap_writes(remembered, format, tmp_path) -> None:
    path, head, _ = remembered(format)
    ran = lean(path)

    assert ran.returncode == 0
    assert ran.stdout == swapped(head, path.read_bytes(), tmp_path)[0]
    assert ran.stderr.startswith(b"memcli: ")
    assert ran.stderr.count(b"\n") == 1


def test_quiet_says_nothing(remembered) -> None:
    assert lean(remembered()[0], "-q").stderr == b""


def test_the_copy_route_loads_no_json(remembered) -> None:
    path, _, _ = remembered()
    code = LEAN.replace("code = ", "before = set(sys.modules); code = ").replace(
        "sys.exit", "print(sorted(set(sys.modules) - before), file=sys.stderr); sys.exit"
    )
    ran = lean(path, "-q", code=code)

    assert ran.stderr == b"[]\n"


def test_the_road_to_it_loads_nothing_but_itself() -> None:
    code = "import sys; before = set(sys.modules); import memcli.lean; print(*sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "memcli memcli.copying memcli.head memcli.lean memcli.swap\n"


def test_a_fresh_state_replaces_that_of_the_head(remembered) -> None:
    path, head, room = remembered()
    (room / "now").write_bytes(heads.build_now(heads.renewed(head, state=b"## Current State\\n- fresh\\n")))

    assert b"- fresh" in lean(path).stdout


@pytest.mark.parametrize("changes", [{}, {"generation": "another"}, {"end": 10**6}, {"end": 1}, {"fingerprint": 1}])
def test_a_state_that_does_not_fit_is_not_used(remembered, changes) -> None:
    """Damaged, of another memory, of a longer transcript, older than the head, of another transcript."""
    path, head, room = remembered()
    now = heads.build_now(heads.renewed(head, state=b"- fresh", **changes))
    (room / "now").write_bytes(now if changes else now[:-1])
    ran = lean(path)

    assert ran.returncode == 0
    assert b"- fresh" not in ran.stdout


def test_a_grown_transcript_is_copied_to_its_last_whole_line(remembered) -> None:
    path, _, _ = remembered()
    with path.open("ab") as file:
        file.write(b'{"role":"user","content":"more"}\n{"role":"assis')
    ran = lean(path)

    assert ran.stdout.endswith(b'{"role":"user","content":"more"}\n')


def test_a_whole_last_line_without_newline_counts(remembered) -> None:
    path, _, _ = remembered()
    with path.open("ab") as file:
        file.write(b'{"role":"user","content":"more {"}')

    assert lean(path).stdout.endswith(b'{"role":"user","content":"more {"}\n')


def test_unseen_thinking_is_removed(remembered) -> None:
    path, _, _ = remembered()
    with path.open("ab") as file:
        file.write(b'{"role":"assistant","content":[{"type":"thinking","thinking":"x"},{"type":"text","text":"e"}]}\n')

    assert lean(path).stdout.endswith(b'{"role":"assistant","content":[{"type":"text","text":"e"}]}\n')


def test_a_file_is_replaced_whole_and_keeps_its_mode(remembered, tmp_path) -> None:
    path, _, _ = remembered()
    (tmp_path / "out").write_text("old")
    (tmp_path / "out").chmod(0o640)
    ran = lean(path, "-o", tmp_path / "out")

    assert (ran.stdout, (tmp_path / "out").stat().st_mode & 0o777) == (b"", 0o640)
    assert (tmp_path / "out").read_bytes() == lean(path).stdout
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize(
    "keep", [("--keep-turns", "0"), ("--keep-turns", "1"), ("--keep-turns", "9"), ("--keep-tokens", "8")]
)
def test_other_cuts_are_taken(remembered, tmp_path, keep) -> None:
    path, head, _ = remembered()
    choice = (keep[0][7:], int(keep[1]))

    assert lean(path, *keep).stdout == swapped(head, path.read_bytes(), tmp_path, keep=choice)[0]


def test_earlier_turns_are_kept_when_asked_for(remembered) -> None:
    path, _, _ = remembered()

    assert b'"content":"a"' in lean(path, "--keep-turns", "2").stdout
    assert b"covered=0000002" in lean(path, "--keep-turns", "2").stdout
    assert b'"content":"a"' not in lean(path).stdout


@pytest.mark.parametrize("keep", [("--keep-turns", "2"), ("--keep-tokens", "9")])
def test_more_than_the_head_knows_of_is_left_to_the_program(remembered, keep) -> None:
    """Only the first message's place tells that there are no earlier turns."""
    path, _, _ = remembered(first=-1, cuts=((5, "t", 9, 2),))

    assert declined(path, *keep)


def test_a_last_line_that_has_grown_is_left_to_the_program(remembered) -> None:
    """A writer appended to a file without final newline: two objects on one line."""
    path, head, room = remembered()
    data = path.read_bytes()[:-1]
    path.write_bytes(data)
    spans = heads.spans(head.covered, len(data))
    head.end, head.fingerprint = len(data), heads.fingerprint(tuple(data[begin:stop] for begin, stop in spans))
    (room / "head").write_bytes(heads.build(head))
    assert lean(path).returncode == 0
    path.write_bytes(data + b'{"role":"user","content":"more"}\n')

    assert declined(path)


def declined(*words) -> bool:
    ran = lean(*words)
    return ran.returncode == 99 and ran.stdout == b"" and ran.stderr == b""


@pytest.mark.parametrize(
    "words",
    [[], ["--help"], ["-x"], ["-o"], ["--keep-turns", "x"], ["--keep-turns", "-1"], ["other"], ["--to", "messages"]],
)
def test_other_arguments_are_left_to_the_program(remembered, words) -> None:
    path, _, _ = remembered()

    assert declined(path, *words) if words else declined()


def test_both_ways_to_keep_are_left_to_the_program(remembered) -> None:
    assert declined(remembered()[0], "--keep-turns", "1", "--keep-tokens", "1")


def test_an_edited_memory_is_left_to_the_program(remembered, tmp_path) -> None:
    path, _, _ = remembered()
    (tmp_path / "session-memory.md").write_text("memory, edited")

    assert declined(path)


def test_a_touched_memory_is_not_an_edited_one(remembered, tmp_path) -> None:
    path, _, _ = remembered()
    os.utime(tmp_path / "session-memory.md", ns=(1, 1))

    assert lean(path).returncode == 0


@pytest.mark.parametrize("name", ["head", "../../session-memory.md", "../../run.jsonl"])
def test_a_missing_file_is_left_to_the_program(remembered, name) -> None:
    path, _, room = remembered()
    (room / name).unlink()

    assert declined(path)


@pytest.mark.parametrize("place", [0, 30, -3])
def test_another_transcript_is_left_to_the_program(remembered, place) -> None:
    path, _, _ = remembered()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)

    assert declined(path)


def test_a_shortened_transcript_is_left_to_the_program(remembered) -> None:
    path, _, _ = remembered()
    path.write_bytes(path.read_bytes()[:-20])

    assert declined(path)


def test_the_transcript_is_never_the_output(remembered) -> None:
    path, _, _ = remembered()

    assert declined(path, "-o", path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_may_not_be_written_to_is_left_to_the_program(remembered, tmp_path) -> None:
    path, _, _ = remembered()
    (tmp_path / "theirs").mkdir(0o500)

    assert declined(path, "-o", tmp_path / "theirs" / "out")


def test_a_closed_pipe_ends_it_quietly(remembered) -> None:
    path, _, _ = remembered()
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [sys.executable, "-c", LEAN, "compact", str(path)], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full is Linux's")
def test_a_full_disk_is_an_error_that_says_so(remembered) -> None:
    path, _, _ = remembered()
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-c", LEAN, "compact", str(path)], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert ran.returncode == 1
    assert ran.stderr.startswith(b"Error: ")
    assert b"\nTry: df -h" in ran.stderr


@pytest.mark.parametrize(
    ("rest", "whole"),
    [
        (b"", 0),
        (b"{", 0),
        (b'{"a":"}"', 0),
        (b'{"a":{}', 0),
        (b'{"a":"\\"}"}', 11),
        (b'{"a":"\\\\"}', 10),
        (b"text", 0),
    ],
)
def test_the_end_is_that_of_the_last_whole_line(tmp_path, rest, whole) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"{}\n" + rest)
    file = os.open(path, os.O_RDONLY)

    assert swap.whole_end(file, 0, 3 + len(rest)) == 3 + whole
    os.close(file)


def test_a_long_half_line_is_left_out(tmp_path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"{}\n" + b'{"a":"' + b"x" * (3 << 20))
    file = os.open(path, os.O_RDONLY)

    assert swap.whole_end(file, 0, path.stat().st_size) == 3
    os.close(file)


@pytest.mark.parametrize("flags", [os.O_RDWR, os.O_RDWR | os.O_APPEND])
def test_the_copy_is_whole_into_any_kind_of_file(tmp_path, flags) -> None:
    data = os.urandom(1 << 16) + b"\n"
    (tmp_path / "in").write_bytes(data)
    source, out = os.open(tmp_path / "in", os.O_RDONLY), os.open(tmp_path / "out", flags | os.O_CREAT)
    copying.copy(source, 100, len(data), out)
    os.close(source)
    os.close(out)

    assert (tmp_path / "out").read_bytes() == data[100:]


@pytest.mark.skipif(sys.platform != "linux", reason="the width of a pipe is Linux's")
@pytest.mark.parametrize(("before", "after"), [(1 << 16, 1 << 18), (1 << 20, 1 << 20)])
def test_a_narrow_pipe_is_widened_for_much_and_a_wide_one_is_left(tmp_path, before, after) -> None:
    """Its reader may have made it so."""
    source = tmp_path / "source"
    source.write_bytes(b"x" * (1 << 23))
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, before)
    with subprocess.Popen(["cat"], stdin=reader, stdout=subprocess.DEVNULL), source.open("rb") as file:
        os.close(reader)
        copying.copy(file.fileno(), 0, 1 << 23, writer)
        width = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
        os.close(writer)
    assert width == after


def test_the_sentence_names_sizes_age_and_time() -> None:
    report = swap.Report("copy", 1200, 41000, 11, 4100)
    report.problems = {"unreadable line": 2}

    assert report.line(150, 0.0021) == (
        "memcli: 1,200 -> 12 messages, ~41,000 -> ~4,100 tokens (-90 %), 11 kept, memory 2 min old, "
        "was ready in 2 ms, 2 unreadable line\n"
    )
