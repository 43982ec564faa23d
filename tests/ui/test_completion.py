"""Completions, asked of the real shells. What is not installed is not asked."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.builders import session_file
from tests.cli.command import memcli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ASKING_BASH = """
source {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_memcli
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

ASKING_ZSH = """
stty rows 200 cols 200
PS1=
TERM=dumb
autoload -Uz compinit && compinit -D -u
zstyle ':completion:*' verbose no
zstyle ':completion:*' insert-tab false
unsetopt zle_bracketed_paste
source {script}
exec {{idle}}</dev/null
asked() {{ zle expand-or-complete; zle -F $idle shown }}
shown() {{ zle -F $1; print -n SHOW''N }}
zle -N asked
bindkey '^I' asked
print READ''Y
"""


@pytest.fixture
def room(tmp_path):
    """A directory with two transcripts, one with a blank in its name, and things that are none."""
    room = tmp_path / "room"
    (room / "deep").mkdir(parents=True)
    session_file(room / "run.jsonl")
    session_file(room / "my run.jsonl")
    (room / "notes.txt").write_text("no transcript")
    return room


def bash(script: Path, words: list[str], room: Path) -> list[str]:
    asked = ASKING_BASH.format(script=script, words=" ".join(map(shlex.quote, words)))
    return said(["bash", "--norc", "-c", asked], room)


def fish(script: Path, words: list[str], room: Path) -> list[str]:
    line = shlex.quote(" ".join(words))
    lines = said(["fish", "--no-config", "-c", f"source {script}; complete -C {line}"], room)
    return [line.split("\t")[0].replace("\\ ", " ") for line in lines]


def zsh(script: Path, words: list[str], room: Path) -> list[str]:
    """In a terminal of its own: zsh has no other way. What can only be meant stands in the line, the rest below it."""
    terminal, other = pty.openpty()
    shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=other, stdout=other, stderr=other, cwd=room)
    os.close(other)
    try:
        os.write(terminal, ASKING_ZSH.format(script=script).encode())
        heard(terminal, "READY\r\n")
        os.write(terminal, f"{' '.join(words)}\t".encode())
        shown = heard(terminal, "SHOWN")  # said once the shell has shown what it has, and waits for keys again
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)
    found = [word.strip() for word in re.split(r"\s{2,}|(?<!\\) |[\r\n]", shown.partition("SHOWN")[0])]
    return [word.replace("\\ ", " ").rstrip("/") for word in found if word not in ("", *words[:-1])]


def heard(terminal: int, words: str) -> str:
    found = b""
    while words.encode() not in found:
        found += os.read(terminal, 4096)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|.\x08", "", found.decode())


def said(command: list[str], room: Path) -> list[str]:
    ran = subprocess.run(command, capture_output=True, text=True, cwd=room, check=True)
    assert ran.stderr == ""
    return [line.rstrip("/") for line in ran.stdout.splitlines() if line]


SHELLS: dict[str, Callable[[Path, list[str], Path], list[str]]] = {"bash": bash, "zsh": zsh, "fish": fish}


@pytest.fixture(params=SHELLS)
def offered(request, tmp_path, room):
    """What a shell offers for the last of these words."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    ran = memcli("completion", request.param)
    assert (ran.code, ran.err) == (0, "")
    script = tmp_path / "script"
    script.write_text(ran.out)
    return lambda *words: SHELLS[request.param](script, ["memcli", *words], room)


def test_verbs_are_offered(offered):
    assert {"compact", "compare", "completion", "config"} <= set(offered("co"))


def test_verbs_of_a_group_are_offered(offered):
    assert "show" in offered("config", "s")


def test_options_of_the_verb_are_offered(offered):
    found = offered("compact", "--keep-t")
    assert {"--keep-turns", "--keep-tokens"} <= set(found)
    assert "--output" not in found
    assert "--keep-turns" not in offered("stop", "--keep-t")


def test_values_of_an_option_are_offered(offered):
    assert {"incremental", "cached", "traditional"} <= set(offered("watch", "--strategy", ""))


def test_transcripts_and_directories_are_offered(offered):
    found = set(offered("compact", ""))
    assert {"run.jsonl", "my run.jsonl", "deep"} <= found
    assert "notes.txt" not in found


def test_any_file_is_offered_where_any_will_do(offered):
    assert "notes.txt" in offered("compact", "run.jsonl", "-o", "")


def test_a_shell_without_completions_is_an_error():
    ran = memcli("completion", "tcsh")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("Try: memcli completion bash\n")
