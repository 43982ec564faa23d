"""Any format's emitted lines as Anthropic Messages, one message a line.

The result keeps the rules of the API: the first message is the user's, roles alternate, results come first in the
message right behind their calls, no thinking, no empty text, ids of calls are unique. An open round at the end cannot
stand in a request: it is left out, and its calls are reported.
"""

from __future__ import annotations

from memcli.transcript.encode.common import NO_RESULT, THINKING, blocks, dump, ids, is_empty, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memcli.transcript.encode.common import Record

    Said = Callable[[Record], tuple[str, str, list[Record]] | None]


def to_messages(lines: Iterable[bytes], said: Said) -> tuple[list[bytes], list[str]]:
    """The messages as JSON lines, and the names of the calls of the open round that was left out.

    `lines` is a whole compacted output, the memory message included; `said` is that function of its encoder. System
    messages are no messages of this API: they are left to the caller.
    """
    messages = _merged(lines, said)
    results = _results(messages)
    opened = _left_open(messages, results)
    return [dump(message) + b"\n" for message in _paired(messages, results)], opened


def _merged(lines: Iterable[bytes], said: Said) -> list[Record]:
    """Messages of alternating roles. Parts of one answer come together although results stand between them."""
    messages: list[Record] = []
    owner = ""  # id of the answer that the last assistant message holds
    for raw in lines:
        for record in parse(raw)[0]:
            role, identity, found = said(record) or ("", "", [])
            kept = [_clean(block) for block in found if _is_wanted(block)]
            if not kept:
                continue
            if role == "assistant" and identity and identity == owner and _only_results(messages[-1]):
                messages[-2]["content"] += kept
            elif messages and messages[-1]["role"] == role:
                messages[-1]["content"] += kept
            else:
                messages.append({"role": role, "content": kept})
            owner = identity if role == "assistant" else owner
    return messages


def _is_wanted(block: Record) -> bool:
    """False for thinking, empty text, and what has no type or no id and so no place in a request."""
    kind = block.get("type")
    name = {"tool_use": "id", "tool_result": "tool_use_id"}.get(str(kind), "type")
    return kind not in THINKING and isinstance(block.get(name), str) and not is_empty(block)


def _only_results(message: Record) -> bool:
    return message["role"] == "user" and all(block["type"] == "tool_result" for block in message["content"])


def _clean(block: Record) -> Record:
    """A result without empty text inside; every other block as it is."""
    if block.get("type") != "tool_result" or not isinstance(block.get("content"), list):
        return block
    kept = [part for part in blocks(block["content"]) if not is_empty(part)]
    return {**block, "content": kept} if kept else {name: value for name, value in block.items() if name != "content"}


def _results(messages: list[Record]) -> dict[str, list[Record]]:
    """The results of each id in the order in which they came; an id may be used again later."""
    found: dict[str, list[Record]] = {}
    for message in messages:
        for block in message["content"]:
            if block["type"] == "tool_result":
                found.setdefault(str(block.get("tool_use_id")), []).append(block)
    return found


def _left_open(messages: list[Record], results: dict[str, list[Record]]) -> list[str]:
    """Takes the open round off the end: the last answer, if a call of it has no result, and all behind it."""
    place = max((place for place, message in enumerate(messages) if message["role"] == "assistant"), default=-1)
    if place < 0 or not all(_only_results(message) for message in messages[place + 1 :]):
        return []
    asked = ids((block for message in messages for block in message["content"]), "tool_use", "id")
    calls = [block for block in messages[place]["content"] if block["type"] == "tool_use"]
    unanswered = [block for block in calls if asked.count(block["id"]) > len(results.get(block["id"], ()))]
    if unanswered:
        del messages[place:]
    return [str(block.get("name")) for block in unanswered]


def _paired(messages: list[Record], results: dict[str, list[Record]]) -> list[Record]:
    """Results first, one for each call and in the calls' order; ids that come again later are made unique."""
    used: dict[str, int] = {}
    answers: list[Record] = []  # to the calls of the message before
    out: list[Record] = []
    for message in messages:
        content = [block for block in message["content"] if block["type"] != "tool_result"]
        if message["role"] == "user":
            content, answers = answers + content, []
        else:
            content, old = [_unique(block, used) for block in content], content
            pairs = zip(old, content, strict=True)
            answers = [_answer(was["id"], now["id"], results) for was, now in pairs if now["type"] == "tool_use"]
        if content and out and out[-1]["role"] == message["role"]:
            out[-1]["content"] += content  # what stood between were only results that belong further up
        elif content:
            out.append({"role": message["role"], "content": content})
    return [*out, {"role": "user", "content": answers}] if answers else out


def _unique(block: Record, used: dict[str, int]) -> Record:
    if block["type"] != "tool_use":
        return block
    used[block["id"]] = count = used.get(block["id"], 0) + 1
    return block if count == 1 else {**block, "id": f"{block['id']}_{count}"}


def _answer(old: str, new: str, results: dict[str, list[Record]]) -> Record:
    waiting = results.get(old)
    if waiting:
        return {**waiting.pop(0), "tool_use_id": new}
    return {"type": "tool_result", "tool_use_id": new, "content": NO_RESULT, "is_error": True}
