"""install and uninstall on real files: the change is shown first, and nothing is left that was not there."""

from __future__ import annotations

import json
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from memcli.errors import TryAgain
from memcli.hosts.claude_code import config_dir
from memcli.hosts.installation import SLASH, Installation
from tests.cli.command import Ran, environment, memcli
from tests.cli.terminal import Terminal
from tests.hosts.test_hooks_in_settings import SETTINGS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The `.claude` of a project; it is not there yet."""
    return tmp_path / "project" / ".claude"


def run(verb: str, place: Path, *more: str) -> Ran:
    place.parent.mkdir(exist_ok=True)
    return memcli(verb, "claude-code", "--project", *more, cwd=place.parent)


def files(place: Path) -> dict[str, bytes]:
    """All that lies below the project, directories too."""
    found = sorted(place.parent.rglob("*"))
    return {str(path.relative_to(place.parent)): path.read_bytes() if path.is_file() else b"" for path in found}


def settings(place: Path, text: str, mode: int = 0o644) -> Path:
    place.mkdir(parents=True)
    path = place / "settings.json"
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_after_install_and_uninstall_every_byte_is_as_it_was(place: Path, text: str) -> None:
    settings(place, text)
    before = files(place)
    there = Installation(place)
    there.carry_out(there.to_install())
    assert files(place) != before
    there.carry_out(there.to_uninstall())
    assert files(place) == before


def test_what_the_client_wrote_since_the_change_was_shown_is_not_lost(place: Path) -> None:
    path = settings(place, "{}")
    there = Installation(place)
    plan = there.to_install()
    path.write_text('{"model": "opus"}')
    with pytest.raises(TryAgain):
        there.carry_out(plan)
    assert files(place)[".claude/settings.json"] == b'{"model": "opus"}'
    assert not (place / "commands").exists()


def test_where_no_file_was_there_is_none_again(place: Path) -> None:
    assert run("install", place, "--yes").code == 0
    assert set(files(place)) == {".claude", ".claude/settings.json", ".claude/commands", ".claude/commands/memcli.md"}
    assert run("uninstall", place, "--yes").code == 0
    assert files(place) == {}


def test_the_change_is_shown_and_not_made(place: Path) -> None:
    ran = run("install", place, "--dry-run")
    assert ran.code == 0
    assert "+++" in ran.out
    assert "hook session-start" in ran.out
    assert files(place) == {}


def test_nobody_to_ask_is_a_no(place: Path) -> None:
    ran = run("install", place)
    assert (ran.code, ran.err.splitlines()[-1]) == (2, "Try: memcli install claude-code --project --yes")
    assert files(place) == {}
    assert memcli(*ran.err.split("Try: memcli ")[1].split(), cwd=place.parent).code == 0


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_twice_is_as_good_as_once(place: Path, verb: str) -> None:
    run("install", place, "--yes")
    run(verb, place, "--yes")
    before = files(place)
    ran = run(verb, place, "--yes")
    assert (ran.code, ran.out) == (0, "")
    assert files(place) == before


def test_the_user_is_the_default(own_home: Path, tmp_path: Path) -> None:
    assert memcli("install", "claude-code", "--yes", cwd=tmp_path).code == 0
    hooks = json.loads((own_home / ".claude" / "settings.json").read_text())["hooks"]
    assert set(hooks) == {"SessionStart", "PreCompact"}


def test_a_symlink_stays_one_and_a_mode_stays(place: Path, tmp_path: Path) -> None:
    real = settings(tmp_path / "dotfiles", "{}\n", 0o640)
    place.mkdir(parents=True)
    (place / "settings.json").symlink_to(real)
    run("install", place, "--yes")
    assert (place / "settings.json").is_symlink()
    assert "session-start" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    run("uninstall", place, "--yes")
    assert real.read_bytes() == b"{}\n"


def test_bytes_that_are_no_text_stay(place: Path) -> None:
    path = settings(place, "")
    path.write_bytes(b'{"a": "\xff\xfe"}')
    run("install", place, "--yes")
    assert b'"\xff\xfe"' in path.read_bytes()
    run("uninstall", place, "--yes")
    assert path.read_bytes() == b'{"a": "\xff\xfe"}'


def test_what_others_add_meanwhile_stays(place: Path) -> None:
    path = settings(place, SETTINGS["other hooks"])
    run("install", place, "--yes")
    path.write_text(path.read_text().replace('"model": "opus"', '"model": "sonnet"'))
    run("uninstall", place, "--yes")
    assert path.read_text() == SETTINGS["other hooks"].replace('"model": "opus"', '"model": "sonnet"')


def test_a_file_that_somebody_formatted_anew_loses_our_hooks_alone(place: Path) -> None:
    path = settings(place, SETTINGS["other hooks"])
    run("install", place, "--yes")
    path.write_text(json.dumps(json.loads(path.read_text()), indent=7))
    run("uninstall", place, "--yes")
    assert json.loads(path.read_text()) == json.loads(SETTINGS["other hooks"])


def test_without_the_note_it_works_too(place: Path, own_home: Path) -> None:
    settings(place, SETTINGS["on lines"])
    before = files(place)
    run("install", place, "--yes")
    for note in own_home.rglob("installed/*.json"):
        note.unlink()
    run("uninstall", place, "--yes")
    assert {name: data for name, data in files(place).items() if name != ".claude/commands"} == before


def test_hooks_of_an_older_place_are_replaced(place: Path) -> None:
    old = "command -v /old/memcli >/dev/null && /old/memcli hook session-start || true"
    path = settings(place, json.dumps({"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": old}]}]}}))
    run("install", place, "--yes")
    assert path.read_text().count("hook session-start") == 1
    assert "/old/memcli" not in path.read_text()


def test_a_slash_command_of_the_users_own_is_left_alone(place: Path) -> None:
    settings(place, "{}")
    (place / "commands").mkdir()
    own = place / "commands" / "memcli.md"
    own.write_text("my own")
    run("install", place, "--yes")
    run("uninstall", place, "--yes")
    assert own.read_text() == "my own"


def test_an_edited_slash_command_is_left_behind(place: Path) -> None:
    run("install", place, "--yes")
    own = place / "commands" / "memcli.md"
    own.write_text(SLASH + "and more")
    run("uninstall", place, "--yes")
    assert set(files(place)) == {".claude", ".claude/commands", ".claude/commands/memcli.md"}


@pytest.mark.parametrize("text", ["[]", '{"hooks": 1}', "{'a': 1}"])
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_what_cannot_be_edited_is_said_and_left(place: Path, verb: str, text: str) -> None:
    settings(place, text)
    ran = run(verb, place, "--yes")
    assert (ran.code, ran.err.startswith("Error: "), "cannot be edited" in ran.err) == (2, True, True)
    assert files(place) == {".claude": b"", ".claude/settings.json": text.encode()}


def test_another_host_is_a_wrong_word(tmp_path: Path) -> None:
    ran = memcli("install", "emacs", cwd=tmp_path)
    assert (ran.code, ran.err.splitlines()[1]) == (2, "Try: memcli install claude-code --dry-run")


def test_the_hook_works_as_it_is_written(place: Path) -> None:
    """As the client runs it, by a shell; and where the program is gone, it fails nothing."""
    run("install", place, "--yes")
    hooks = json.loads((place / "settings.json").read_text())["hooks"]
    for listed in hooks.values():
        written = listed[0]["hooks"][0]["command"]
        for line in (
            written,
            written.replace("python", "no-such-python"),
            written.replace("memcli hook", "memcli nothing"),
        ):
            done = subprocess.run(
                ["/bin/sh", "-c", line], input=b"{}", capture_output=True, env=environment(), check=False
            )
            assert (done.returncode, done.stdout) == (0, b"")


def test_at_a_terminal_the_person_is_asked(place: Path) -> None:
    for answer, written in (("n\n", False), ("y\n", True)):
        terminal = Terminal("install", "claude-code", "--user")
        assert terminal.shows(r"\+.*hook session-start.*")
        assert terminal.shows(r"Write this\? \[y/N\] ")
        assert terminal.end(answer) == (0 if written else 1)
        assert (config_dir() / "settings.json").exists() == written
