"""`memcli watch` over files that grow, half lines included, and over everything else that happens to files."""

from __future__ import annotations

import signal

import pytest

from tests.builders import PATIENCE, Script, eventually, is_tail, pairs_are_whole, session, told
from tests.cli.command import fails, memcli
from tests.e2e.swaps import compacted, memory_of

LONG = "the wheel turns and the water runs; " * 60
SOON = ("--init-tokens", "200", "--update-tokens", "200")


def append(path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_a_growing_file_is_remembered_and_compact_is_right_at_any_moment(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    path.touch()
    daemon = watch(path, *SOON)
    assert daemon.says("following")
    data = session("claude-code", turns=6, rounds=2, output=LONG)
    for number in range(40):
        append(path, data[len(data) * number // 40 : len(data) * (number + 1) // 40])
        if number % 8 == 7:
            out = compacted(path)
            seen = path.read_bytes()
            assert is_tail("claude-code", out, seen[: seen.rfind(b"\n") + 1])
            assert pairs_are_whole("claude-code", out)
    assert daemon.says("updated")
    assert memcli("update", path, "--wait", PATIENCE).code == 0
    assert "please do step 5 of the plan" in (tmp_path / "session-memory.md").read_text()


def test_no_memory_before_the_first_threshold(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("anthropic", 2))
    other = tmp_path / "long.jsonl"
    other.write_bytes(session("anthropic", 30, output=LONG))
    daemon = watch(path, other)
    assert daemon.says(f"updated {other}")
    assert f"updated {path}" not in daemon.heard


def test_the_memory_of_a_daemon_is_that_of_one_pass(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    data = session("codex", 5, rounds=2, output=LONG)
    path.write_bytes(data[: len(data) // 2])
    daemon = watch(path, *SOON)
    assert daemon.says("updated")
    append(path, data[len(data) // 2 :])
    assert memcli("update", path, "--wait", PATIENCE).code == 0
    (tmp_path / "alone").mkdir()
    alone = tmp_path / "alone" / "run.jsonl"
    alone.write_bytes(data)
    assert memory_of(alone) == (tmp_path / "session-memory.md").read_text()


def test_a_second_daemon_is_refused(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("pi"))
    assert watch(path).says("following")
    code, sentence = fails(memcli("watch", "-q", path))
    assert code == 5
    assert "is already watched by process" in sentence


def test_sigterm_ends_it_with_143(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("pi"))
    daemon = watch(path)
    assert daemon.says("following")
    assert daemon.end() == 143


def test_ctrl_c_ends_it_with_130_and_no_traceback(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("pi"))
    daemon = watch(path)
    assert daemon.says("following")
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.process.wait() == 130
    assert "Traceback" not in daemon.heard


def test_stop_ends_it_and_says_so(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("pi"))
    daemon = watch(path)
    assert daemon.says("following")
    assert memcli("stop", path).err == f"memcli: stopped process {daemon.process.pid}\n"
    assert daemon.process.wait() == 143


def test_killed_and_appended_to_compact_is_still_right(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    script = Script("claude-code").turn(0, output=LONG).turn(1, output=LONG)
    path.write_bytes(script.data)
    daemon = watch(path, *SOON)
    assert daemon.says("updated")
    daemon.kill()
    script.turn(2).prompt("and now?")
    path.write_bytes(script.data)
    assert is_tail("claude-code", memcli("compact", path).out.encode(), script.data)


def test_killed_and_started_again_it_goes_on(tmp_path, watch):
    path = tmp_path / "run.jsonl"
    data = session("claude-code", 8, output=LONG)
    path.write_bytes(data[: len(data) // 2])
    first = watch(path, *SOON)
    assert first.says("updated")
    first.kill()
    append(path, data[len(data) // 2 :])
    second = watch(path, *SOON)
    assert second.says("updated")
    assert memcli("update", path, "--wait", PATIENCE).code == 0
    assert is_tail("claude-code", compacted(path), data)
    assert "step 7 of the plan" in (tmp_path / "session-memory.md").read_text()


def shorter(path) -> None:
    path.write_bytes(session("claude-code", 1, output=LONG))


def renamed_over(path) -> None:
    other = path.with_name("other")
    other.write_bytes(session("claude-code", 1, output=LONG * 2))
    other.replace(path)


def made_anew(path) -> None:
    path.unlink()
    path.write_bytes(session("claude-code", 1, output=LONG * 3))


@pytest.mark.parametrize("happens", [shorter, renamed_over, made_anew])
def test_another_file_under_the_same_name_is_another_session(tmp_path, watch, happens):
    path = tmp_path / "run.jsonl"
    path.write_bytes(session("claude-code", 4, output=LONG))
    daemon = watch(path, *SOON)
    assert daemon.says("updated")
    happens(path)
    assert daemon.says("replaced")
    assert daemon.says("updated", times=2)
    assert "step 3 of the plan" not in (tmp_path / "session-memory.md").read_text()
    assert is_tail("claude-code", compacted(path), path.read_bytes())


def test_a_directory_is_watched_for_new_transcripts(tmp_path, watch):
    room = tmp_path / "room"
    (room / "deep").mkdir(parents=True)
    daemon = watch(room, *SOON)
    assert daemon.says("backend")
    (room / "a.jsonl").write_bytes(session("pi", output=LONG))
    (room / "deep" / "b.jsonl").write_bytes(session("openai", output=LONG))
    (room / "notes.jsonl").write_text("hello\n")
    assert daemon.says(f"updated {room / 'a.jsonl'}")
    assert daemon.says(f"updated {room / 'deep' / 'b.jsonl'}")
    assert f"updated {room / 'notes.jsonl'}" not in daemon.heard


def test_a_link_is_watched_where_it_points(tmp_path, watch):
    real, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    real.write_bytes(session("pi", output=LONG))
    link.symlink_to(real)
    assert watch(link, *SOON).says("updated")
    assert told("pi", compacted(link)) == told("pi", compacted(real))


def test_at_the_context_limit_the_compacted_file_is_written_and_the_command_runs_once(tmp_path, watch):
    path, noted = tmp_path / "run.jsonl", tmp_path / "noted"
    path.write_bytes(session("anthropic", 4, output=LONG))
    daemon = watch(path, "--context-limit", "1000", "--on-limit", f'echo "$MEMCLI_COMPACTED" >> {noted}')
    assert daemon.says("compacted")
    append(path, Script("anthropic").turn(9, output=LONG).data)
    assert memcli("update", path, "--wait", PATIENCE).code == 0
    compact = tmp_path / "run.compacted.jsonl"
    assert eventually(lambda: noted.exists() and noted.read_text())
    assert noted.read_text() == f"{compact}\n"
    assert is_tail("anthropic", compact.read_bytes(), session("anthropic", 4, output=LONG))
    assert f"following {compact}" not in daemon.heard
