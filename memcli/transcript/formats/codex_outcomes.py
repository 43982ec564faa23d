"""How the calls of a Codex rollout ended: told by an event before the output, or by the output itself."""

from __future__ import annotations

import re
from typing import Any

from memcli.transcript.formats.blocks import mapping, string, text_of
from memcli.transcript.given import arguments
from memcli.transcript.patterns import pattern

_FILES = 64  # changed files named for one call
_HEADER = 600  # characters of an output in which the harness's own header stands
_EXIT_CODE = pattern(r"^(?:Process exited with code|Exit code:?) (-?\d{1,6})\b", re.MULTILINE)
_STATUS = {"completed": True, "failed": False, "declined": False}


def facts_of(event: dict[str, Any]) -> dict[str, Any]:
    """Facts of an event about a call, as `ToolResult.detail` has them; empty if it tells none.

    `success` is given where there is no exit code to tell it. Files are named only if they were changed.
    """
    facts: dict[str, Any] = {}
    code = _exit_code(event.get("exit_code"))
    success = event.get("success")
    if not isinstance(success, bool):
        success = _STATUS.get(string(event.get("status"))) if code is None else None
    if success is not None:
        facts["success"] = success
    if code is not None:
        facts["exit_code"] = code
    return facts if success is False else facts | _files(mapping(event.get("changes")))


def _files(changes: dict[str, Any]) -> dict[str, Any]:
    kinds = {path: string(mapping(change).get("type")) for path, change in changes.items()}
    known = {path: kind for path, kind in kinds.items() if kind in ("add", "update", "delete")}
    if not known:
        return {}
    made = all(kind == "add" for kind in known.values())
    return {"type": "create" if made else "update", "files": dict(list(known.items())[:_FILES])}


def read_output(output: Any) -> tuple[str, int | None]:
    """Text of an output and its exit code, None if it tells none.

    Three dialects: a JSON string with metadata (0.57), a text with a header (0.118), a list of text parts (0.144).
    """
    text = text_of(output)
    if text.startswith("{"):
        inner = arguments(text)
        if isinstance(inner.get("output"), str):
            return inner["output"], _exit_code(mapping(inner.get("metadata")).get("exit_code"))
    header = text[:_HEADER].partition("\nOutput:\n")[0]
    match = _EXIT_CODE.search(header)
    return text, int(match.group(1)) if match else None


def _exit_code(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**32 else None
