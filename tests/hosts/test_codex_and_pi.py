"""Codex, pi and OpenClaw on this machine: which sessions are theirs, which live, whose watcher is whose."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from memcli.errors import AlreadyWatched
from memcli.hosts import known
from memcli.hosts.own import OWN_WORDS
from memcli.hosts.source import LIVE_SECONDS
from tests.hosts.client import Client
from tests.hosts.recorded import ONE, TWO, begin

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.hosts.recorded import Recorded


def test_a_session_lies_where_the_client_looks(host: Recorded, project: Path) -> None:
    path = begin(host, project)
    assert host.is_session(path)
    assert known.host_of(path) is host
    assert ONE in host.resume(path)


def test_a_copy_elsewhere_is_no_session_of_it(host: Recorded, project: Path) -> None:
    path = begin(host, project)
    copy = project / path.name
    copy.write_bytes(path.read_bytes())
    assert known.host_of(copy) is None


def test_a_session_that_is_written_to_is_live_and_an_old_one_is_not(host: Recorded, project: Path) -> None:
    path = begin(host, project)
    begin(host, project, TWO, LIVE_SECONDS + 60)
    assert host.source(project).paths() == {path}


def test_of_other_projects_only_all_tells(host: Recorded, project: Path, tmp_path: Path) -> None:
    here, there = begin(host, project), begin(host, tmp_path, TWO)
    assert host.source(project).paths() == {here}
    assert host.source(None).paths() == {here, there}


def test_a_session_that_comes_later_is_found_in_a_directory_that_is_watched(host: Recorded, project: Path) -> None:
    source = host.source(project)
    with source.acquire(time.time()):
        assert source.paths() == set()
        assert all(path.is_dir() for path in source.flat if host.root not in path.parents)
        path = begin(host, project)
        assert source.paths() == {path}
        assert path.parent in source.flat


def test_a_session_of_our_own_summarizer_is_none(host: Recorded, project: Path) -> None:
    path = begin(host, project)
    path.write_bytes(path.read_bytes().replace(b"fix the parser", OWN_WORDS))
    assert host.source(project).paths() == set()
    assert host.newest_session(project) is None


@pytest.mark.parametrize("first", [b"", b"{", b"[]\n", b'{"type":"session"}\n', b'{"type":"session_meta"}\n'])
def test_a_file_that_does_not_begin_as_a_session_is_passed_over(host: Recorded, project: Path, first: bytes) -> None:
    begin(host, project).write_bytes(first)
    assert host.source(None).paths() == set()
    assert known.newest_session(project) is None


def test_the_newest_session_is_the_one_that_was_written_to_last(host: Recorded, project: Path) -> None:
    begin(host, project, ONE, 60)
    newer = begin(host, project, TWO, 30)
    begin(host, project.parent, "55555555-5555-4555-8555-555555555555")
    assert known.newest_session(project) == newer


def test_of_several_hosts_the_last_one_counts(host: Recorded, project: Path) -> None:
    claude = Client(project).session()
    os.utime(claude, (time.time() - 60,) * 2)
    path = begin(host, project)
    assert known.newest_session(project) == path
    os.utime(claude, (time.time() + 60,) * 2)
    assert known.newest_session(project) == claude


def test_a_session_that_goes_between_two_looks_is_not_the_newest(
    host: Recorded, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude = Client(project).session()
    os.utime(claude, (time.time() - 60,) * 2)
    gone = project / "gone.jsonl"
    monkeypatch.setattr(type(host), "newest_session", lambda *_: gone)
    assert known.newest_session(project) == claude
    claude.unlink()
    assert known.newest_session(project) is None


def test_a_source_has_one_watcher(host: Recorded, project: Path) -> None:
    path = begin(host, project)
    with host.source(project).acquire(time.time()):
        assert known.held_over(path) == known.held_in(project) == host.lock_file(project)
        with pytest.raises(AlreadyWatched, match=f"the {host.title} sessions of this project are already watched"):
            host.source(project).acquire(time.time())
    assert known.held_over(path) is None


def test_who_watches_all_watches_each(host: Recorded, project: Path) -> None:
    path = begin(host, project)
    with host.source(None).acquire(time.time()):
        assert known.held_over(path) == host.lock_file(None)


def test_a_codex_thread_of_a_sub_agent_is_not_followed(project: Path) -> None:
    codex: Recorded = known.named("codex")  # type: ignore[assignment]
    begin(codex, project, source={"subagent": {"thread_spawn": {"parent_thread_id": TWO}}})
    assert codex.source(project).paths() == set()


def test_a_command_of_codex_means_its_own_session(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codex: Recorded = known.named("codex")  # type: ignore[assignment]
    own = begin(codex, project, ONE, 60)
    begin(codex, project, TWO)
    monkeypatch.setenv("CODEX_THREAD_ID", ONE)
    assert known.newest_session(project) == own


def test_an_old_session_that_goes_on_is_found_in_its_old_day(project: Path) -> None:
    codex: Recorded = known.named("codex")  # type: ignore[assignment]
    old = begin(codex, project)
    for day in range(1, 9):
        (codex.root / "2030" / "01" / f"{day:02}").mkdir(parents=True)
    source = codex.source(project)
    assert source.paths() == {old}
    assert source.paths() == {old}
    assert old.parent in source.flat


def test_homes_can_be_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_HOME", str(project / "c"))
    monkeypatch.setenv("PI_CODING_AGENT_DIR", str(project / "p"))
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(project / "o"))
    for host in known.HOSTS[1:]:
        path = begin(host, project)  # type: ignore[arg-type]
        assert path.is_relative_to(project)
        assert known.host_of(path) is host


def test_pi_may_keep_all_projects_in_one_folder(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PI_CODING_AGENT_SESSION_DIR", str(tmp_path / "all"))
    pi: Recorded = known.named("pi")  # type: ignore[assignment]
    path, other = begin(pi, project), begin(pi, tmp_path, TWO)
    assert path.parent == other.parent == tmp_path / "all"
    assert pi.source(project).paths() == {path}


def test_what_memcli_writes_beside_a_session_is_none(host: Recorded, project: Path) -> None:
    path = begin(host, project)
    for name in (f"{path.stem}.compacted.jsonl", f"{path.stem}.session-memory.md", f".{path.name}.ab12.tmp"):
        (path.parent / name).write_bytes(path.read_bytes())
    assert host.source(None).paths() == {path}


def test_a_codex_project_is_known_by_each_of_its_names(project: Path, tmp_path: Path) -> None:
    codex: Recorded = known.named("codex")  # type: ignore[assignment]
    (tmp_path / "link").symlink_to(project)
    path = begin(codex, tmp_path / "link")
    assert codex.newest_session(project) == path
    assert codex.source(project).paths() == {path}
