"""`memcli compact` where the instant route has declined: whatever stands there, the answer is whole."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from memcli.commands.compact import Wish, compact
from memcli.commands.standing import standing_of
from memcli.commands.undo import undo
from memcli.errors import AlreadyWatched, IsDirectory, NoMessages, NotATranscript, NothingThere, TryAgain, Usage
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from tests.builders import FORMATS, MARK, Script, is_tail, pairs_are_whole, session, session_file, tail_of, told
from tests.commands.states import committed, edit, grown, remembered, rested, watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUTES = ("claude-code", "openai")
"""One format that is rewritten and one that is copied."""


@pytest.fixture
def compacted(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., tuple[bytes, str]]:
    """Runs the verb; gives stdout and stderr."""

    def run(path: Path | str, **wish: Any) -> tuple[bytes, str]:
        capfdbinary.readouterr()
        assert compact(str(path), Wish(**wish)) == 0
        out, err = capfdbinary.readouterr()
        return out, err.decode()

    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A transcript of three turns with a memory of all of them."""
    return remembered(session_file(tmp_path / "run.jsonl"))


def memory_of(out: bytes, format: str = "claude-code") -> str:
    """The text of the memory message."""
    return told(format, out)[0][1]


# ------------------------------------------------------------------ which memory


@pytest.mark.parametrize("format", FORMATS)
def test_a_memory_that_stands_is_used(tmp_path: Path, compacted: Any, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    out, err = compacted(path)

    assert committed(path).generation in memory_of(out, format)
    assert "was ready in" in err
    assert err.count("\n") == 1
    assert is_tail(format, out, path.read_bytes())
    assert compacted(path)[0] == out


@pytest.mark.parametrize("format", ROUTES)
def test_without_a_memory_one_is_made_and_committed(tmp_path: Path, compacted: Any, format: str) -> None:
    path = rested(session_file(tmp_path / "run.jsonl", format))
    out, err = compacted(path)

    assert "made now in" in err
    assert standing_of(path).state == "current"
    assert compacted(path)[0] == out
    assert path.read_bytes() == session(format)


@pytest.mark.parametrize("format", FORMATS)
def test_what_came_after_the_memory_follows_it(tmp_path: Path, compacted: Any, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    generation = committed(path).generation
    grown(path, format)
    out, _ = compacted(path)

    assert is_tail(format, out, path.read_bytes())
    assert pairs_are_whole(format, out)
    assert ("user", "please do step 7 of the plan") in tail_of(format, out)
    assert committed(path).generation == generation


def test_half_a_line_at_the_end_is_left_out(run: Path, compacted: Any) -> None:
    whole = compacted(run)[0]
    with run.open("ab") as file:
        file.write(Script("claude-code").turn(5).data[:40])
    assert compacted(run)[0] == whole


def test_a_memory_of_another_transcript_is_not_used(run: Path, compacted: Any) -> None:
    """The file was replaced: everything is read anew."""
    old = committed(run).generation
    rested(session_file(run, "pi", 4))
    out, err = compacted(run)

    assert old not in memory_of(out, "pi")
    assert "made now in" in err
    assert is_tail("pi", out, run.read_bytes())


def test_an_edited_memory_is_taken_as_it_stands(run: Path, compacted: Any) -> None:
    edit(run, "User Intent", "- never push to main")
    out, err = compacted(run)

    assert "was ready in" in err
    assert "## User Intent\n- never push to main" in memory_of(out)
    assert "- never push to main" in Place.of(run).memory.read_text()


def test_an_edit_that_breaks_the_memory_is_heard_by_a_new_one(run: Path, compacted: Any) -> None:
    memory = Place.of(run).memory
    memory.write_text(memory.read_text().replace("## Files\n", "- never push to main\n"))
    out, err = compacted(run)

    assert "made now in" in err
    assert "- never push to main" in memory_of(out)
    assert "## Files\n" in memory_of(out)
    assert "- never push to main" in memory.read_text()


def test_a_rewind_after_the_memory_is_judged_by_a_fresh_reading(run: Path, compacted: Any) -> None:
    """The user went back to the second prompt: the third turn is no part of the conversation any more."""
    prompts = [json.loads(line) for line in run.read_bytes().splitlines() if b"please do step" in line]
    script = Script("claude-code", serial=9000)
    script.leaf = prompts[2]["parentUuid"]
    script.turn(9)
    with run.open("ab") as file:
        file.write(script.data)
    rested(run)
    texts = [text for kind, text in tail_of("claude-code", compacted(run)[0]) if kind == "user"]

    assert "please do step 9 of the plan" in texts
    assert "please do step 2 of the plan" not in texts


def test_fresh_reads_anew_what_a_memory_would_have_answered(run: Path, compacted: Any) -> None:
    wanted, _ = compacted(run)
    _damage(Place.of(run).sidecar / "state")
    out, err = compacted(run, fresh=True)
    assert (out, "refolded now without a model in" in err) == (wanted, True)


def test_fresh_over_the_same_messages_is_the_same_generation(run: Path, compacted: Any) -> None:
    assert compacted(run, fresh=True)[0] == compacted(run)[0]
    assert Store(Place.of(run)).generations.numbers() == [1]


def test_a_budget_makes_a_memory_of_that_size(tmp_path: Path, compacted: Any) -> None:
    script = Script("anthropic")
    for number in range(60):
        script.prompt(f"step {number}: change module_{number}.py so that function_{number} works again")
        script.round(f"The cause in function_{number} is option_{number}.", f"pytest test_{number}.py", "FAILED " * 9)
        script.say(f"Step {number} is done in module_{number}.py.")
    (tmp_path / "run.jsonl").write_bytes(script.data)
    path = remembered(tmp_path / "run.jsonl")
    sizes = [len(memory_of(compacted(path, budget=budget)[0], "anthropic")) for budget in (2_000, 4_000)]

    assert sizes[0] <= 2_000 * 4 + 800  # the frame around the memory has its own size
    assert sizes[0] < sizes[1]


def _damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


# ------------------------------------------------------------------ which tail


@pytest.mark.parametrize("format", FORMATS)
def test_keep_turns_keeps_whole_turns(tmp_path: Path, compacted: Any, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    for turns in (0, 1, 2, 3, 99):
        out, _ = compacted(path, keep_turns=turns)
        prompts = [text for kind, text in tail_of(format, out) if kind == "user"]

        assert prompts == [f"please do step {n} of the plan" for n in range(3)][max(0, 3 - turns) :]
        assert is_tail(format, out, path.read_bytes())


@pytest.mark.parametrize("format", FORMATS)
def test_keep_tokens_keeps_whole_rounds(tmp_path: Path, compacted: Any, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format, rounds=3))
    for tokens in (0, 30, 60, 10**6):
        out, _ = compacted(path, keep_tokens=tokens)
        texts = "".join(text for kind, text in tail_of(format, out) if kind in ("user", "agent"))

        assert is_tail(format, out, path.read_bytes())
        assert pairs_are_whole(format, out)
        assert len(texts) <= tokens * 8
        assert bool(texts) == (tokens > 0)


def test_the_mark_counts_the_covered_messages_of_the_tail(run: Path, compacted: Any) -> None:
    """The successor skips so many: they are in the memory already."""
    covered = [memory_of(compacted(run, keep_turns=turns)[0]).split("covered=")[1][:7] for turns in (0, 1, 2)]
    assert covered == ["0000000", "0000005", "0000010"]


# ------------------------------------------------------------------ where to, and as what


@pytest.mark.parametrize("format", FORMATS)
def test_to_messages_alternates_and_keeps_every_pair(tmp_path: Path, compacted: Any, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    out, _ = compacted(path, to="messages", keep_turns=2)
    roles = [json.loads(line)["role"] for line in out.splitlines()]

    assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert pairs_are_whole("anthropic", out)
    assert memory_of(out, "anthropic").startswith(MARK)


def test_to_messages_leaves_the_open_round_out_and_names_it(run: Path, compacted: Any) -> None:
    script = Script("claude-code", after=run.read_bytes(), serial=7000).prompt("one more")
    script.call("Looking.", "ls", "pwd")
    with run.open("ab") as file:
        file.write(script.data)
    out, err = compacted(run, to="messages")

    assert told("anthropic", out)[-1] == ("user", "one more")
    assert "left out the open round (Bash, Bash)" in err
    assert "left out" not in compacted(run, to="messages", quiet=True)[1]


def test_an_output_file_is_written_whole_and_stdout_stays_empty(run: Path, tmp_path: Path, compacted: Any) -> None:
    wanted, _ = compacted(run)
    assert compacted(run, output=tmp_path / "small.jsonl")[0] == b""
    assert (tmp_path / "small.jsonl").read_bytes() == wanted


def test_an_output_file_keeps_its_mode_and_a_symlink_stays_one(run: Path, tmp_path: Path, compacted: Any) -> None:
    real, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    compacted(run, output=link)

    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_bytes() == compacted(run)[0]


def test_a_pipe_is_written_to_and_not_replaced(run: Path, tmp_path: Path, compacted: Any) -> None:
    """Else `-o /dev/null` of a superuser would replace /dev/null."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        wanted, _ = compacted(run)
        compacted(run, output=tmp_path / "pipe")
        assert os.read(reader, 1_000_000) == wanted
        assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    finally:
        os.close(reader)


@pytest.mark.parametrize("link", [False, True])
def test_the_transcript_itself_is_no_output_file(run: Path, tmp_path: Path, link: bool) -> None:
    before = run.read_bytes()
    if link:
        (tmp_path / "out.jsonl").symlink_to(run)
    with pytest.raises(Usage, match="is the transcript itself"):
        compact(str(run), Wish(output=tmp_path / "out.jsonl" if link else run))
    assert run.read_bytes() == before


def test_quiet_says_nothing(run: Path, compacted: Any) -> None:
    assert compacted(run, quiet=True)[1] == ""
    assert compacted(run, quiet=True, fresh=True)[1] == ""


# ------------------------------------------------------------------ in place, and back


@pytest.mark.parametrize("format", ROUTES)
def test_in_place_replaces_the_transcript_and_undo_brings_it_back(tmp_path: Path, compacted: Any, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    wanted, _ = compacted(path)
    out, err = compacted(path, in_place=True)

    assert out == b""
    assert path.read_bytes() == wanted
    assert "the transcript as it was: " in err
    undo(path, quiet=True)
    assert path.read_bytes() == session(format)


@pytest.mark.parametrize("format", FORMATS)
def test_a_transcript_compacted_in_place_goes_on_and_remembers(tmp_path: Path, compacted: Any, format: str) -> None:
    """The successor knows what its parent knew, and what was said since."""
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    compacted(path, in_place=True, keep_turns=0)
    grown(path, format)
    rested(path)
    out, _ = compacted(path, keep_turns=0)

    assert "please do step 0 of the plan" in memory_of(out, format)
    assert "please do step 7 of the plan" in memory_of(out, format)
    assert memory_of(out, format).count(MARK) == 1


def test_undoing_twice_is_doing_again(run: Path, compacted: Any) -> None:
    compacted(run, in_place=True)
    swapped = run.read_bytes()
    undo(run, quiet=True)
    undo(run, quiet=True)
    assert run.read_bytes() == swapped


def test_undo_says_what_it_did_and_what_would_be_lost(
    run: Path, compacted: Any, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    compacted(run, in_place=True)
    more = grown(run)
    undo(run, quiet=False)
    err = capfdbinary.readouterr().err.decode()

    assert f"{run} is what it was; the compacted one is kept as " in err
    assert f"it had grown by {len(more):,} bytes since" in err


def test_nothing_in_place_is_nothing_to_undo(run: Path) -> None:
    with pytest.raises(NothingThere, match="was not compacted in place"):
        undo(run, quiet=True)


def test_in_place_beside_a_daemon_is_refused_and_nothing_changes(run: Path) -> None:
    before = run.read_bytes()
    with watched(run), pytest.raises(AlreadyWatched):
        compact(str(run), Wish(in_place=True, quiet=True))
    assert run.read_bytes() == before


def test_in_place_waits_for_the_line_that_is_being_written(run: Path) -> None:
    """Half a line is in the file: replacing it now would tear the host's line apart."""
    with run.open("ab") as file:
        file.write(b'{"type":"user","uu')
    before = run.read_bytes()
    try:
        compact(str(run), Wish(in_place=True, quiet=True))
    except TryAgain:
        assert run.read_bytes() == before
    else:
        assert (Place.of(run).sidecar / "backups" / "1.jsonl").read_bytes() == before


# ------------------------------------------------------------------ other sources and places


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("format", ROUTES)
def test_stdin_is_compacted_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compacted: Any, format: str
) -> None:
    monkeypatch.chdir(tmp_path)
    stdin(monkeypatch, session(format))
    out, err = compacted("-")

    assert is_tail(format, out, session(format))
    assert "The full transcript" not in memory_of(out, format)
    assert "made now in" in err
    assert list(tmp_path.iterdir()) == []


def test_stdin_without_messages_is_named_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, b"")
    with pytest.raises(NoMessages, match="stdin"):
        compact("-", Wish())


def a_batch(path: Path, *talks: bytes) -> Path:
    lines = [{"messages": [json.loads(line) for line in talk.splitlines()]} for talk in talks]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_each_conversation_of_a_batch_is_compacted_by_itself(tmp_path: Path, compacted: Any) -> None:
    talks = [session("anthropic", 2), session("anthropic", 3)]
    path = a_batch(tmp_path / "talks.jsonl", *talks)
    out, err = compacted(path)
    found = [json.loads(line)["messages"] for line in out.splitlines()]

    for talk, messages in zip(talks, found, strict=True):
        assert is_tail("anthropic", b"".join(json.dumps(message).encode() + b"\n" for message in messages), talk)
    assert [line.split(": ")[:2] for line in err.splitlines()] == [["memcli", "line 1"], ["memcli", "line 2"]]
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_line_of_a_batch_is_told_and_the_others_are_compacted(tmp_path: Path, compacted: Any) -> None:
    path = a_batch(tmp_path / "talks.jsonl", session("openai"), session("openai"))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:60] + b"\n" + second)
    out, err = compacted(path)

    assert len(out.splitlines()) == 2
    assert "line 2 holds no conversation and is left out\n" in err


def test_a_batch_is_not_replaced_in_place(tmp_path: Path) -> None:
    path = a_batch(tmp_path / "talks.jsonl", session("openai"))
    with pytest.raises(Usage, match="one conversation a line"):
        compact(str(path), Wish(in_place=True))


def test_where_the_directory_takes_no_sidecar_it_lies_in_the_state_directory(
    tmp_path: Path, compacted: Any, own_home: Path
) -> None:
    path = rested(session_file(tmp_path / "run.jsonl"))
    (tmp_path / ".memcli").write_text("in the way, for whoever may write anywhere")
    out, err = compacted(path)

    assert f"{tmp_path} cannot be written: the memory is kept in {own_home}" in err
    assert is_tail("claude-code", out, path.read_bytes())
    assert Place.of(path).memory.is_relative_to(own_home)
    again, err = compacted(path)
    assert (again, "cannot be written" in err) == (out, False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_read_and_left_as_it_is(tmp_path: Path, compacted: Any) -> None:
    path = rested(session_file(tmp_path / "run.jsonl"))
    tmp_path.chmod(0o500)
    try:
        assert is_tail("claude-code", compacted(path)[0], path.read_bytes())
        assert list(tmp_path.iterdir()) == [path]
    finally:
        tmp_path.chmod(0o700)


def test_where_nothing_can_be_written_the_memory_is_made_for_this_once(
    tmp_path: Path, compacted: Any, own_home: Path
) -> None:
    path = rested(session_file(tmp_path / "run.jsonl"))
    (tmp_path / ".memcli").touch()
    own_home.touch()  # no directory: no state can be kept
    assert is_tail("claude-code", compacted(path)[0], path.read_bytes())
    assert sorted(tmp_path.iterdir()) == [tmp_path / ".memcli", path]


# ------------------------------------------------------------------ beside a daemon


def test_a_memory_that_a_daemon_keeps_is_used(run: Path, compacted: Any) -> None:
    wanted, _ = compacted(run)
    with watched(run):
        assert compacted(run)[0] == wanted


def test_beside_a_daemon_a_memory_is_made_but_not_committed(run: Path, compacted: Any) -> None:
    before = committed(run).generation
    with watched(run):
        out, err = compacted(run, fresh=True, budget=2_000)
    assert "refolded now without a model beside the daemon in" in err
    assert is_tail("claude-code", out, run.read_bytes())
    assert committed(run).generation == before


def test_a_quiet_compaction_waits_quietly(run: Path, compacted: Any) -> None:
    grown(run)
    with Lock.acquire(Place.of(run).lock, "update", time.time()):
        assert "waiting for the update in flight" in compacted(run, fresh=True, wait=0.01)[1]
        assert compacted(run, fresh=True, wait=0.01, quiet=True)[1] == ""


def test_a_memory_made_beside_a_daemon_is_known_to_its_successor(run: Path, compacted: Any) -> None:
    """Its generation is recorded, so what was compacted with it can be traced and goes on from its ledger."""
    grown(run)
    with watched(run):
        out, _ = compacted(run, fresh=True)
    name = memory_of(out).split("generation=")[1].split(" ")[0]
    newest = Store(Place.of(run)).generations.newest()

    assert newest is not None
    assert newest.id == name
    assert Store(Place.of(run)).generations.ledger(newest.n)


def test_what_the_user_wrote_stands_in_a_memory_made_beside_a_daemon(run: Path, compacted: Any) -> None:
    edit(run, "User Intent", "- never push to main")
    compacted(run, budget=4000)
    edit(run, "Files", "- never touch mill.py")
    grown(run)
    with watched(run):
        out, _ = compacted(run, budget=4000)
    newest = Store(Place.of(run)).generations.newest()

    assert newest is not None
    assert newest.edits == {"User Intent": "- never push to main", "Files": "- never touch mill.py"}
    assert "- never push to main" in memory_of(out)
    assert "- never touch mill.py" in memory_of(out)


def test_nobody_knows_a_first_memory_beside_a_daemon_that_has_none_yet(tmp_path: Path, compacted: Any) -> None:
    path = session_file(tmp_path / "run.jsonl")
    with watched(path):
        out, _ = compacted(path)
    assert is_tail("claude-code", out, path.read_bytes())
    assert Store(Place.of(path)).generations.numbers() == []


# ------------------------------------------------------------------ what cannot be done


@pytest.mark.parametrize(
    "wish",
    [
        {"to": "html"},
        {"keep_turns": 1, "keep_tokens": 1},
        {"keep_turns": -1},
        {"keep_tokens": -1},
        {"in_place": True, "to": "messages"},
        {"budget": 10},
    ],
)
def test_wishes_that_make_no_sense_are_refused_before_anything_is_done(tmp_path: Path, wish: dict[str, Any]) -> None:
    path = session_file(tmp_path / "run.jsonl")
    with pytest.raises(Usage):
        compact(str(path), Wish(**wish))
    assert list(tmp_path.iterdir()) == [path]


def test_stdin_has_no_place_to_be_replaced_in() -> None:
    with pytest.raises(Usage, match="--in-place"):
        compact("-", Wish(in_place=True))


def test_a_directory_is_no_transcript(tmp_path: Path) -> None:
    with pytest.raises(IsDirectory, match="is a directory"):
        compact(str(tmp_path), Wish())


@pytest.mark.parametrize(("content", "error"), [(b"", NoMessages), (b"hello\nworld\n", NotATranscript)])
def test_what_holds_no_conversation_is_refused(tmp_path: Path, content: bytes, error: type[Exception]) -> None:
    (tmp_path / "run.jsonl").write_bytes(content)
    with pytest.raises(error, match=r"run\.jsonl"):
        compact(str(tmp_path / "run.jsonl"), Wish(quiet=True))


def test_fresh_reads_anew_and_keeps_what_the_user_wrote(run: Path, compacted: Any) -> None:
    edit(run, "User Intent", "- never push to main")
    first, _ = compacted(run)
    out, err = compacted(run, fresh=True)

    assert "refolded now without a model in" in err
    assert "- never push to main" in memory_of(out)
    assert told("claude-code", out)[1:] == told("claude-code", first)[1:]
