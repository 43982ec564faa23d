"""The prepared tail: the answer is that of rewriting, to the byte and the word, and whatever does not fit it rewrites."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import memcli
from memcli import head as heads
from memcli import program as programs
from memcli.commands.compact import Wish, compact
from memcli.commands.update import update
from memcli.watch.limit import write_compacted
from tests.builders import FORMATS, Script, session
from tests.commands.states import edit, grown, remembered, rested
from tests.sidecar.published import SESSIONS
from tests.swap.routes import EDITED, KEEPS, followed, instant, lines_of, loaded, program, seen, swapped, tail_of

if TYPE_CHECKING:
    from collections.abc import Callable

PREPARED = ("claude-code", "codex", "pi")
"""Formats whose tail must be written anew. In the others that is so only where it holds thinking, or the like."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A session of Claude Code that was remembered, and went on for a turn that a watcher saw."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("claude-code"))
    grown(remembered(path))
    keeper = followed(path)
    seen(keeper, 9.0)
    keeper.close()
    return path


def test_a_remembered_session_has_its_tail_prepared_and_the_answer_is_the_same(recorded: Path) -> None:
    route, found = swapped(recorded)
    other, expected = swapped(recorded, prepared=False)

    assert route == {"rewrite": "prepared"}.get(other, other)
    assert found == expected


@pytest.mark.parametrize("source", SESSIONS, ids=lambda path: path.stem)
def test_whatever_the_watcher_saw_last_the_answer_is_the_same(source: Path, tmp_path: Path) -> None:
    lines = lines_of(source)
    half, step = len(lines) // 2, max(1, len(lines) // 30)
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"".join(lines[:half]))
    keeper = followed(remembered(path))
    for at in range(half, len(lines), step):
        with path.open("ab") as file:
            file.write(b"".join(lines[at : at + step]))
        seen(keeper, at * 9.0)
        (route, found), (other, expected) = swapped(path), swapped(path, prepared=False)
        assert found == expected
        # In the dirt stand bytes that are no UTF-8: what the encoder writes for them cannot be copied from anywhere.
        assert route == {"rewrite": "prepared"}.get(other, other) or "dirt" in source.stem
    keeper.close()


@pytest.mark.parametrize("format", FORMATS)
def test_an_open_round_is_prepared_like_a_closed_one(format: str, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session(format))
    keeper = followed(remembered(path))
    script = Script(format, after=path.read_bytes(), serial=500).prompt("and now the roof")
    script.call("Looking.", "ls", "pwd")
    with path.open("ab") as file:
        file.write(script.data.rstrip(b"\n"))
    seen(keeper, 9.0)
    keeper.close()
    route, found = swapped(path)

    assert (route == "prepared") == (format in PREPARED)
    assert found == swapped(path, prepared=False)[1]


# ------------------------------------------------------------------ what does not fit it


def same_without(path: Path, keep: tuple[str, int] | None = None) -> bool:
    """True if the answer, or that there is none, does not change when the file is taken away."""
    with_it = instant(path, keep)
    tail_of(path).unlink()
    return with_it == instant(path, keep)


@pytest.mark.parametrize("part", [0.0, 0.02, 0.1, 0.3, 0.5, 0.8, 0.999])
@pytest.mark.parametrize("damage", ["changed", "cut", "added"])
def test_a_damaged_byte_anywhere_is_rewritten_past(run: Path, part: float, damage: str) -> None:
    data = tail_of(run).read_bytes()
    at = int(part * len(data))
    behind = {"changed": bytes([data[at] ^ 1]) + data[at + 1 :], "cut": b"", "added": b"0" + data[at:]}
    tail_of(run).write_bytes(data[:at] + behind[damage])

    assert swapped(run)[0] == "rewrite"
    assert same_without(run)


def grows(path: Path) -> None:
    grown(path, number=8)


def grows_by_half_a_line(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"type":"user","mess')


def loses_its_last_line(path: Path) -> None:
    path.write_bytes(b"".join(lines_of(path)[:-1]))


def is_replaced(path: Path) -> None:
    path.write_bytes(session("claude-code", turns=5))


def has_another_byte(path: Path) -> None:
    """Where no fingerprint looks: more than 4 KiB before what is covered, or between that and the last KiB."""
    data = path.read_bytes()
    at = data.rfind(b"Looking")
    path.write_bytes(data[:at] + b"looking" + data[at + 7 :])


def is_gone_on_with(path: Path) -> None:
    """Its memory is another one now, and we died before the tail was prepared."""
    old = tail_of(path).read_bytes()
    grows(path)
    remembered(path)
    tail_of(path).write_bytes(old)


@pytest.mark.parametrize(
    "happens", [grows, grows_by_half_a_line, loses_its_last_line, is_replaced, has_another_byte, is_gone_on_with]
)
def test_what_happens_to_the_transcript_is_answered_as_without_the_file(
    run: Path, happens: Callable[[Path], None]
) -> None:
    happens(run)

    assert same_without(run)


@pytest.mark.parametrize("keep", KEEPS[1:], ids=str)
def test_another_tail_than_the_default_one_is_rewritten(run: Path, keep: tuple[str, int]) -> None:
    assert same_without(run, keep)


def test_a_tail_of_the_same_transcript_but_another_memory_is_not_taken(run: Path) -> None:
    other = remembered(Path(shutil.copyfile(run, run.with_name("other.jsonl"))))
    tail_of(run).write_bytes(tail_of(other).read_bytes())

    assert swapped(run)[0] == "rewrite"
    assert same_without(run)


def test_an_edited_memory_stands_before_a_prepared_tail(run: Path) -> None:
    before = instant(run)
    edit(run, "User Intent", EDITED)

    assert swapped(run)[0] == "prepared"
    assert EDITED.encode() in (instant(run) or b"")
    assert instant(run) != before
    assert same_without(run)


def test_what_an_older_memcli_left_is_ignored_and_replaced(run: Path) -> None:
    """One that wrote other tails for the same head; one that wrote the file in another way."""
    fresh = tail_of(run).read_bytes()
    other = programs.parse(fresh)
    other.key = programs.digest(b"0.0.9")
    for left in (programs.build(other), fresh.replace(b"tail 1", b"tail 0", 1), b"", b"{}\n"):
        tail_of(run).write_bytes(left)
        assert swapped(run)[0] == "rewrite"
        keeper = followed(run)
        seen(keeper, 9.0)
        keeper.close()
        assert tail_of(run).read_bytes() == fresh


# ------------------------------------------------------------------ who takes it, and who makes it


def marked(path: Path) -> Path:
    """The same transcript; who takes its prepared tail is told by a number that no encoder writes."""
    made = programs.parse(tail_of(path).read_bytes())
    made.literal = made.literal.replace(b'"output_tokens":0', b'"output_tokens":7')
    tail_of(path).write_bytes(programs.build(made))
    return path


def by_limit(path: Path) -> bytes:
    keeper = followed(path)
    keeper.look(9.0)
    keeper.tick(10.0, 0.0)
    try:
        return write_compacted(keeper).read_bytes()
    finally:
        keeper.close()


def in_place(path: Path) -> bytes:
    compact(str(path), Wish(in_place=True, quiet=True))
    return path.read_bytes()


ROADS = {
    "instant": instant,
    "the verb": program,
    "in place": in_place,
    "from Python": lambda path: b"".join(memcli.compact(path).lines),
    "at the limit": by_limit,
}


@pytest.mark.parametrize("road", ROADS.values(), ids=ROADS)
def test_every_road_takes_what_was_prepared(run: Path, road: Callable[[Path], bytes]) -> None:
    assert b'"output_tokens":7' in road(marked(run))


def test_lines_of_a_prepared_tail_are_lines(run: Path) -> None:
    taken = memcli.compact(run).lines
    tail_of(run).unlink()

    assert memcli.compact(run).lines == taken
    assert {line.count(b"\n") for line in taken} == {1}


def test_update_leaves_a_prepared_tail(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("codex"))
    assert update(rested(path), {}, check=False, quiet=True) == 0

    assert swapped(path)[0] == "prepared"


def test_a_compact_that_made_its_memory_leaves_a_prepared_tail_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("claude-code"))
    first = program(rested(path))

    assert swapped(path)[0] == "prepared"
    assert instant(path) == first


def test_the_file_is_its_owners(run: Path) -> None:
    assert tail_of(run).stat().st_mode & 0o777 == 0o600


def test_it_is_read_without_json_and_without_patterns(run: Path) -> None:
    count, *names = loaded(run)

    assert int(count) <= 40
    assert "memcli.program" in names
    assert not {"json", "re", "typing", "pathlib", "_blake2", "memcli.transcript"} & {*names}


def test_heads_of_all_formats_tell_the_same_key_on_disk_and_in_memory(recorded: Path) -> None:
    keeper = followed(recorded)
    seen(keeper, 9.0)
    keeper.close()
    sidecar = tail_of(recorded).parent
    now = heads.parse_now((sidecar / "now").read_bytes(), heads.parse((sidecar / "head").read_bytes()))

    assert keeper.head is not None
    assert programs.key(now) == programs.key(keeper.head)
