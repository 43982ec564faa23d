"""Deeds: what a tool call does, told from the shape of its input rather than from the name of the tool.

    input holds                          kind       brief (what is shown of it)
    command, cmd                         shell      the command line
    "*** Begin Patch" anywhere           patch      the paths of the patch
    a path and a replacement             edit       the path
    a path and a whole content           write      the path
    todos, plan[], taskId, subject       todo       -
    questions                            question   the questions
    plan (text)                          plan       -
    prompt                               agent      the description, else the first words
    pattern, query, url                  look       it, and where
    a path alone                         read       the path
    session_id                           stdin      -
    other ids                            other      all texts

So another harness with other tool names is read as well. A deed is kept until its result comes; only then it counts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from memcli.ledger import code
from memcli.ledger.attempts import command_key, looks_only
from memcli.ledger.clean import WITHIN, clean, clip, identity, one_line
from memcli.ledger.git import Run, records, runs_in, subjects_in
from memcli.ledger.here_documents import first_text
from memcli.ledger.names import keys_in
from memcli.ledger.outward import deeds_in
from memcli.ledger.prose import notes_in
from memcli.ledger.reports import may_change
from memcli.ledger.shell import TAKES, traffic
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.transcript.entries import ToolUse

Input = dict[str, Any]

BRIEF_LIMIT = 240
BRIEF_SCAN = 600
SCAN_LIMIT = 20_000  # characters of an input that are looked at
TEXT_HEAD, TEXT_TAIL = 20_000, 2_000  # characters of a text written to a file that are looked at
MAX_IDS = 8

_PATCHED = pattern(r"\*\*\* (Add|Update|Delete) File: ([^\n\\]+)(?:(?:\n|\\n)\*\*\* Move to: ([^\n\\]+))?")
_LONG_CD = pattern(r"^\s*cd\s+\S{60,}\s*(?:&&|;|\n)\s*")  # would leave no room for the command itself
_PATCH_STATE = {"Add": "created", "Update": "modified", "Delete": "deleted"}
_ID_FIELD = pattern(r"(?:^i|_i|I)ds?$")
_PATHS = ("file_path", "notebook_path", "path", "filename", "target_file")
_NEW = ("new_string", "new_str", "newText", "new_source", "insert_text", "replacement", "new_text")
_OLD = ("old_string", "old_str", "oldText", "old_text")
_WHOLE = ("content", "file_text", "contents")


class Change(msgspec.Struct, array_like=True):
    """What a deed does to one file: the state it leaves, and what the new text says.

    "moved" says that the source, a file or a folder, now stands at the path, or in it if that ends in a slash.
    """

    path: str
    state: str
    names: list[str] = []
    remarks: list[str] = []
    source: str = ""  # where a moved file came from
    about: str = ""  # what a whole new text says it is

    @property
    def writes(self) -> bool:
        """True if something is written to its path, or moved there: not only deleted with a folder or taken back."""
        return self.state not in TAKES and not (self.state == "deleted" and self.path.endswith("/"))


class Deed(msgspec.Struct, array_like=True):
    """A call, reduced to what its outcome will mean. `key` is equal for the same thing tried again."""

    index: int
    tool: str
    kind: str
    brief: str
    key: str
    why: str
    names: list[str] = []
    changes: list[Change] = []
    items: list[str] = []  # questions asked, or [task id, status, subject], or ids the call names
    remarks: list[str] = []
    reads: list[str] = []
    subjects: list[str] = []  # of commits it makes, "" for one that does not say it
    outward: list[str] = []  # what it does outside this machine
    amends: bool = False
    looks: bool = False  # a command that only looks, a subagent that was told to change nothing
    stops: bool = False  # it interrupts the session it names
    title: str = ""  # what the input itself says the call is for
    git: list[Run] = []  # what of git it runs


def deed_of(call: ToolUse, index: int, why: str) -> Deed:
    """What a call is about to do; `why` is what the agent said before it."""
    given = call.input
    kind = _kind(given)
    tool = _tool(call.name)
    title = clip(_own_words(given), BRIEF_LIMIT)
    purpose = (title if _command(given) else "") or clip(why, BRIEF_LIMIT)
    deed = Deed(index, tool, kind, "", "", purpose, title=title)
    _FILLERS[kind](deed, given)
    deed.brief = one_line(deed.brief, BRIEF_LIMIT)
    deed.key = deed.key or f"call:{deed.tool}:{one_line(clean(_leaves(given)), 160)}"
    return deed


@lru_cache(maxsize=256)
def _tool(name: str) -> str:
    return identity(one_line(clean(name, head=80)))


def _kind(given: Input) -> str:
    if _TELLING.isdisjoint(given):
        return "stdin" if "session_id" in given else "other"
    if "*** Begin Patch" in _patch(given)[:2000]:
        return "patch"
    if _list(given, "todos") or _list(given, "plan") or "taskId" in given or _text(given, "subject"):
        return "todo"
    if _text(given, *_PATHS):
        if any(name in given for name in (*_NEW, "edits")):
            return "edit"
        if _text(given, "pattern", "query"):
            return "look"
        return "write" if any(isinstance(given.get(name), str) for name in _WHOLE) else "read"
    if _text(given, "url"):
        return "look"
    for kind, names in _SHAPES:
        if any(_text(given, name) or _list(given, name) for name in names):
            return kind
    return "stdin" if "session_id" in given else "other"


_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("shell", ("command", "cmd")),
    ("question", ("questions",)),
    ("plan", ("plan",)),
    ("agent", ("prompt",)),
    ("look", ("pattern", "query", "url")),
)


# One of these fields has every input that is of another kind than the last two.
_TELLING = frozenset(
    ["todos", "plan", "taskId", "subject", "input", "patch", *_PATHS, *(name for _, names in _SHAPES for name in names)]
)


def _fill_shell(deed: Deed, given: Input) -> None:
    command = _command(given)
    safe = clean(command)
    shown = _LONG_CD.sub("", command)
    deed.brief = safe if shown == command and len(command) <= BRIEF_SCAN else clean(shown, head=BRIEF_SCAN)
    deed.key = "cmd:" + command_key(safe)
    deed.names = keys_in(deed.brief)
    deed.looks = looks_only(command)
    deed.outward, deed.git = deeds_in(command), [] if deed.looks else runs_in(command)
    deed.subjects, deed.amends = subjects_in(command) if records(deed.git) else [], "--amend" in command
    touched = traffic(command)
    deed.reads = [clean(path) for path in touched.reads]
    deed.changes = [Change(clean(path), state, source=clean(source)) for state, path, source in touched.effects]
    written = first_text(command)
    if written and len(deed.changes) == 1:
        _says(deed.changes[0], written)


def _fill_patch(deed: Deed, given: Input) -> None:
    text = clean(_patch(given), head=SCAN_LIMIT)
    pieces = re.split(r"(?=\*\*\* (?:Add|Update|Delete) File: )", text)
    for piece in pieces[1:]:
        match = _PATCHED.match(piece)
        if not match:
            continue
        verb, path, moved = match.groups()
        new = "\n".join(line[1:] for line in piece.split("\n") if line.startswith("+"))
        if moved:
            deed.changes.append(Change(path.strip(), "deleted"))
            deed.changes.append(Change(moved.strip(), "created", source=path.strip()))
        else:
            deed.changes.append(Change(path.strip(), _PATCH_STATE[verb]))
        _says(deed.changes[-1], new)
    deed.brief = ", ".join(change.path for change in deed.changes)
    deed.key = "file:" + (deed.changes[0].path if deed.changes else "")


def _fill_edit(deed: Deed, given: Input) -> None:
    path = _fill_path(deed, given)
    pairs = [given, *(item for item in _list(given, "edits") if isinstance(item, dict))]
    new = "\n".join(code.added(_text(pair, *_OLD), _text(pair, *_NEW)) for pair in pairs)
    change = Change(path, "modified")
    _says(change, new)
    whole = "\n".join(_text(pair, *_NEW) for pair in pairs)
    if whole != new and len(change.names) < code.MAX_NAMES:  # what stands around it, too
        around = code.key_names(clean(whole, head=TEXT_HEAD))
        change.names = list(dict.fromkeys([*change.names, *around]))[: code.MAX_NAMES]
    deed.changes = [change]


def _fill_write(deed: Deed, given: Input) -> None:
    path = _fill_path(deed, given)
    deed.changes = [Change(path, "created" if given.get("command") == "create" else "written")]
    _says(deed.changes[0], _text(given, *_WHOLE))


def _fill_path(deed: Deed, given: Input) -> str:
    path = one_line(clean(_text(given, *_PATHS), head=400))
    deed.brief, deed.key, deed.names = path, "file:" + path, keys_in(path)
    return path


def _fill_read(deed: Deed, given: Input) -> None:
    deed.reads = [_fill_path(deed, given)]
    deed.key = ""  # a file that cannot be read is no open error of a later edit


_TOOLS_ONLY = pattern(r"select:\w+(?:,\w+)*$")


def _fill_look(deed: Deed, given: Input) -> None:
    what = _text(given, "pattern", "query", "url", limit=300)
    where = _text(given, "path", "glob", limit=200)
    what = "" if _TOOLS_ONLY.match(what) else what  # the harness loads tools by it: no look-up of the work
    deed.brief = clean(f"{what}{WITHIN}{where}" if where else what)
    deed.names = keys_in(deed.brief)


def _fill_agent(deed: Deed, given: Input) -> None:
    prompt = clean(_text(given, "prompt"), head=8000)
    deed.brief = clean(_text(given, "description", limit=200)) or one_line(prompt, 120)
    deed.names = keys_in(prompt)
    deed.looks = not may_change(prompt)
    deed.remarks = code.remarks(prompt, ".md", limit=12)


def _fill_plan(deed: Deed, given: Input) -> None:
    deed.remarks = notes_in(clean(_text(given, "plan"), head=8000))[:40]


def _fill_question(deed: Deed, given: Input) -> None:
    asked = [item for item in _list(given, "questions") if isinstance(item, dict)]
    deed.items = [one_line(clean(_text(item, "question", limit=400)), 200) for item in asked]
    deed.brief = " ".join(deed.items)


def _fill_todo(deed: Deed, given: Input) -> None:
    status, subject = _text(given, "status"), _text(given, "subject", limit=400)
    deed.items = [identity(str(given.get("taskId", ""))), clean(status, head=40), clean(subject)]


def _fill_stdin(deed: Deed, given: Input) -> None:
    deed.items = [identity(str(given.get("session_id", "")))]
    typed = _text(given, "chars", "input")
    deed.stops, deed.git = typed == "\x03", runs_in(typed)


def _fill_other(deed: Deed, given: Input) -> None:
    deed.brief = clean(_leaves(given), head=BRIEF_LIMIT)
    deed.names = keys_in(deed.brief)
    deed.items = _ids(given)


_FILLERS = {
    "shell": _fill_shell,
    "patch": _fill_patch,
    "edit": _fill_edit,
    "write": _fill_write,
    "read": _fill_read,
    "look": _fill_look,
    "agent": _fill_agent,
    "plan": _fill_plan,
    "question": _fill_question,
    "todo": _fill_todo,
    "stdin": _fill_stdin,
    "other": _fill_other,
}


def _says(change: Change, text: str) -> None:
    """Note what a text that is written to a file says: its names and remarks, and of a new file what it is."""
    text = clean(text, head=TEXT_HEAD, tail=TEXT_TAIL)
    change.names, change.remarks = code.key_names(text), code.remarks(text, change.path)
    if change.state in ("created", "written") and not change.source:
        change.about = code.about(text, change.path)


def _own_words(given: Input) -> str:
    """The purpose a call of a command or of an agent states itself."""
    states = _command(given) or _text(given, "prompt")
    return one_line(clean(_text(given, "description", limit=300))) if states else ""


def _command(given: Input) -> str:
    for name in ("command", "cmd"):
        value = given.get(name)
        if isinstance(value, list):
            value = value[-1] if value else ""
        if isinstance(value, str) and value:
            return value[:SCAN_LIMIT]
    return ""


def _ids(given: Input) -> list[str]:
    """Ids that fields of an input name as such."""
    values = [value for name, value in given.items() if _ID_FIELD.search(name)]
    listed = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [identity(str(one)) for one in listed if isinstance(one, str | int)][:MAX_IDS]


def _patch(given: Input) -> str:
    """The text in which a patch may stand."""
    return _command(given) or _text(given, "input", "patch")


def _text(given: Input, *names: str, limit: int = SCAN_LIMIT) -> str:
    """The first of the named fields that holds a text."""
    for name in names:
        value = given.get(name)
        if isinstance(value, str) and value:
            return value[:limit]
    return ""


def _list(given: Input, name: str) -> list[Any]:
    value = given.get(name)
    return value if isinstance(value, list) else []


def _leaves(value: Any, depth: int = 0) -> str:
    """All texts of an input, joined; what lies deeper than six levels is left out."""
    if isinstance(value, str):
        return value[:2000]
    if depth > 6 or not isinstance(value, dict | list):
        return ""
    inner = value.values() if isinstance(value, dict) else value
    return " ".join(filter(None, (_leaves(item, depth + 1) for item in list(inner)[:40])))
