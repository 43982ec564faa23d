"""`memcli service`: what it writes and what it tells the manager, which is a small program of ours here."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
import sys

import msgspec
import pytest

from memcli.commands import service, units
from memcli.commands.reports import Unit
from memcli.commands.service import Wish
from memcli.errors import MemcliError, NothingThere
from tests.cli.command import fails, memcli

MANAGER = """#!/bin/sh
printf '%s\\n' "$*" >> {room}/told
case "$*" in
  *is-active*) cat {room}/state ;;
  *Linger*) cat {room}/linger ;;
  print*) echo "state = running" ;;
  *start*|*bootstrap*) echo active > {room}/state ;;
  *"disable --now"*) echo inactive > {room}/state ;;
esac
exec test ! -e {room}/broken
"""


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """A directory with what the manager was told, before anything on PATH."""
    room = tmp_path / "manager"
    room.mkdir()
    for name in ("systemctl", "loginctl", "launchctl"):
        (room / name).write_text(MANAGER.format(room=room))
        (room / name).chmod(0o755)
    (room / "told").touch()
    (room / "state").write_text("inactive\n")
    (room / "linger").write_text("yes\n")
    monkeypatch.setenv("PATH", f"{room}{os.pathsep}{os.environ['PATH']}")
    return room


@pytest.fixture
def unit(own_home):
    return own_home / "xdg_config_home" / "systemd" / "user" / units.UNIT


def told(manager) -> list[str]:
    return (manager / "told").read_text().replace("--user ", "").splitlines()


def test_it_shows_what_it_writes_and_starts_the_service(manager, unit):
    ran = memcli("service", "install")
    assert ran.code == 0
    assert ran.out == unit.read_text()
    assert told(manager)[1:4] == ["daemon-reload", "enable memcli.service", "restart memcli.service"]
    assert f"ExecStart={sys.executable} -P -m memcli watch --claude-code --all\n" in ran.out


def test_repeating_it_writes_nothing_and_disturbs_nobody(manager, unit):
    memcli("service", "install")
    before = unit.stat().st_ino
    ran = memcli("service", "install")
    assert (ran.code, ran.out) == (0, "")
    assert unit.stat().st_ino == before
    assert told(manager).count("restart memcli.service") == 1


def test_what_is_watched_is_what_was_said_from_where_it_was_said(manager, unit, tmp_path):
    memcli("service", "install", "run.jsonl", "--context-limit", "9000", "--no-start", cwd=tmp_path)
    text = unit.read_text()
    assert "watch run.jsonl --context-limit 9000\n" in text
    assert f"WorkingDirectory={tmp_path}\n" in text
    assert told(manager) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--nonsense"], 2),
        (["--budget", "many"], 2),
        (["--budget", "10"], 2),
        (["-"], 2),
        (["no/run.jsonl"], 3),
        (["--codex", "--pi"], 2),
        (["--all"], 2),
        (["--all", "run.jsonl"], 2),
        (["--pi", "--project", "no"], 3),
    ],
)
def test_what_watch_would_refuse_is_refused_before_anything_is_written(manager, unit, words, code, tmp_path, person):
    assert fails(person.types(tmp_path, "service", "install", "--no-start", *words))[0] == code
    assert not unit.exists()


def test_it_says_that_the_service_ends_with_the_login_where_it_does(manager):
    assert "enable-linger" not in memcli("service", "install").err
    (manager / "linger").write_text("no\n")
    assert "`loginctl enable-linger` keeps it running" in memcli("service", "install").err
    assert memcli("service", "install", "-q").err == ""


def test_a_directory_that_a_unit_cannot_name_is_refused(manager, unit, tmp_path):
    odd = tmp_path / "two\nlines"
    odd.mkdir()
    ran = memcli("service", "install", "run.jsonl", cwd=odd)
    assert (ran.code, ran.out) == (1, "")
    assert not unit.exists()


def test_options_that_name_no_sessions_are_for_the_default_ones(manager, tmp_path, person):
    ran = person.types(tmp_path, "service", "install", "--dry-run", "--context-limit", "9000")
    assert "watch --claude-code --all --context-limit 9000\n" in ran.out


def test_a_dry_run_only_shows(manager, unit):
    ran = memcli("service", "install", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert "Type=notify\n" in ran.out
    assert not unit.exists()
    assert told(manager) == []


def test_uninstall_stops_the_service_and_takes_away_what_was_written_and_nothing_else(manager, unit):
    unit.parent.mkdir(parents=True)
    other = unit.with_name("other.service")
    other.write_text("[Unit]\n")
    memcli("service", "install", "-q")
    assert memcli("service", "uninstall").code == 0
    assert list(unit.parent.iterdir()) == [other]
    assert told(manager)[-3:] == ["disable --now memcli.service", "reset-failed memcli.service", "daemon-reload"]
    assert memcli("service", "uninstall").code == 3


def test_status_tells_by_its_exit_code_whether_it_runs(manager, unit):
    assert memcli("service", "status").code == 3
    memcli("service", "install", "-q")
    ran = memcli("service", "status", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "schema": "memcli.service/1",
        "manager": "systemd",
        "unit": str(unit),
        "installed": True,
        "state": "active",
    }
    (manager / "state").write_text("failed\n")
    assert memcli("service", "status") == (1, f"systemd: {unit}: failed\n", "")


def test_a_program_is_told_what_was_done(manager, unit):
    told_json = [
        json.loads(memcli("service", *words, "--json").out)
        for words in (["install", "--dry-run"], ["install"], ["install"], ["uninstall"])
    ]
    assert [report["done"] for report in told_json] == ["nothing", "wrote", "nothing", "removed"]
    assert [report["state"] for report in told_json] == [None, "active", "active", None]
    assert [report["text"] is None for report in told_json] == [False, False, False, True]
    assert all(msgspec.convert(report, Unit) for report in told_json)


def test_where_systemd_does_not_run_nothing_is_written_and_the_way_out_works(manager, unit, tmp_path):
    (manager / "broken").touch()
    ran = memcli("service", "install", "run.jsonl", cwd=tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith("Try: memcli service install --dry-run run.jsonl\n")
    assert not unit.exists()
    assert memcli("service", "install", "--dry-run", "run.jsonl", cwd=tmp_path).code == 0


def test_without_any_manager_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MemcliError, match="neither systemd nor launchd") as caught:
        service.install(Wish())
    assert caught.value.hint == "nohup memcli watch --claude-code --all &"


def test_launchd_finds_the_directory_of_its_log_also_when_somebody_else_starts_it(
    manager, own_home, monkeypatch, capfd
):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert service.install(Wish(no_start=True)) == 0
    log = plistlib.loads(capfd.readouterr().out.encode())["StandardErrorPath"]
    assert os.path.isdir(os.path.dirname(log))


def test_on_macos_it_is_an_agent_of_launchd(manager, own_home, monkeypatch, capfd):
    monkeypatch.setattr(sys, "platform", "darwin")
    path = own_home / "Library" / "LaunchAgents" / "org.memcli.watch.plist"
    assert service.install(Wish(("--all",), quiet=True)) == 0
    found = plistlib.loads(path.read_bytes())
    assert found["ProgramArguments"] == [sys.executable, "-P", "-m", "memcli", "watch", "--all"]
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert service.status(as_json=False) == 0
    assert service.uninstall(quiet=True) == 0
    assert told(manager)[-1] == f"bootout gui/{os.getuid()}/org.memcli.watch"
    with pytest.raises(NothingThere):
        service.uninstall(quiet=True)


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("run.jsonl", "run.jsonl"),
        ("my run.jsonl", '"my run.jsonl"'),
        ("", '""'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ('say "x"', '"say \\"x\\""'),
        ("a\\b", '"a\\\\b"'),
        ("a;b", '"a;b"'),
        ("two\nlines", '"two\\x0alines"'),
        ("latin-\udce9", '"latin-\\xe9"'),
    ],
)
def test_words_are_written_as_systemd_reads_them_back(word, written):
    """systemd.syntax(7): quotes and backslashes; %% for %, $$ for $."""
    assert f"ExecStart=memcli {written}\n" in units.systemd(["memcli", word], "/")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_no_fault_in_the_unit(tmp_path, monkeypatch):
    words = [sys.executable, "-m", "memcli", "watch", "a b", "100%h", "$X", 'say "x"', "\\", "line\nend", "ü"]
    (tmp_path / units.UNIT).write_text(units.systemd(words, str(tmp_path)))
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    verify = ["systemd-analyze", "verify", "--user", "--man=no", str(tmp_path / units.UNIT)]
    ran = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
