"""Small conversations, written down in every format: ("prompt", text), ("say", text), ("think",), ("call", id),
("result", id), and for Claude Code ("queued", text), ("refused", id, words)."""

from __future__ import annotations

import json

from hypothesis import strategies as st

FORMATS = ("claude-code", "codex", "pi", "anthropic", "openai")


def dump(record: dict) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def claude_code(events) -> bytes:
    out, parent, answer = [], None, 0
    for place, (kind, *values) in enumerate(events):
        common = {"uuid": f"u{place}", "parentUuid": parent, "sessionId": "s", "version": "2.1.197", "cwd": "/w"}
        common["timestamp"] = f"2026-01-01T00:00:{place // 10 % 60:02}.{place % 10}00Z"
        if kind == "queued":
            out.append({"type": "queue-operation", "operation": "enqueue", "content": values[0]})
            out.append({"type": "queue-operation", "operation": "remove"})
            continue
        if kind in ("prompt", "result", "refused"):
            body: object = values[0]
            if kind != "prompt":
                block = {"type": "tool_result", "tool_use_id": values[0], "content": f"output of {values[0]}"}
                body = [block]
            if kind == "refused":
                sentence = "The user doesn't want to proceed with this tool use. The tool use was rejected. To tell you how to proceed, the user said:\n"
                block |= {"content": sentence + values[1], "is_error": True}
                common["toolUseResult"] = "Error: " + sentence + values[1]
            out.append({**common, "type": "user", "message": {"role": "user", "content": body}})
            answer += 1
        else:
            block = {
                "say": {"type": "text", "text": values and values[0]},
                "think": {"type": "thinking", "thinking": "hm"},
            }.get(kind)
            block = block or {"type": "tool_use", "id": values[0], "name": "Bash", "input": {"command": "ls"}}
            usage = {"input_tokens": 5, "cache_read_input_tokens": 9000, "output_tokens": 2}
            body = {"id": f"msg_{answer}", "role": "assistant", "content": [block], "usage": usage}
            out.append({**common, "type": "assistant", "message": body})
        parent = f"u{place}"
    return b"".join(map(dump, out))


def codex(events) -> bytes:
    time = {"timestamp": "2026-01-01T00:00:00.000Z"}
    out = [{**time, "type": "session_meta", "payload": {"id": "old", "cwd": "/w", "cli_version": "0.118.0"}}]
    for kind, *values in events:
        if kind in ("prompt", "say"):
            role, name = ("user", "input_text") if kind == "prompt" else ("assistant", "output_text")
            item = {"type": "message", "role": role, "content": [{"type": name, "text": values[0]}]}
            event = {"type": "user_message" if kind == "prompt" else "agent_message", "message": values[0]}
            out += [{**time, "type": "response_item", "payload": item}, {**time, "type": "event_msg", "payload": event}]
            continue
        payload = {
            "think": {"type": "reasoning", "summary": [], "encrypted_content": "x"},
            "call": {
                "type": "function_call",
                "name": "exec",
                "arguments": '{"cmd":"ls"}',
                "call_id": values and values[0],
            },
            "result": {
                "type": "function_call_output",
                "call_id": values and values[0],
                "output": f"output of {values}",
            },
        }[kind]
        out.append({**time, "type": "response_item", "payload": payload})
    return b"".join(map(dump, out))


def pi(events, version: int | None = 3) -> bytes:
    header = {"type": "session", "id": "old", "timestamp": "2026-01-01T00:00:00.000Z", "cwd": "/w"}
    out, parent = [header | ({"version": version} if version else {})], None
    for place, (kind, *values) in enumerate(events):
        if kind == "result":
            body = {"role": "toolResult", "toolCallId": values[0], "toolName": "bash", "isError": False}
            body["content"] = [{"type": "text", "text": f"output of {values[0]}"}]
        else:
            block = {
                "call": {"type": "toolCall", "id": values and values[0], "name": "bash", "arguments": {"command": "ls"}}
            }
            block["think"] = {"type": "thinking", "thinking": "hm"}
            content = [block.get(kind) or {"type": "text", "text": values[0]}]
            body = {"role": "user" if kind == "prompt" else "assistant", "content": content}
            body |= {} if kind == "prompt" else {"usage": {"input": 5, "cacheRead": 9000, "cost": {"total": 1}}}
        tree = {"id": f"{place:08x}", "parentId": parent} if version else {}
        parent = f"{place:08x}"
        out.append({"type": "message", **tree, "timestamp": "2026-01-01T00:00:01.000Z", "message": body})
    return b"".join(map(dump, out))


def anthropic(events) -> bytes:
    out = []
    for kind, *values in events:
        block = {
            "think": {"type": "thinking", "thinking": "hm", "signature": "s"},
            "call": {"type": "tool_use", "id": values and values[0], "name": "Bash", "input": {"command": "ls"}},
            "result": {"type": "tool_result", "tool_use_id": values and values[0], "content": f"output of {values}"},
        }.get(kind)
        role = "user" if kind in ("prompt", "result") else "assistant"
        out.append({"role": role, "content": [block] if block else values[0]})
    return b"".join(map(dump, out))


def openai(events) -> bytes:
    out = [{"role": "system", "content": "Be exact."}]
    for kind, *values in events:
        if kind == "call":
            function = {"name": "bash", "arguments": '{"command":"ls"}'}
            call = {"id": values[0], "type": "function", "function": function}
            out.append({"role": "assistant", "content": None, "tool_calls": [call]})
        elif kind == "result":
            out.append({"role": "tool", "tool_call_id": values[0], "content": f"output of {values[0]}"})
        elif kind == "think":
            out.append({"role": "assistant", "content": "", "reasoning_content": "hm"})
        else:
            out.append({"role": "user" if kind == "prompt" else "assistant", "content": values[0]})
    return b"".join(map(dump, out))


WRITERS = {"claude-code": claude_code, "codex": codex, "pi": pi, "anthropic": anthropic, "openai": openai}


@st.composite
def conversations(draw, format: str = "", whole: bool = False) -> list[tuple]:
    """Turns with calls, some of them parallel, some abandoned; the last round may be open."""
    events: list[tuple] = []
    names = iter(range(1000))
    for turn in range(draw(st.integers(1, 4))):
        events.append(("prompt", f"prompt {turn} {draw(st.sampled_from(['', 'é', 'a b', '“x”']))}".strip()))
        for _ in range(draw(st.integers(0, 3))):
            events += [("think",)] if draw(st.booleans()) else []
            events += [("say", f"words {next(names)}")] if draw(st.booleans()) else []
            # OpenAI and pi write one message a call here, and each must be answered before the next
            calls = [f"call{next(names)}" for _ in range(draw(st.integers(0, 1 if format in ("openai", "pi") else 3)))]
            answered = calls if whole or draw(st.booleans()) else draw(st.permutations(calls))[:1]
            events += [("call", call) for call in calls]
            events += [_answer(draw, format, call) for call in answered]
            if len(answered) < len(calls):
                break
        else:
            events.append(("say", f"done {turn}"))
    return events


def _answer(draw, format: str, call: str) -> tuple:
    if format == "claude-code" and draw(st.integers(0, 5)) == 0:
        return ("refused", call, f"not {call}")
    return ("result", call)
