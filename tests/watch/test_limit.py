"""The compacted transcript that is written at the context limit."""

from __future__ import annotations

import os

import pytest

from memcli.errors import NoMemory
from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.watch import spot
from memcli.watch.keeper import Keeper
from memcli.watch.limit import write_compacted
from tests.builders import FORMATS, Script, is_tail, pairs_are_whole, session, session_file
from tests.commands.states import grown, rested
from tests.e2e.swaps import compacted


@pytest.fixture
def keep(tmp_path):
    """Keepers that have read their transcript, closed with the test."""
    opened = []

    def start(path) -> Keeper:
        keeper = Keeper(Place.of(rested(path)), Triggers())
        keeper.open("watch", 0.0)
        opened.append(keeper)
        keeper.catch_up(0.0)
        return keeper

    yield start
    for keeper in opened:
        keeper.close()


@pytest.mark.parametrize("format", FORMATS)
def test_it_is_what_compact_would_print(tmp_path, keep, format):
    keeper = keep(session_file(tmp_path / "run.jsonl", format))
    spot.publish_now(keeper)
    written = write_compacted(keeper)
    assert written == tmp_path / "run.compacted.jsonl"
    assert written.read_bytes() == compacted(keeper.place.transcript)


@pytest.mark.parametrize("format", FORMATS)
def test_without_a_memory_one_is_made_for_it_and_nothing_committed(tmp_path, keep, format):
    keeper = keep(session_file(tmp_path / "run.jsonl", format))
    data = write_compacted(keeper).read_bytes()
    assert is_tail(format, data, session(format))
    assert pairs_are_whole(format, data)
    assert keeper.head is None
    assert keeper.store.generations.numbers() == []


def test_what_came_after_the_memory_follows_it(tmp_path, keep):
    keeper = keep(session_file(tmp_path / "run.jsonl"))
    spot.publish_now(keeper)
    grown(keeper.place.transcript)
    assert is_tail("claude-code", write_compacted(keeper).read_bytes(), keeper.place.transcript.read_bytes())


def test_a_rewind_after_the_memory_is_read_anew(tmp_path, keep):
    """The tail that is committed would hold a turn which was taken back."""
    script = Script("claude-code").turn(0)
    fork = script.leaf
    path = tmp_path / "run.jsonl"
    path.write_bytes(script.turn(1).data)
    keeper = keep(path)
    spot.publish_now(keeper)
    script.leaf = fork
    path.write_bytes(script.prompt("rather the other wheel").say("As you wish.").data)
    data = write_compacted(keeper).read_bytes()
    assert b"rather the other wheel" in data
    assert b"please do step 1" not in data.split(b"\n", 1)[1]


def test_half_a_line_at_the_end_is_left_for_its_host(tmp_path, keep):
    keeper = keep(session_file(tmp_path / "run.jsonl", "pi"))
    spot.publish_now(keeper)
    before = write_compacted(keeper).read_bytes()
    with keeper.place.transcript.open("ab") as file:
        file.write(b'{"type":"message","id":"x"')
    assert write_compacted(keeper).read_bytes() == before


def test_a_transcript_in_which_nothing_was_said_has_nothing_to_compact(tmp_path, keep):
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("codex").data)
    with pytest.raises(NoMemory, match="nothing to compact"):
        write_compacted(keep(path))
    assert not (tmp_path / "run.compacted.jsonl").exists()


def test_it_is_private_and_replaced_whole(tmp_path, keep):
    keeper = keep(session_file(tmp_path / "run.jsonl"))
    (tmp_path / "run.compacted.jsonl").write_bytes(b"old\n" * 100_000)
    written = write_compacted(keeper)
    assert os.stat(written).st_mode & 0o777 == 0o600
    assert b"old" not in written.read_bytes()


def test_the_transcript_is_not_touched(tmp_path, keep):
    keeper = keep(session_file(tmp_path / "run.jsonl"))
    before = keeper.place.transcript.stat()
    write_compacted(keeper)
    after = keeper.place.transcript.stat()
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (before.st_mtime_ns, before.st_size, before.st_ino)
