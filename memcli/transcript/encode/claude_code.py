"""Claude Code: the tail as a new session file that `claude --resume` accepts.

The form is "Form A" of the facts on the client: a boundary line, the memory as a compact summary, then user,
assistant and some attachment lines in ONE straight chain of parents with fresh ids, in the order of the conversation.
A tail whose first parent is unknown would silently lose the summary, so every line is linked anew.

Usage is set to zero: the client would take the recorded figure for the size of the new context and compact at once.
Each line keeps its time, but no line is older than the one before it: 2.1.80 takes the newest for the last.
"""

from __future__ import annotations

from memcli.transcript.encode.common import (
    HANDED,
    NO_RESULT,
    THINKING,
    Doubt,
    Frame,
    Out,
    Pieces,
    Plan,
    blocks,
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

NAME = "claude-code"
COPIES = False

_ENVELOPE = ("userType", "entrypoint", "cwd", "version", "gitBranch")
_NO_TIME = "1970-01-01T00:00:00.000Z"
_NO_USAGE = {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0}
# Attachments that hold content of the user's or of the work. All others are listings and reminders, which the client
# makes again when the session is resumed.
_CONTENT = frozenset(
    (
        "already_read_file",
        "diagnostics",
        "directory",
        "edited_image_file",
        "edited_text_file",
        "file",
        "hook_additional_context",
        "invoked_skills",
        "mcp_resource",
        "nested_memory",
        "plan_file_reference",
        "plan_mode",
        "queued_command",
        "selected_lines_in_ide",
    )
)
_LINK = "pr-link"
_HUMAN_SIGNS = ("doesn't want to proceed", "user rejected", "was rejected")
_CAVEATS = ("<local-command-caveat>", "Caveat: The messages below")


def context(first: Iterable[bytes], last: Iterable[bytes], known: Record | None = None) -> Record:
    """The envelope of the newest conversation record, its time and the id new lines hang on."""
    found: Record = {**(known or {})}
    for raw in (*first, *last):
        for record in parse(raw)[0]:
            if record.get("isSidechain") or not record.get("uuid"):
                continue
            found.update({name: record[name] for name in _ENVELOPE if isinstance(record.get(name), str)})
            if _is_time(record.get("timestamp")):
                found["time"] = record["timestamp"]
            found["leaf"] = record["uuid"]
    return found


def message(before: str, state: str, after: str, envelope: Record, tokens: int = 0, memory_tokens: int = 0) -> Pieces:
    """The memory as boundary and summary line; `tokens` is the size of what it replaces, as far as known."""
    common = {name: envelope[name] for name in _ENVELOPE if name in envelope}
    time = str(envelope.get("time") or _NO_TIME)
    size = {"trigger": "manual", "preTokens": tokens, "postTokens": memory_tokens}
    frame = Frame()
    frame.add(b'{"parentUuid":null,"isSidechain":false,"type":"system","subtype":"compact_boundary",')
    frame.fields({"content": "Conversation compacted", "isMeta": False, "level": "info", "compactMetadata": size})
    _identity(frame, "boundary", time, common)
    frame.add(b'}\n{"parentUuid":"')
    frame.fill("boundary")
    frame.add(b'","isSidechain":false,"type":"user","isVisibleInTranscriptOnly":true,"isCompactSummary":true,')
    _identity(frame, "memory", time, common)
    frame.add(b',"message":{"role":"user","content":"')
    return frame.text(before, state, after, b'"}}\n')


def _identity(frame: Frame, name: str, time: str, common: Record) -> None:
    frame.add(b'"uuid":"')
    frame.fill(name)
    frame.add(b'","timestamp":"')
    frame.fill("time", len(_NO_TIME), time)
    frame.add(b'",')
    frame.fields(common)
    frame.add(b'"sessionId":"')
    frame.fill("session")
    frame.add(b'"')


def tail(lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[Out]:
    """The tail as a straight chain under the memory message."""
    items = _in_order(_items(lines, plan), plan)
    arranged = arrange(items, plan, _no_result, _trim, join=True)
    return _chain(_behind_memory(_unheard(_once(arranged))), plan)


def said(record: Record) -> tuple[str, str, list[Record]] | None:
    """Role, message id and blocks of a line that `tail` emitted; None for what is no message."""
    body = record.get("message")
    if record.get("type") not in ("user", "assistant") or not isinstance(body, dict):
        return None
    if body.get("model") == "<synthetic>":
        return None
    return str(record["type"]), str(body.get("id") or ""), blocks(body.get("content"))


def _items(lines: Iterable[tuple[int, bytes]], plan: Plan) -> list[Item]:
    """One item a record that has a place in the tree; kind "" where nothing is emitted, but others may hang on it."""
    items: list[Item] = []
    guard, words = _Guard(plan), dict(plan.words)
    seen: set[str] = set()
    for offset, record, raw in read(lines, plan):
        for name in ("uuid", "parentUuid", "sourceToolAssistantUUID"):
            if name in record and not isinstance(record[name], str):
                record[name] = None
        identity = record.get("uuid") or ""
        guard.see(offset, record, identity)
        if identity not in ("", "REDACTED"):
            if identity in seen:
                continue  # the client writes copies of old records; the first place counts
            seen.add(identity)
        item = _item(offset, record, raw) or Item(offset, record, raw, "")
        items.append(item)
        hidden = words.pop(offset, ()) if item.kind != "u" else ()
        items += [_words(offset, text, {**plan.envelope, **record}, queued=not item.results) for text in hidden]
    _drop_compact_echo(items)
    return items


def _item(offset: int, record: Record, raw: bytes | None) -> Item | None:
    kind, body = record.get("type"), record.get("message")
    if record.get("isSidechain") or record.get("parent_tool_use_id"):
        return None
    if kind == _LINK:
        return Item(offset, record, raw, "x")
    if kind == "attachment":
        attachment = record.get("attachment")
        return Item(offset, record, raw, "w") if isinstance(attachment, dict) and _has_content(attachment) else None
    if kind not in ("user", "assistant") or not isinstance(body, dict):
        return None
    if record.get("isCompactSummary") or record.get("isApiErrorMessage"):  # the client itself sends no error notices
        return None
    dropped = THINKING if kind == "assistant" else ()
    found = blocks(body.get("content"))
    kept = [block for block in found if block.get("type") not in dropped and not is_empty(block)]
    if not kept:
        return None
    if len(kept) != len(found):
        body["content"] = kept
    if kind == "assistant":
        body["id"] = str(body.get("id") or "").replace("REDACTED", "")
        return Item(offset, record, raw, "a", group=body["id"], calls=ids(kept, "tool_use", "id"))
    results = ids(kept, "tool_result", "tool_use_id")
    return Item(offset, record, raw, "r" if results else "u", results=results)


def _has_content(attachment: Record) -> bool:
    """True for what the user or a hook of a prompt put into the conversation; a memory that our own hook handed back
    stands in the new one."""
    if attachment.get("type") == "hook_additional_context" and HANDED in str(attachment.get("content")):
        return False
    if attachment.get("type") == "hook_success":
        return attachment.get("hookEvent") == "UserPromptSubmit" and bool(attachment.get("content"))
    return attachment.get("type") in _CONTENT and not _is_words(attachment)


def _is_words(attachment: Record) -> bool:
    """True for an attachment whose words, if they are the user's, are in `plan.words`."""
    return attachment.get("type") == "queued_command" and attachment.get("commandMode", "prompt") == "prompt"


def _drop_compact_echo(items: list[Item]) -> None:
    """Takes the lines out that a typed `/compact` leaves: the caveat, the command without words, its output."""
    users = [item for item in items if item.kind == "u"]
    for place, item in enumerate(users):
        if not _text(item).lstrip().startswith("<command-name>/compact</command-name>"):
            continue
        if "<command-args></command-args>" in _text(item):
            item.kind = ""
        if place and users[place - 1].record.get("isMeta") and _text(users[place - 1]).startswith(_CAVEATS):
            users[place - 1].kind = ""
        if place + 1 < len(users) and _text(users[place + 1]).startswith("<local-command-stdout>"):
            users[place + 1].kind = ""


def _text(item: Item) -> str:
    return "\n".join(str(block.get("text") or "") for block in blocks(item.record["message"].get("content")))


class _Guard:
    """Looks for records among unseen lines whose meaning hangs on the whole transcript."""

    def __init__(self, plan: Plan) -> None:
        self.known = plan.known
        # Where something is skipped, the last record before may be a copy, and what follows it a copy too.
        self.leaf = "" if plan.skip else str(plan.envelope.get("leaf") or "")
        self.seen = {self.leaf}

    def see(self, offset: int, record: Record, identity: str) -> None:
        if offset >= self.known and not record.get("isSidechain"):
            self._judge(record, identity)
        if identity:
            self.seen.add(identity)
            self.leaf = identity

    def _judge(self, record: Record, identity: str) -> None:
        kind, parent = record.get("type"), record.get("parentUuid")
        if record.get("isCompactSummary") or record.get("subtype") == "compact_boundary":
            raise Doubt("the client compacted")
        if kind == "queue-operation" and record.get("operation") not in ("enqueue", "dequeue"):
            raise Doubt("words of the user in the queue")
        attachment, body = record.get("attachment"), record.get("message")
        if kind == "attachment" and isinstance(attachment, dict) and _is_words(attachment):
            raise Doubt("words of the user in an attachment")
        if not identity or kind not in ("user", "assistant", "attachment", "system", "progress"):
            return
        if identity in self.seen or parent not in self.seen:
            raise Doubt("a record that was seen before, or whose parent is unknown")
        found = blocks(body.get("content")) if isinstance(body, dict) else []
        results = [block for block in found if block.get("type") == "tool_result"]
        if kind == "user" and not results and parent != self.leaf:
            raise Doubt("a prompt that does not follow the last record")
        if any(sign in str(block.get("content")) for block in results for sign in _HUMAN_SIGNS):
            raise Doubt("words of the user in a refusal")


def _in_order(items: list[Item], plan: Plan) -> list[Item]:
    """File order, but no record before its parent: the client may write an answer before its prompt."""
    places = {item.record["uuid"]: item for item in items if item.record.get("uuid")}
    children: dict[int, list[Item]] = {}
    done: set[int] = set()
    out: list[Item] = []

    def emit(first: Item) -> None:
        stack = [first]
        while stack:
            item = stack.pop()
            done.add(id(item))
            out.append(item)
            stack += reversed(children.pop(id(item), []))

    for item in items:
        parent = places.get(item.record.get("parentUuid"))
        if parent is None or parent is item or id(parent) in done:
            emit(item)
        else:
            children.setdefault(id(parent), []).append(item)
    for item in items:
        if id(item) not in done:  # parents in a circle
            plan.count("parents in a circle")
            emit(item)
    return [item for item in out if item.kind]


def _no_result(call: str, item: Item) -> Item:
    block = {"type": "tool_result", "tool_use_id": call, "content": NO_RESULT, "is_error": True}
    made = _user(item.offset, "", item.record, "r")
    made.record["uuid"] = f"no result {call}"
    made.record["message"]["content"] = [block]
    return made


def _user(offset: int, text: str, near: Record, kind: str) -> Item:
    """A user line of our own, in the envelope of a record near by."""
    record: Record = {
        "parentUuid": near.get("uuid"),
        "isSidechain": False,
        "type": "user",
        "uuid": f"words {offset} {text}",
    }
    record["message"] = {"role": "user", "content": text}
    record.update({name: near[name] for name in ("timestamp", *_ENVELOPE) if name in near})
    return Item(offset, record, None, kind)


def _words(offset: int, text: str, near: Record, *, queued: bool) -> Item:
    """Hidden words of the user as a line of their own. Its source tells our reader what nothing else would: that they
    began no turn, and that those of a refusal were heard in the refusal itself.
    """
    made = _user(offset, text, near, "w")
    made.record["promptSource"] = "queued" if queued else "refusal"
    return made


def _trim(item: Item, indexes: set[int]) -> bool:
    """Takes results out of a user record; False if nothing is left of it."""
    body = item.record["message"]
    body["content"] = without_results(blocks(body.get("content")), indexes)
    item.results = [call for index, call in enumerate(item.results) if index not in indexes]
    return bool(body["content"])


def _once(items: list[Item]) -> list[Item]:
    """Without the words of a refusal where words of the user right before, or before the agent's next ones, are the
    same: a session that was swapped before holds them already, behind the refusal or before its round if that is open.
    """
    refusals = {item.offset for item in items if item.kind == "r"}
    again = [item.kind == "w" and item.offset in refusals for item in items]
    before = _run(items, again)
    after = _run(items[::-1], again[::-1], "a")[::-1]
    return [
        item
        for item, derived, *near in zip(items, again, before, after, strict=True)
        if not (derived and any(_text(item) in texts for texts in near))
    ]


def _unheard(items: list[Item]) -> list[Item]:
    """The words of a refusal that answered no call, and so was left out, are heard in their own line only."""
    refusals = {item.offset for item in items if item.kind == "r"}
    for item in items:
        if item.kind == "w" and item.record.get("promptSource") == "refusal" and item.offset not in refusals:
            item.record["promptSource"] = "queued"
    return items


def _run(items: list[Item], without: list[bool], until: str = "ar") -> list[set[str]]:
    """For each item the texts of the user that were met since an item of the kinds `until`."""
    found: list[set[str]] = []
    texts: set[str] = set()
    for item, left_out in zip(items, without, strict=True):
        found.append(texts)
        if item.kind in until:
            texts = set()
        elif item.record.get("type") == "user" and item.kind in "uw" and not left_out:
            texts = texts | {_text(item)}
    return found


def _behind_memory(items: list[Item]) -> list[Item]:
    """Attachments before the first answer as lines of words: the client moves an attachment up, past all user lines
    before it, and so would send it ahead of the memory (seen in 2.1.197 and 2.1.330)."""
    for item in items:
        if item.kind in "ar":
            break
        attachment = item.record.get("attachment")
        if not isinstance(attachment, dict) or not (text := _words_of(item.record, attachment)):
            continue
        made = _user(item.offset, f"<system-reminder>\n{text}\n</system-reminder>", item.record, "w")
        item.record = {**made.record, "uuid": item.record.get("uuid"), "isMeta": True}
    return items


def _words_of(record: Record, attachment: Record) -> str:
    """What an attachment says: as the client rendered it (2.1.330), or else its own texts. "" if it is no text."""
    content = attachment.get("content")
    if isinstance(content, dict) and content.get("type") != "text":
        return ""
    rendered = "\n".join(str(part.get("content") or "") for part in blocks(record.get("rendered")))
    plain = rendered.replace("<system-reminder>", "").replace("</system-reminder>", "").strip()
    return plain or "\n".join([f"{attachment['type']}:", *_leaves(attachment, ("type", "displayPath", "filePath"))])


def _leaves(value: object, without: tuple[str, ...]) -> list[str]:
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, dict):
        return [leaf for name, part in value.items() if name not in without for leaf in _leaves(part, without)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part, without)]
    return []


def _chain(items: list[Item], plan: Plan) -> Iterator[Out]:
    """Links the items: new ids, one straight line of parents, times that never go back."""
    session, parent, newest = plan.id("session"), plan.id("memory"), ""
    renamed: dict[str, str] = {}
    for place, item in enumerate(items):
        record = item.record
        if record.get("type") == _LINK:  # no part of the chain
            yield Out(item.offset, dump({**record, "sessionId": session}) + b"\n", False, newest)
            continue
        old = str(record.get("uuid") or f"line {item.offset} {place}")
        new = plan.id(old if old != "REDACTED" else f"{old} {item.offset}")
        renamed[old] = new
        record["parentUuid"], record["uuid"], record["sessionId"] = parent, new, session
        if "session_id" in record:
            record["session_id"] = session
        if record.get("sourceToolAssistantUUID") in renamed:
            record["sourceToolAssistantUUID"] = renamed[record["sourceToolAssistantUUID"]]
        newest = _time(record, newest, plan)
        if record.get("type") == "assistant":
            body = record["message"]
            body["id"] = body["id"] or f"msg_{new}"  # without an id the client merges all answers into one
            body["usage"] = dict(_NO_USAGE)
        counts = record.get("type") == "user" or (item.kind == "a" and said(record) is not None)
        yield Out(item.offset, dump(record) + b"\n", counts, newest)
        parent = new


def _time(record: Record, newest: str, plan: Plan) -> str:
    time = record.get("timestamp")
    if not _is_time(time):
        time = newest or plan.envelope.get("time") or _NO_TIME
    record["timestamp"] = max(str(time), newest)
    return str(record["timestamp"])


def _is_time(value: object) -> bool:
    """True for the client's spelling; only this one is ordered like the times it names."""
    return isinstance(value, str) and len(value) == len(_NO_TIME) and value[10] == "T" and value[-1] == "Z"
