"""Sessions in every format, written in few words, and a reading of JSONL that shares no code with the program.

script = Script("codex").prompt("fix the parser").round("Looking.", "make", "error").say("Fixed.")
script.data           the bytes of the file so far
told("codex", data)   what a file says: ("user", text), ("agent", text), ("call", id), ("result", id)
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMATS = ("claude-code", "codex", "pi", "anthropic", "openai")
MARK = "<!-- memcli generation="

Record = dict[str, Any]


class Script:
    """Writes a session line by line. `after`: the bytes of a swapped file that the session goes on in."""

    def __init__(self, format: str, after: bytes = b"", serial: int = 0) -> None:
        self.format = format
        self.serial = serial
        self.lines: list[bytes] = []
        self.leaf = _leaf(after)
        if not after:
            self._begin()

    @property
    def data(self) -> bytes:
        return b"".join(self.lines)

    def prompt(self, text: str) -> Script:
        match self.format:
            case "codex":
                self._codex("event_msg", type="task_started", turn_id=f"t{self.serial}")
                self._item("message", role="user", content=[{"type": "input_text", "text": text}])
                self._codex("event_msg", type="user_message", message=text)
            case "pi":
                self._pi("user", [{"type": "text", "text": text}])
            case "claude-code":
                self._claude("user", {"role": "user", "content": text})
            case _:
                self.line({"role": "user", "content": text})
        return self

    def say(self, text: str) -> Script:
        match self.format:
            case "codex":
                self._item("message", role="assistant", content=[{"type": "output_text", "text": text}])
                self._codex("event_msg", type="task_complete")
            case "pi":
                self._pi("assistant", [{"type": "text", "text": text}], stopReason="stop")
            case "claude-code":
                self._answer([{"type": "text", "text": text}], "end_turn")
            case "anthropic":
                self.line({"role": "assistant", "content": [{"type": "text", "text": text}]})
            case _:
                self.line({"role": "assistant", "content": text})
        return self

    def call(self, words: str, *commands: str) -> list[str]:
        """One answer with words and calls of a shell, all at once; the calls' ids."""
        ids = [self._next("call") for _ in commands]
        uses = [(id, {"command": command}) for id, command in zip(ids, commands, strict=True)]
        said = [{"type": "text", "text": words}] if words else []
        match self.format:
            case "codex":
                if words:
                    self._item("message", role="assistant", content=[{"type": "output_text", "text": words}])
                for id, given in uses:
                    self._item("function_call", name="shell", arguments=json.dumps(given), call_id=id)
            case "pi":
                calls = [{"type": "toolCall", "id": id, "name": "bash", "arguments": given} for id, given in uses]
                self._pi("assistant", [*said, *calls], stopReason="toolUse")
            case "claude-code":
                blocks = [{"type": "tool_use", "id": id, "name": "Bash", "input": given} for id, given in uses]
                self._answer([*said, *blocks], "tool_use")
            case "anthropic":
                blocks = [{"type": "tool_use", "id": id, "name": "Bash", "input": given} for id, given in uses]
                self.line({"role": "assistant", "content": [*said, *blocks]})
            case _:
                calls = [
                    {"id": id, "type": "function", "function": {"name": "bash", "arguments": json.dumps(given)}}
                    for id, given in uses
                ]
                self.line({"role": "assistant", "content": words or None, "tool_calls": calls})
        return ids

    def result(self, call: str, output: str) -> Script:
        block = {"type": "tool_result", "tool_use_id": call, "content": output}
        match self.format:
            case "codex":
                self._item("function_call_output", call_id=call, output=output)
            case "pi":
                self._pi(
                    "toolResult", [{"type": "text", "text": output}], toolCallId=call, toolName="bash", isError=False
                )
            case "claude-code":
                self._claude("user", {"role": "user", "content": [block]})
            case "anthropic":
                self.line({"role": "user", "content": [block]})
            case _:
                self.line({"role": "tool", "tool_call_id": call, "content": output})
        return self

    def round(self, words: str, command: str, output: str) -> Script:
        """A closed tool round."""
        return self.result(self.call(words, command)[0], output)

    def turn(self, number: int, rounds: int = 1, output: str = "ok\n") -> Script:
        """A whole turn; every text in it names its number."""
        self.prompt(f"please do step {number} of the plan")
        for place in range(rounds):
            self.round(f"Step {number}, part {place}.", f"make step{number}-{place}", output)
        return self.say(f"Step {number} is done.")

    def line(self, record: Record) -> Script:
        """Any record, as it is."""
        self.lines.append(json.dumps(record).encode() + b"\n")
        return self

    def _begin(self) -> None:
        if self.format == "codex":
            self._codex("session_meta", id="5e55-10", cwd="/srv/mill", cli_version="0.144.0")
        elif self.format == "pi":
            header = {"type": "session", "version": 3, "id": "5e5510", "timestamp": self._time(), "cwd": "/srv/mill"}
            self.line(header)
        elif self.format == "openai":
            self.line({"role": "system", "content": "You help with the mill."})

    def _next(self, kind: str) -> str:
        self.serial += 1
        return f"{kind}_{self.serial:04d}"

    def _time(self) -> str:
        return f"2026-05-04T{10 + self.serial // 3600:02d}:{self.serial // 60 % 60:02d}:{self.serial % 60:02d}.000Z"

    def _codex(self, kind: str, **payload: Any) -> None:
        self._next("line")
        self.line({"timestamp": self._time(), "type": kind, "payload": payload})

    def _item(self, kind: str, **payload: Any) -> None:
        self._codex("response_item", type=kind, **payload)

    def _pi(self, role: str, content: list[Record], **more: Any) -> None:
        id = self._next("e")
        body = {"role": role, "content": content, **more}
        self.line(
            {"type": "message", "id": id, "parentId": self.leaf or None, "timestamp": self._time(), "message": body}
        )
        self.leaf = id

    def _claude(self, kind: str, message: Record, **more: Any) -> None:
        id = self._next("uuid")
        envelope = {"isSidechain": False, "sessionId": "5e55", "cwd": "/srv/mill", "version": "2.1.330", **more}
        record = {"type": kind, "uuid": id, "parentUuid": self.leaf or None, "timestamp": self._time(), **envelope}
        self.line({**record, "message": message})
        self.leaf = id

    def _answer(self, blocks: list[Record], stop: str) -> None:
        """One line a block, as the client writes it."""
        identity = self._next("msg")
        for block in blocks:
            message = {"id": identity, "role": "assistant", "model": "m", "content": [block], "stop_reason": stop}
            self._claude("assistant", message)


def session(format: str, turns: int = 3, rounds: int = 1, output: str = "ok\n") -> bytes:
    """A finished session of so many turns."""
    script = Script(format)
    for number in range(turns):
        script.turn(number, rounds, output)
    return script.data


def session_file(
    path: Path, format: str = "claude-code", turns: int = 3, rounds: int = 1, output: str = "ok\n"
) -> Path:
    """The same in a file."""
    path.write_bytes(session(format, turns, rounds, output))
    return path


def told(format: str, data: bytes) -> list[tuple[str, str]]:
    """What a file says, in its order: the conversation alone, thinking and bookkeeping left out."""
    return [item for line in data.splitlines() for item in _told(format, json.loads(line))]


def _told(format: str, record: Record) -> list[tuple[str, str]]:
    match format:
        case "claude-code":
            if record.get("type") not in ("user", "assistant"):
                return []
            body = record["message"]
        case "codex":
            return _codex_told(record.get("payload", {})) if record.get("type") == "response_item" else []
        case "pi":
            body = record.get("message", {})
            if body.get("role") == "toolResult":
                return [("result", body["toolCallId"])]
        case _:
            body = record
    if body.get("role") == "tool":
        return [("result", body["tool_call_id"])]
    if body.get("role") not in ("user", "assistant"):
        return []
    found = [item for block in _blocks(body.get("content")) for item in _block_told(body["role"], block)]
    return found + [("call", call["id"]) for call in body.get("tool_calls", ())]


def _codex_told(payload: Record) -> list[tuple[str, str]]:
    match payload["type"]:
        case "message":
            return [item for block in payload["content"] for item in _block_told(payload["role"], block)]
        case "function_call":
            return [("call", payload["call_id"])]
        case "function_call_output":
            return [("result", payload["call_id"])]
        case _:
            return []


def _blocks(content: Any) -> list[Record]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _block_told(role: str, block: Record) -> list[tuple[str, str]]:
    match block["type"]:
        case "text" | "input_text" | "output_text":
            return [("agent" if role == "assistant" else "user", block["text"])]
        case "tool_use" | "toolCall":
            return [("call", block["id"])]
        case "tool_result":
            return [("result", block["tool_use_id"])]
        case _:
            return [(block["type"], "")]


def tail_of(format: str, compacted: bytes) -> list[tuple[str, str]]:
    """What stands behind the memory message, which must be the first message and the only one of its kind."""
    found = told(format, compacted)
    assert [text.startswith(MARK) for _, text in found[:1]] == [True]
    assert not any(text.startswith(MARK) for _, text in found[1:])
    return found[1:]


def is_tail(format: str, compacted: bytes, transcript: bytes) -> bool:
    """True if the tail is exactly the end of what the transcript says: nothing lost, nothing doubled, in order."""
    tail, whole = tail_of(format, compacted), told(format, transcript)
    return tail == whole[len(whole) - len(tail) :]


def pairs_are_whole(format: str, compacted: bytes) -> bool:
    """True if every call that something follows has its result, and every result its call before it."""
    open_calls: list[str] = []
    for kind, what in tail_of(format, compacted):
        if kind == "result" and what not in open_calls:
            return False
        if kind == "user" and open_calls:
            return False
        if kind == "call":
            open_calls.append(what)
        elif what in open_calls:
            open_calls.remove(what)  # one: a call that was written twice wants two results
    return True


def _leaf(data: bytes) -> str:
    """The id that the next record hangs on."""
    records = [json.loads(line) for line in data.splitlines()]
    named = [record.get("uuid") or record.get("id") for record in records if record.get("type") != "session"]
    return next((name for name in reversed(named) if isinstance(name, str)), "")


PATIENCE = 120.0
"""Seconds for what is sure to happen in the end: also on a slow machine where everybody else is busy."""


LIMITS = (1.0, 8.0, 64.0)
"""Seconds of a limit that is to pass while a program hangs: where it had not even begun by then, the next is tried."""


def eventually(predicate: Callable[[], bool]) -> bool:
    """True as soon as the predicate holds; False if it does not, whoever waits."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if predicate():
            return True
        time.sleep(0.01)
    return predicate()


def at_calls(act: Callable[[int], object], work: Callable[[], object]) -> int:
    """Do `work`, and `act` before each of its system calls, told its number; how many there were."""
    calls = 0

    def hook(_frame: object, event: str, function: object) -> None:
        nonlocal calls
        if event == "c_call" and getattr(function, "__module__", "") == "posix":
            calls += 1
            sys.setprofile(None)
            act(calls)
            sys.setprofile(hook)

    sys.setprofile(hook)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls
