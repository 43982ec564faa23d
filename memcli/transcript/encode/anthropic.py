"""Anthropic Messages, one message a line: `{"role": ..., "content": ...}`."""

from __future__ import annotations

from memcli.transcript.encode.common import (
    NO_RESULT,
    THINKING,
    Doubt,
    Frame,
    Out,
    Pieces,
    Plan,
    blocks,
    clean,
    dump,
    ids,
    is_empty,
    parse,
    read,
    without_results,
)
from memcli.transcript.encode.rounds import Item, arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memcli.transcript.encode.common import Record

NAME = "anthropic"
COPIES = True


def context(first: Iterable[bytes], last: Iterable[bytes], known: Record | None = None) -> Record:  # noqa: ARG001  # the interface of all encoders
    """The leading system messages, which every output begins with, and how many bytes they are."""
    return leading(first, ("system",)) if known is None else known


def leading(first: Iterable[bytes], roles: tuple[str, ...]) -> Record:
    """The lines at the start of the file whose messages have one of `roles`."""
    prologue: list[str] = []
    size = 0
    for raw in first:
        records, rest = parse(raw)
        if rest or any(record.get("role") not in roles for record in records):
            break
        size += len(raw)
        prologue += [raw.decode().strip()] if clean(raw) is not None else [dump(record).decode() for record in records]
    return {"prologue": prologue, "leading": size} if prologue else {}


def message(before: str, state: str, after: str, envelope: Record, tokens: int = 0, memory_tokens: int = 0) -> Pieces:  # noqa: ARG001
    """The memory as a user message behind the leading system messages."""
    frame = Frame()
    for line in envelope.get("prologue", ()):
        frame.add(line.encode("utf-8", "surrogatepass") + b"\n")
    frame.add(b'{"role":"user","content":"')
    return frame.text(before, state, after, b'"}\n')


def tail(lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[Out]:
    """The tail without thinking and without empty texts; lines that need no change keep their bytes."""
    for item in arrange(_items(lines, plan), plan, _no_result, _trim):
        yield Out(item.offset, item.data(), item.record.get("role") in ("user", "assistant"))


def said(record: Record) -> tuple[str, str, list[Record]] | None:
    """Role, no message id, and blocks; None for a system message."""
    if record.get("role") not in ("user", "assistant"):
        return None
    return str(record["role"]), "", blocks(record.get("content"))


def _items(lines: Iterable[tuple[int, bytes]], plan: Plan) -> list[Item]:
    items: list[Item] = []
    turn = 0  # messages of one role in a row are one message for the API
    for offset, record, raw in read(lines, plan):
        if offset < plan.envelope.get("leading", 0):
            continue
        if "messages" in record and offset >= plan.known:
            raise Doubt("a line with a whole conversation")
        item = _item(offset, record, raw, turn)
        if item is None:
            continue
        turn += item.kind in "ru"
        items.append(item)
        items += [_user(offset, text) for text in plan.words.get(offset, ())]
    return items


def _item(offset: int, record: Record, raw: bytes | None, turn: int) -> Item | None:
    role = record.get("role")
    if role not in ("user", "assistant"):
        return Item(offset, record, raw, "x")
    found = blocks(record.get("content"))
    dropped = THINKING if role == "assistant" else ()
    kept = [block for block in found if block.get("type") not in dropped and not is_empty(block)]
    if not kept:
        return None
    if len(kept) != len(found):
        record["content"], raw = kept, None
    if role == "assistant":
        return Item(offset, record, raw, "a", group=f"turn {turn}", calls=ids(kept, "tool_use", "id"))
    results = ids(kept, "tool_result", "tool_use_id")
    return Item(offset, record, raw, "r" if results else "u", results=results)


def _user(offset: int, text: str) -> Item:
    return Item(offset, {"role": "user", "content": text}, None, "w")


def _no_result(call: str, item: Item) -> Item:
    block = {"type": "tool_result", "tool_use_id": call, "content": NO_RESULT, "is_error": True}
    return Item(item.offset, {"role": "user", "content": [block]}, None, "r")


def _trim(item: Item, indexes: set[int]) -> bool:
    item.record["content"] = without_results(blocks(item.record.get("content")), indexes)
    item.results = [call for index, call in enumerate(item.results) if index not in indexes]
    item.raw = None
    return bool(item.record["content"])
