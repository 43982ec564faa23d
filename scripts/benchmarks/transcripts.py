"""Transcripts of any size, the same bytes for the same seed: sessions of an agent that nobody had.

A block of a few megabytes is told once and then written again and again with other ids, days and file names, so that
gigabytes cost little more than the disk; nothing in them repeats that memcli would take for a copy. Sizes of texts are
log-normal with a heavy tail, as in recorded sessions: a record has four kilobytes on average, the largest hundreds.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import random
from typing import TYPE_CHECKING, Any

from scripts.benchmarks.facts import Facts

if TYPE_CHECKING:
    from pathlib import Path

KB, MB, GB = 10**3, 10**6, 10**9

CLAUDE_CODE = "claude-code"
ANTHROPIC = "anthropic"

_BLOCK_BYTES = 4 * MB
# What differs from copy to copy of a told block.
_HERE, _DAY, _PARENT = "@block@@", "@the--day@", "@whoever came before@"
_FIRST_DAY = dt.date(2026, 1, 1)
_ROOT = "/home/somebody/ferry"

_LANGUAGE = (
    "the a of to and in that when which after before with without ferry berth tide ticket crew lock ramp signal "
    "timetable booking refund harbour engine fuel wind notice queue deck cabin gate lamp chart route buoy captain "
    "read write parse return check build test move rename delete merge split count sort cache close open retry value "
    "name list field table index error result option default empty missing wrong late early never always only two"
)
_WORDS = _LANGUAGE.split()
_CODE = (
    "def {0}_{1}(self, {2}: int) -> str:\n",
    "    if not {0}.{1}:\n        raise ValueError(f'no {2}: {{{0}}}')\n",
    "    return self._{0}[{1}]\n",
    "    for {0}, {1} in sorted({2}.items()):\n",
    "\tassert {0} == {1}, '{2} — “wrong”'\n",
)


def write(
    path: Path, format: str, size: int, seed: int = 1, *, words_only: bool = False, block: int = _BLOCK_BYTES
) -> Facts:
    """Append about `size` bytes of whole turns to `path`, at least one turn; what they tell of.

    Thinking is in those of Claude Code alone. `words_only`: no tool calls. `block`: how many bytes are told before the
    same story begins again.
    """
    parent = _last_uuid(path) if path.exists() and format == CLAUDE_CODE else None
    story = _Story(format, seed, words_only=words_only)
    story.tell(min(size, block))
    told_once = b"".join(story.lines)
    told = Facts([], [], [], [])
    with path.open("ab") as file:
        for number in range(max(1, round(size / len(told_once)))):
            here, before = (f"{seed:03x}{serial % 16**5:05x}" for serial in (number, number - 1))
            last = story.last_uuid.replace(_HERE, before) if number else parent
            day = (_FIRST_DAY + dt.timedelta(days=number % 3000)).isoformat()
            file.write(_placed(told_once, here, day, last))
            for all_of_a_kind, texts in zip(told, story.facts, strict=True):
                all_of_a_kind += [text.replace(_HERE, here) for text in texts]
    return told


def steps(format: str, number: int, seed: int = 1) -> list[bytes]:
    """A session in so many pieces: each but the first ends one turn and begins the next, up to its first tool call."""
    story = _Story(format, seed, words_only=False)
    pieces: list[bytes] = []
    begun = b""
    while len(pieces) < number:
        story.lines.clear()
        story.tell(1)
        first = next(place for place, line in enumerate(story.lines) if b'"tool_use"' in line) + 1
        pieces.append(begun + b"".join(story.lines[:first]))
        begun = b"".join(story.lines[first:])
    return [_placed(piece, f"{seed:03x}00000", _FIRST_DAY.isoformat(), None) for piece in pieces]


def _placed(block: bytes, here: str, day: str, parent: str | None) -> bytes:
    """A told block, as one of its copies."""
    block = block.replace(f'"{_PARENT}"'.encode(), json.dumps(parent).encode(), 1)
    return block.replace(_HERE.encode(), here.encode()).replace(_DAY.encode(), day.encode())


def _last_uuid(path: Path) -> str | None:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 2 * MB))
        last = file.read().splitlines()[-1:]
    return json.loads(last[0])["uuid"] if last else None


class _Story:
    """Tells turns, as lines of a format."""

    def __init__(self, format: str, seed: int, *, words_only: bool) -> None:
        self.lines: list[bytes] = []
        self.facts = Facts([], [], [], [])
        self.last_uuid = _PARENT
        self._format = format
        self._words_only = words_only
        self._random = random.Random(seed)
        self._bytes = 0
        self._records = 0
        self._messages = 0
        self._context = 12_000
        self._turn = 0
        self._files: list[str] = []

    def tell(self, size: int) -> None:
        """Whole turns, until there are `size` bytes."""
        begun = self._bytes
        while self._bytes - begun < size:
            self._tell_turn()

    def _tell_turn(self) -> None:
        self._turn += 1
        self._ask()
        for step in range(0 if self._words_only else self._random.randint(2, 9)):
            self._use_a_tool(step)
        self._answer({"type": "text", "text": self._prose(self._size(900))})

    def _ask(self) -> None:
        wish = f"{_HERE}-{self._turn}: {self._prose(self._size(220))}"
        if self._turn % 7 == 3:
            wish = f"No, that is wrong: not {self._word()}, use {self._word()}-{self._turn} as in {wish}"
            self.facts.corrections.append(wish)
        self.facts.requests.append(wish)
        self._user(wish)

    def _use_a_tool(self, step: int) -> None:
        call = f"toolu_{_HERE}{self._turn:05d}{step:03d}"
        file = self._file()
        if step % 2 == 0 and self._format == CLAUDE_CODE:
            self._answer({"type": "thinking", "thinking": self._prose(self._size(500)), "signature": "c2ln" * 40})
        if step % 3 == 2:
            self._run(call)
            return
        name, extra = ("Read", {}) if step % 3 == 0 else ("Edit", {"old_string": self._code(200), "new_string": "x"})
        if extra and (known := file.rpartition("/")[2]) not in self.facts.files:
            self.facts.files.append(known)
        self._answer({"type": "tool_use", "id": call, "name": name, "input": {"file_path": f"{_ROOT}/{file}", **extra}})
        self._result(call, self._code(self._size(2500)), failed=False)

    def _file(self) -> str:
        """Mostly one that was seen before."""
        if not self._files or self._random.random() < 0.25:
            self._files.append(f"src/{self._word()}/{self._word()}_{_HERE}_{len(self._files)}.py")
        return self._random.choice(self._files)

    def _run(self, call: str) -> None:
        command = {"command": f"pytest tests/test_{self._word()}.py -k {self._word()}"}
        self._answer({"type": "tool_use", "id": call, "name": "Bash", "input": command})
        output = self._prose(self._size(1500))
        failed = self._random.random() < 0.3
        if failed:
            error = f"error[E{self._turn:04d}-{_HERE}]: {self._prose(40)}"
            self.facts.errors.append(error)
            output = f"{output}\n{error}"
        self._result(call, output, failed=failed)

    # ------------------------------------------------------------------ texts

    def _word(self) -> str:
        return self._random.choice(_WORDS)

    def _size(self, median: int) -> int:
        return int(min(200_000, self._random.lognormvariate(math.log(median), 1.1)))

    def _prose(self, size: int) -> str:
        return " ".join(self._random.choices(_WORDS, k=max(2, size // 6))) + "."

    def _code(self, size: int) -> str:
        pieces = (self._random.choice(_CODE).format(*self._random.choices(_WORDS, k=3)) for _ in range(1 + size // 40))
        return "".join(f"{number:6d}→{piece}" for number, piece in enumerate(pieces, 1))

    # ------------------------------------------------------------------ records

    def _user(self, text: str) -> None:
        self._add("user", {"role": "user", "content": text})

    def _answer(self, block: dict[str, Any]) -> None:
        message: dict[str, Any] = {"role": "assistant", "content": [block]}
        if self._format == CLAUDE_CODE:
            self._context = self._context + 700 if self._context < 150_000 else 20_000
            usage = {"input_tokens": 4, "cache_read_input_tokens": self._context, "output_tokens": 2}
            stop = "tool_use" if block["type"] == "tool_use" else None
            message |= {"id": f"msg_{_HERE}{self._messages}", "type": "message", "model": "none-1", "usage": usage}
            message |= {"stop_reason": stop}
        elif block["type"] == "text":
            message["content"] = block["text"]
        self._add("assistant", message)

    def _result(self, call: str, text: str, *, failed: bool) -> None:
        block = {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": failed}
        self._add("user", {"role": "user", "content": [block]}, toolUseResult={"stdout": text, "stderr": ""})

    def _add(self, type: str, message: dict[str, Any], **more: Any) -> None:
        self._records += 1
        self._messages += type == "user"  # parts of one answer are records of one id
        if self._format == CLAUDE_CODE:
            uuid = f"{_HERE}-{self._records:04x}-4000-8000-{self._turn:012x}"
            clock = f"{self._records // 3600 % 24:02d}:{self._records // 60 % 60:02d}:{self._records % 60:02d}"
            message = {
                "parentUuid": self.last_uuid,
                "isSidechain": False,
                "userType": "external",
                "cwd": _ROOT,
                "sessionId": "5e551011-0000-4000-8000-000000000001",
                "version": "2.1.330",
                "gitBranch": "main",
                "type": type,
                "message": message,
                "uuid": uuid,
                "timestamp": f"{_DAY}T{clock}.000Z",
                **more,
            }
            self.last_uuid = uuid
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._bytes += len(line)
        self.lines.append(line)
