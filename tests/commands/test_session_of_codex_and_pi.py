"""`memcli compact --session` for Codex, pi and OpenClaw: the new session lies where the client finds it, under an id of
its own."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from memcli.hosts import known
from tests.builders import is_tail
from tests.cli.command import fails, memcli
from tests.commands.states import grown
from tests.hosts.recorded import begin

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.hosts.recorded import Recorded


def made(host: Recorded, project: Path, *more: object) -> Path:
    """The new session, by the one line that was printed."""
    ran = memcli("compact", "--session", *more, cwd=project)
    assert ran.code == 0, ran.err
    words = shlex.split(ran.out)
    return next(path for path, _ in host.files(host.folders(project)) if host.resume(path) == words)


def names_itself(host: Recorded, path: Path) -> bool:
    """The id within is that by which the client finds the file."""
    told = host.told(path)
    return told is not None and told.session in path.name and told.session in host.resume(path)


def test_it_is_found_by_its_id_and_holds_memory_and_tail(host: Recorded, project: Path) -> None:
    transcript = begin(host, project)
    before = transcript.read_bytes()
    path = made(host, project)
    assert names_itself(host, path)
    assert host.belongs(path, project)
    assert path != transcript
    assert is_tail(host.format, path.read_bytes(), before)
    assert transcript.read_bytes() == before


def test_repeating_names_the_same_session_also_when_it_was_gone_on_in(host: Recorded, project: Path) -> None:
    transcript = begin(host, project)
    path = made(host, project, "-q")
    path.write_bytes(grown := path.read_bytes() + b'{"type":"custom"}\n')
    assert made(host, project, transcript) == path
    assert path.read_bytes() == grown


def test_another_tail_of_the_same_moment_is_another_session(host: Recorded, project: Path) -> None:
    grown(begin(host, project), host.format)
    first, other = made(host, project), made(host, project, "--keep-turns", 2)
    assert first != other
    assert names_itself(host, other)


def test_it_is_not_the_newest_until_somebody_goes_on_in_it(host: Recorded, project: Path) -> None:
    transcript = begin(host, project)
    path = made(host, project)
    assert known.newest_session(project) == transcript
    path.write_bytes(path.read_bytes() + b"\n")
    assert known.newest_session(project) == path


def test_from_another_directory_the_way_is_told(host: Recorded, project: Path, tmp_path: Path) -> None:
    ran = memcli("compact", "--session", begin(host, project), cwd=tmp_path)
    way = "" if host.name == "openclaw" else f"cd {project} && "  # its agents know their workspace
    assert ran.out.startswith(f"{way}{host.resume(project)[0]} ")


def test_a_transcript_without_a_header_is_no_session(host: Recorded, project: Path) -> None:
    lines = begin(host, project).read_bytes().splitlines(keepends=True)
    (project / "run.jsonl").write_bytes(b"".join(lines[1:]))
    code, sentence = fails(memcli("compact", "--session", project / "run.jsonl", cwd=project))
    whose = next(one.title for one in known.HOSTS if one.format == host.format)
    assert (code, sentence) == (2, f"{project / 'run.jsonl'} does not begin as a session of {whose}")


def test_which_agent_is_meant_is_said(host: Recorded, project: Path) -> None:
    transcript = begin(host, project)
    ran = memcli("compact", cwd=project)
    assert f"memcli: taking {transcript}, a session of {host.title}\n" in ran.err
    assert json.loads(ran.out.splitlines()[0])
