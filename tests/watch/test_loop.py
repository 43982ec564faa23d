"""The daemon's loop: real files, real signals, real children; only the process is pytest's own."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time

import pytest

from memcli.errors import AlreadyWatched
from memcli.session import Triggers
from memcli.sidecar.lock import Lock, holder
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from tests.builders import LIMITS, PATIENCE, Script, eventually, is_tail, session, session_file
from tests.commands.states import rested
from tests.watch.playing import LONG, NEVER, Play, play
from tests.watch.programs import BATCHES, HANGS, HELD, SPEAKS, program


@pytest.fixture
def path(tmp_path):
    return session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)


def append(path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def turn(number: int, format: str = "anthropic") -> bytes:
    return Script(format, serial=100 * number).turn(number, output=LONG).data


def memory(path) -> str:
    return Place.of(path).memory.read_text()


def numbers(path) -> list[int]:
    return Store(Place.of(path)).generations.numbers()


# ------------------------------------------------------------------ what it tells


def test_it_tells_whom_it_follows_and_what_each_update_covers(path):
    def story(loop: Play) -> None:
        assert loop.says("updated", path)

    told = play([rested(path)], story)
    assert told.events("following") == [{"memory": str(path.with_name("session-memory.md"))}]
    (updated,) = told.events("updated")
    assert (updated["generation"], updated["covered"]) == (1, 8)
    assert updated["tokens"] > 200


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_the_lock_is_free_again(path, number, code):
    def story(loop: Play) -> None:
        assert loop.says("following", path)
        assert holder(Place.of(path).lock).command == "watch"

    assert play([path], story, NEVER, stop=number).code == code
    assert holder(Place.of(path).lock) is None


def test_what_was_read_is_saved_at_the_end(path):
    """The next process does not read it again, although no memory was due."""

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        assert eventually(lambda: loop.loop.keepers[str(path)].position == path.stat().st_size)

    assert play([path], story, NEVER).code == 143
    assert Store(Place.of(path)).state() is not None
    assert numbers(path) == []


def test_a_model_that_takes_longer_than_patience_is_waited_for_while_it_speaks(tmp_path):
    def waited_for(seconds: float) -> bool:
        path = session_file(tmp_path / f"{seconds}.jsonl", output=LONG)
        summarizer, writing = program(SPEAKS, seconds), Triggers(200, 200, write=True)
        told = play([path], lambda loop: loop.says("updated", path), writing, summarizer=summarizer, patience=seconds)
        return (told.events("progress"), told.events("warning")) == ([{"what": "thinking"}] * 20, [])

    assert any(map(waited_for, LIMITS))


# ------------------------------------------------------------------ whom it follows


def test_a_named_transcript_that_another_process_has_is_refused_and_nothing_stays_locked(path, tmp_path):
    other = session_file(tmp_path / "other.jsonl")
    with Lock.acquire(made(other).lock, "watch", 0.0), pytest.raises(AlreadyWatched):
        play([path, other], lambda _: None)
    assert holder(Place.of(path).lock) is None


def made(path) -> Place:
    place = Place.of(path)
    place.make()
    return place


def test_in_a_directory_one_that_another_process_has_is_passed_by_and_told_once(path, tmp_path):
    other = session_file(tmp_path / "other.jsonl", "pi", output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        append(other, b"\n")
        session_file(tmp_path / "third.jsonl", "codex")
        assert loop.says("following", tmp_path / "third.jsonl")

    with Lock.acquire(made(other).lock, "compact", 0.0):
        told = play([tmp_path], story)
    (ignored,) = told.events("ignored")
    assert "is already watched by process" in ignored["reason"]
    assert told.events("following", other) == []


def test_in_a_directory_what_is_no_transcript_is_passed_by_and_told_once(path, tmp_path):
    (tmp_path / "notes.jsonl").write_text("hello\n")

    def story(loop: Play) -> None:
        assert loop.says("ignored", tmp_path / "notes.jsonl")
        append(tmp_path / "notes.jsonl", b"world\n")
        assert loop.says("updated", path)

    told = play([tmp_path], story)
    assert [fields["reason"].split(";")[0] for fields in told.events("ignored")] == [
        f"{tmp_path / 'notes.jsonl'} holds no JSON lines"
    ]


def test_one_that_another_process_had_is_followed_when_it_is_free(path, tmp_path):
    def story(loop: Play) -> None:
        assert loop.says("ignored", path)
        assert loop.says("following", other)
        lock.release()
        session_file(tmp_path / "third.jsonl")  # whatever happens in the directory: it is searched again
        assert loop.says("following", path)

    other = session_file(tmp_path / "other.jsonl", "pi")
    lock = Lock.acquire(made(path).lock, "update", 0.0)
    assert len(play([tmp_path], story).events("ignored")) == 1


@pytest.mark.parametrize("named", [True, False])
def test_what_was_no_transcript_is_followed_when_another_file_has_its_name(tmp_path, named):
    path = tmp_path / "chat.jsonl"
    path.write_text("{\n" + '  "messages": []\n' * 9000 + "}\n")

    def story(loop: Play) -> None:
        assert loop.says("ignored", path)
        session_file(path, output=LONG)
        assert loop.says("updated", path)

    play([path if named else tmp_path], story)
    assert numbers(path) == [1]


def test_a_named_transcript_may_come_later(tmp_path):
    late = tmp_path / "late.jsonl"

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        session_file(late, "codex", output=LONG)
        assert loop.says("updated", late)

    path = session_file(tmp_path / "run.jsonl")
    assert "step 2 of the plan" in (play([path, late], story), memory(late))[1]


def test_neither_our_own_files_nor_hidden_directories_are_searched(path, tmp_path):
    (tmp_path / ".cache").mkdir()
    session_file(tmp_path / ".cache" / "a.jsonl")
    session_file(tmp_path / "old.compacted.jsonl")
    session_file(tmp_path / "log.txt")

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        session_file(tmp_path / "b.jsonl")
        assert loop.says("following", tmp_path / "b.jsonl")

    told = play([tmp_path], story)
    assert {one.path for one in told.told if one.event in ("following", "ignored")} == {
        str(path),
        str(tmp_path / "b.jsonl"),
    }


def test_each_transcript_of_a_directory_has_a_memory_of_its_own(path, tmp_path):
    other = session_file(tmp_path / "other.jsonl", "pi", 5, output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        assert loop.says("updated", other)

    play([tmp_path], story)
    assert "step 4 of the plan" in memory(other)
    assert "step 4 of the plan" not in memory(path)


def test_a_link_keeps_meaning_the_file_it_pointed_to(path, tmp_path):
    """Else a link that is moved on would take the memory of one session for that of another."""
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        other = session_file(tmp_path / "other.jsonl", "pi", 5, output=LONG)
        (tmp_path / "new").symlink_to(other)
        (tmp_path / "new").replace(link)
        append(path, turn(7))
        loop.update(path)

    told = play([link], story)
    assert told.events("replaced") == []
    assert "step 7 of the plan" in memory(path)


# ------------------------------------------------------------------ what happens to files


def test_what_no_event_tells_is_found_by_the_sweep(path, tmp_path):
    """A write through another name of the file is no event in the watched directory."""
    (tmp_path / "elsewhere").mkdir()
    os.link(path, tmp_path / "elsewhere" / "same")

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        append(tmp_path / "elsewhere" / "same", turn(2) + turn(3))
        assert loop.says("updated", path, times=2)

    play([path], story)
    assert "step 3 of the plan" in memory(path)


def test_a_directory_made_with_a_transcript_in_it_is_searched(tmp_path):
    (tmp_path / "room").mkdir()
    session_file(tmp_path / "room" / "first.jsonl", output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated")
        (tmp_path / "room" / "deep").mkdir()
        session_file(tmp_path / "room" / "deep" / "run.jsonl", output=LONG)
        assert loop.says("updated", tmp_path / "room" / "deep" / "run.jsonl")

    play([tmp_path / "room"], story)


def test_a_directory_that_vanishes_and_comes_back_is_followed_again(tmp_path):
    """Sidecar, lock and watch are gone with it; the other transcripts do not notice."""
    room = tmp_path / "room"
    room.mkdir()
    inside = session_file(room / "in.jsonl", "anthropic", 2, output=LONG)
    outside = session_file(tmp_path / "out.jsonl", "anthropic", 2, output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", inside)
        assert loop.says("updated", outside)
        shutil.rmtree(room.rename(tmp_path / "gone"))  # at once: a file may be made in it just now
        append(outside, turn(5))
        loop.update(outside)
        room.mkdir()
        inside.write_bytes(session("anthropic", 6, output=LONG))
        assert loop.says("updated", inside, times=2)

    play([inside, outside], story)
    assert "step 5 of the plan" in memory(inside)
    assert "step 5 of the plan" in memory(outside)


def test_a_sidecar_that_is_deleted_under_it_is_made_again_and_told_once(path):
    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        gone = Place.of(path).sidecar.rename(path.with_name("gone"))  # at once: a file may be made in it just now
        shutil.rmtree(gone)
        append(path, turn(5))
        assert loop.says("updated", path, times=2)

    told = play([path], story)
    assert told.code == 143
    assert [fields["reason"] for fields in told.events("warning")] == [
        "its files cannot be read or written: No such file or directory"
    ]
    assert "step 5 of the plan" in memory(path)


def test_a_disk_that_takes_nothing_costs_one_transcript_its_updates_and_not_the_others(path, tmp_path):
    """A directory where a file of ours has to stand: no commit can succeed, as on a full disk."""
    poor = tmp_path / "poor.jsonl"
    poor.touch()

    def story(loop: Play) -> None:
        assert loop.says("following", poor)
        (Place.of(poor).sidecar / "head").mkdir()
        append(poor, turn(1) + turn(2))
        assert loop.says("warning", poor)
        append(path, turn(9))
        loop.update(path)

    told = play([poor, path], story)
    assert told.code == 143
    assert (len(told.events("warning", poor)), told.events("updated", poor)) == (1, [])
    assert "step 9 of the plan" in memory(path)


def test_a_transcript_whose_files_cannot_be_opened_does_not_stay_locked(path):
    """It may be taken up again, by us or by another process, when the disk works again."""
    (made(path).sidecar / "head").mkdir()
    with pytest.raises(IsADirectoryError):
        play([path], lambda _: None)
    (Place.of(path).sidecar / "head").rmdir()
    play([path], lambda loop: loop.says("updated", path))
    assert numbers(path) == [1]


# ------------------------------------------------------------------ jobs


@pytest.fixture
def held(tmp_path):
    """A summarizer that waits at a gate: its command, what it notes, and the gate."""
    noted, gate = tmp_path / "noted", tmp_path / "gate"
    return program(HELD, noted, gate), noted, gate


def test_while_a_job_is_out_what_is_written_waits_for_one_more(path, held):
    """Five turns come while the first answer is awaited: one update covers them all."""
    summarizer, noted, gate = held

    def story(loop: Play) -> None:
        assert eventually(noted.exists)
        for number in range(2, 7):
            append(path, turn(number))
        session = loop.loop.keepers[str(path)].session
        assert eventually(lambda: session.marks.position == path.stat().st_size and session.rests)
        gate.touch()
        loop.update(path)

    play([path], story, summarizer=summarizer)
    assert noted.read_text() == "job\n" * 2
    assert numbers(path) == [1, 2]
    assert "step 6 of the plan" in memory(path)


def test_an_answer_about_a_file_that_was_replaced_is_thrown_away(path, held):
    summarizer, noted, gate = held

    def story(loop: Play) -> None:
        assert eventually(noted.exists)
        path.write_bytes(session("codex", 1, output=LONG))
        assert loop.says("replaced", path)
        gate.touch()
        loop.update(path)

    play([path], story, summarizer=summarizer)
    assert "step 0 of the plan" in memory(path)
    assert "step 1 of the plan" not in memory(path)


def test_an_answer_is_not_taken_for_another_file_of_just_the_same_size(path, held):
    """Cut and grown again to the same size while the summarizer was at work: the late answer speaks of what is gone."""
    summarizer, noted, gate = held
    other = path.read_bytes().replace(b"tep 1", b"hip 9")

    def story(loop: Play) -> None:
        assert eventually(noted.exists)
        path.write_bytes(other)
        assert loop.says("replaced", path)
        gate.touch()
        loop.update(path)

    play([path], story, summarizer=summarizer)
    assert "ship 9 of the plan" in memory(path)
    assert not any("step 1 of the plan" in one.memory for one in Store(Place.of(path)).generations.all())


@pytest.mark.parametrize("jobs", [1, 2])
def test_so_many_jobs_at_a_time_over_all_transcripts(tmp_path, jobs):
    noted, room = tmp_path / "noted", tmp_path / "room"
    room.mkdir()
    for number in range(4):
        session_file(room / f"{number}.jsonl", "anthropic", output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", times=4)

    play([room], story, jobs=jobs, summarizer=program(BATCHES, noted, jobs))
    assert noted.read_text().split() == [str(jobs)] * (4 // jobs)


def test_an_answer_on_its_way_at_the_end_is_still_taken(path, held, monkeypatch):
    summarizer, noted, gate = held
    monkeypatch.setattr("memcli.watch.loop.STOP_SECONDS", PATIENCE)

    def story(loop: Play) -> None:
        assert eventually(noted.exists)
        os.kill(os.getpid(), signal.SIGTERM)
        assert eventually(lambda: loop.loop._stopping)
        gate.touch()

    play([path], story, summarizer=summarizer)
    assert numbers(path) == [1]


def test_a_hanging_child_does_not_hold_up_the_end(path, tmp_path):
    """It would for ten minutes. And no process is left (which the guard of every test sees to)."""
    noted = tmp_path / "noted"
    ended = []

    def story(_: Play) -> None:
        assert eventually(noted.exists)
        ended.append(time.monotonic())

    assert play([path], story, summarizer=program(HANGS, noted)).code == 143
    assert time.monotonic() - ended[0] < PATIENCE
    assert numbers(path) == []


# ------------------------------------------------------------------ asked by others


def test_who_asks_is_told_how_far_the_memory_reaches(path):
    answers = []

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        answers.append(loop.update(path))
        append(path, turn(2))
        answers.append(loop.update(path))

    play([path], story, NEVER)
    assert answers == ["covers 8 messages", "covers 12 messages"]
    assert numbers(path) == [1, 2]


@pytest.mark.parametrize("content", [b"", Script("anthropic").prompt("mend the dam").data])
def test_who_asks_where_nothing_can_be_covered_is_told_so(tmp_path, content):
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    answers = []

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        answers.append(loop.update(path))

    play([path], story)
    assert answers == ["nothing to remember yet"]


def test_a_question_asked_twice_makes_one_generation(path):
    def story(loop: Play) -> None:
        assert loop.says("following", path)
        assert loop.update(path) == loop.update(path)

    play([path], story, NEVER)
    assert numbers(path) == [1]


def test_who_asks_right_after_the_first_line_is_not_told_that_there_is_nothing(tmp_path):
    """The signal may be faster than the event of the append."""
    path = tmp_path / "run.jsonl"
    path.touch()
    answers = []

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        for number in range(3):
            append(path, turn(number))
            answers.append(loop.update(path))

    play([path], story, NEVER)
    assert answers == [f"covers {messages} messages" for messages in (4, 8, 12)]


def test_who_asks_while_the_file_is_replaced_hears_of_the_new_one(path, held):
    summarizer, noted, gate = held
    answers = []

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        asking = threading.Thread(target=lambda: answers.append(loop.update(path)))
        asking.start()
        assert eventually(noted.exists)
        path.write_bytes(session("pi", 1))
        assert loop.says("replaced", path)
        gate.touch()
        asking.join()

    play([path], story, NEVER, summarizer=summarizer)
    assert answers == ["covers 4 messages"]


# ------------------------------------------------------------------ the limit


def crossing(at: int) -> Triggers:
    return Triggers(init_tokens=10**9, context_limit=at)


def test_at_the_limit_a_compacted_file_is_written_also_without_a_memory(path):
    def story(loop: Play) -> None:
        assert loop.says("compacted", path)

    told = play([path], story, crossing(500))
    (compacted,) = told.events("compacted")
    assert compacted["file"] == str(path.with_name("run.compacted.jsonl"))
    assert is_tail("anthropic", path.with_name("run.compacted.jsonl").read_bytes(), path.read_bytes())


def test_the_limit_is_told_again_only_when_it_is_crossed_again(tmp_path):
    """The client compacts by itself: the context is small again, and fills up once more."""
    path = session_file(tmp_path / "run.jsonl", "claude-code", 3, output=LONG)
    boundary = b'{"type":"system","subtype":"compact_boundary","uuid":"b1","compactMetadata":{"postTokens":50}}\n'

    def story(loop: Play) -> None:
        assert loop.says("compacted", path)
        append(path, turn(4, "claude-code"))
        loop.update(path)
        append(path, boundary)
        loop.update(path)
        assert len(loop.events("limit")) == 1
        for number in range(5, 9):
            append(path, turn(number, "claude-code"))
        assert loop.says("limit", path, times=2)

    assert len(play([path], story, crossing(1500)).events("compacted")) == 2


def test_the_command_of_the_limit_is_told_both_files_and_its_failure_is_its_own(path, tmp_path):
    noted = tmp_path / "noted"

    def story(loop: Play) -> None:
        assert eventually(lambda: noted.exists() and noted.read_text().endswith("\n"))
        append(path, turn(3))
        loop.update(path)
        assert eventually(lambda: not loop.loop._crossing)

    command = f'echo "$MEMCLI_TRANSCRIPT $MEMCLI_COMPACTED" > {noted}; exit 9'
    told = play([path], story, crossing(500), on_limit=command)
    assert noted.read_text() == f"{path} {path.with_name('run.compacted.jsonl')}\n"
    assert told.code == 143


def test_a_compacted_file_that_cannot_be_written_is_a_warning_and_the_command_is_not_run(path, tmp_path):
    path.with_name("run.compacted.jsonl").mkdir()

    def story(loop: Play) -> None:
        assert loop.says("warning", path)
        append(path, turn(3))
        loop.update(path)

    told = play([path], story, crossing(500), on_limit=f"touch {tmp_path / 'ran'}")
    assert "no compacted transcript was written" in str(told.events("warning")[0]["reason"])
    assert told.events("compacted") == []
    assert not (tmp_path / "ran").exists()
