"""All roads of `compact` write the same bytes: the instant one, and the program that would answer without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from memcli.sidecar import publisher
from memcli.sidecar.place import Place
from memcli.sidecar.publisher import Signed
from tests.builders import FORMATS, Script, session
from tests.cli.command import command, environment
from tests.commands.states import edit, remembered, rested
from tests.sidecar.published import SESSIONS
from tests.swap.routes import EDITED, KEEPS, LOADED, followed, instant, lines_of, loaded, program

if TYPE_CHECKING:
    from pathlib import Path

    from memcli import head as heads
    from memcli.watch.keeper import Keeper


def test_a_remembered_session_is_answered_at_once_and_the_same(recorded: Path) -> None:
    outputs = {keep: instant(recorded, keep) for keep in KEEPS}

    assert outputs[None]
    assert {keep: program(recorded, keep) for keep in KEEPS if outputs[keep]} == {k: v for k, v in outputs.items() if v}


def test_an_edited_memory_is_answered_at_once_and_the_same(recorded: Path) -> None:
    before = instant(recorded)
    edit(recorded, "User Intent", EDITED)
    edited = instant(recorded)

    assert edited == program(recorded)
    assert edited != before
    assert EDITED.encode() in (edited or b"")


@pytest.mark.parametrize("source", SESSIONS, ids=lambda path: path.stem)
def test_what_the_watcher_saw_last_changes_no_byte(source: Path, tmp_path: Path) -> None:
    """A memory in the middle, then lines that come one by one: the answer is the program's own."""
    lines = lines_of(source)
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    keeper = followed(remembered(path))
    try:
        for number, line in enumerate(lines[len(lines) // 2 :], 1):
            with path.open("ab") as file:
                file.write(line)
            keeper.look(number * 9.0)
            keeper.tick(number * 9.0 + 1, 0.0)
            if number % 7 == 0 and (found := instant(path)):
                assert found == program(path)
    finally:
        keeper.close()


@pytest.mark.parametrize("format", FORMATS)
def test_a_round_that_is_open_and_one_that_closed_are_both_seen(format: str, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session(format))
    keeper = followed(remembered(path))
    script = Script(format, after=path.read_bytes(), serial=500)
    script.prompt("and now the roof")
    ids = script.call("Looking.", "ls", "pwd")
    for number, more in enumerate([script.data, results(format, script, ids)]):
        with path.open("ab") as file:
            file.write(more)
        keeper.look(number * 9.0)
        keeper.tick(number * 9.0 + 1, 0.0)
        assert keeper.head is not None
        assert keeper.head.end == path.stat().st_size
        assert instant(path) == program(path)
    keeper.close()


def results(format: str, script: Script, ids: list[str]) -> bytes:
    before = len(script.data)
    for each in ids:
        script.result(each, "ok\n")
    return script.data[before:]


def test_the_commands_exit_codes_and_bytes_are_the_same(tmp_path: Path) -> None:
    """`--` means nothing and is not among the words that the door knows."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("claude-code"))
    remembered(rested(path))
    plain, past = (
        subprocess.run(command("compact", "-q", *words), capture_output=True, env=environment(), check=False)
        for words in ([path], ["--", path])
    )

    assert (plain.returncode, plain.stdout, plain.stderr) == (past.returncode, past.stdout, past.stderr)
    assert (plain.returncode, plain.stdout[:1]) == (0, b"{")


def test_a_copy_loads_few_modules_and_none_that_is_heavy(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("anthropic", turns=3))
    remembered(path)
    with path.open("ab") as file:
        file.write(b'{"role":"user","content":"words"}\n')
    edit(path, "User Intent", EDITED)
    count, *names = loaded(path)

    assert int(count) <= 40
    assert not {"json", "re", "typing", "pathlib", "typer", "enum", "functools"} & {*names}


def test_without_a_memory_no_command_line_is_built(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("claude-code"))
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, "compact", "-q", str(rested(path))],
        capture_output=True,
        env=environment(),
        text=True,
        check=True,
    )

    assert "memcli.session" in ran.stderr
    assert not {"typer", "pydantic", "rich", "anthropic", "subprocess", "asyncio"} & {*ran.stderr.split()}


def test_a_head_that_cannot_be_read_is_made_anew_once(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("claude-code"))
    remembered(path)
    head = Place.of(path).sidecar / "head"
    head.write_bytes(head.read_bytes()[:-1])
    assert instant(path) is None
    whole = program(path)

    assert instant(path) == whole


@pytest.mark.parametrize("source", SESSIONS, ids=lambda path: path.stem)
def test_a_head_that_follows_the_transcript_knows_what_one_made_anew_would(source: Path, tmp_path: Path) -> None:
    lines = lines_of(source)
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    keeper = followed(remembered(path))
    for number, line in enumerate(lines[len(lines) // 2 :], 1):
        with path.open("ab") as file:
            file.write(line)
        keeper.look(number * 9.0)
        keeper.tick(number * 9.0 + 1, 0.0)
        if number % 5 == 0 and (anew := made_anew(keeper)):
            assert keeper.head is not None
            assert known(keeper.head) == known(anew)
            assert keeper.head.route in (anew.route, "rewrite")
    keeper.close()


def made_anew(keeper: Keeper) -> heads.Head | None:
    """A head of the published memory as if it had been made now; None while a rewind asks for another memory."""
    head, session = keeper.head, keeper.session
    assert head is not None
    assert session is not None
    assert session.document is not None
    cut = next((cut for cut in session.boundaries.cuts if cut.offset == head.covered), None)
    if cut is None or session.marks.epoch != session.marks.published_epoch:
        return None
    publication = session.publication(cut, b"", session.document)
    with open(keeper.path, "rb") as transcript:
        return publisher.make_head(publication, head.format, Signed(head.generation, "ab" * 32), transcript, 1.0)


def known(head: heads.Head) -> dict[str, object]:
    """What a head says of the transcript."""
    names = ("end", "fingerprint", "messages", "tail_messages", "open_calls", "skip", "words")
    return {name: getattr(head, name) for name in names} | {"envelope": json.loads(head.envelope)}


# ------------------------------------------------------------------ where it is written to


def big(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("anthropic", turns=2))
    remembered(path)
    with path.open("ab") as file:
        file.write(b'{"role":"user","content":"%s"}\n' % (b"words " * 1000) * 1000)
    return path


def test_six_megabytes_go_through_a_pipe(tmp_path: Path) -> None:
    path = big(tmp_path)
    with subprocess.Popen(command("compact", "-q", path), stdout=subprocess.PIPE, env=environment()) as ran:
        out = ran.stdout.read() if ran.stdout else b""

    assert out == instant(path)
    assert len(out) > 6_000_000


def test_a_full_pipe_that_does_not_block_is_waited_for(tmp_path: Path) -> None:
    path = big(tmp_path)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with subprocess.Popen(command("compact", "-q", path), stdout=writer, env=environment()) as ran:
        os.close(writer)
        with open(reader, "rb") as pipe:
            out = pipe.read()

    assert (ran.returncode, out == instant(path)) == (0, True)


def test_a_reader_that_has_enough_ends_a_long_copy_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(
        command("compact", "-q", big(tmp_path)), stdout=writer, stderr=subprocess.PIPE, env=environment()
    ) as ran:
        os.close(writer)
        os.read(reader, 10)
        os.close(reader)
        said = ran.stderr.read() if ran.stderr else b""

    assert (ran.returncode, said) == (141, b"")


def test_what_stands_in_a_file_is_appended_to(tmp_path: Path) -> None:
    path = big(tmp_path)
    (tmp_path / "all").write_bytes(b"before\n")
    with (tmp_path / "all").open("ab") as out:
        subprocess.run(command("compact", "-q", path), stdout=out, env=environment(), check=True)

    assert (tmp_path / "all").read_bytes() == b"before\n" + (instant(path) or b"")
