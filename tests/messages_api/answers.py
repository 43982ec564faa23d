"""What the server says. None of these answers is made to please whoever reads it.

recorded   texts of files, in order, the last one again and again: real answers, written down
reworded   what it was sent, by the published rules of `reword.py`
damaged    the same or a recorded text, spoilt by `damage.py`, with a seed
talking    where nobody asks for a memory, a sentence about the last line it was told; else reworded
echo       the last message, as it came
fixed      one text
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Protocol

from tests.messages_api.damage import damage
from tests.messages_api.edit import Edit, as_json, as_markdown
from tests.messages_api.material import PROSE, material
from tests.messages_api.piece import blocks_of, digest_of
from tests.messages_api.reword import reword

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADING = re.compile(r"^\s*(?:#{1,6}\s+(.+?)|\d+\.\s+(?:\*\*)?([^*]+?)(?::\*\*|\*\*:|:)|\*\*(.+?)\*\*)[\s:]*$")
_END = re.compile(r"<!--\s*end\b[^>]*-->", re.IGNORECASE)
_WORDS = (
    # the words of a heading, as people and models write them, and the section they mean; the first that fits
    ("pending", ""),
    ("next step", "Active Work"),
    ("current", "Active Work"),
    ("active", "Active Work"),
    ("error", "Errors & Corrections"),
    ("correction", "Errors & Corrections"),
    ("feedback", "Errors & Corrections"),
    ("intent", "User Intent"),
    ("request", "User Intent"),
    ("user", "User Intent"),
    ("goal", "User Intent"),
    ("completed", "Completed Work"),
    ("done", "Completed Work"),
    ("problem", "Completed Work"),
    ("decision", "Completed Work"),
    ("file", "Key References"),
    ("reference", "Key References"),
    ("technical", "Key References"),
    ("concept", "Key References"),
)


class Answers(Protocol):
    """Makes the text of an answer from a valid request. Called from several threads."""

    def __call__(self, body: dict[str, Any]) -> str: ...


class Fixed:
    """One text, always."""

    def __init__(self, text: str = "Noted.") -> None:
        self.text = text

    def __call__(self, body: dict[str, Any]) -> str:
        return self.text


def echo(body: dict[str, Any]) -> str:
    """The text of the last message."""
    return "\n".join(block.get("text", "") for block in blocks_of(body["messages"][-1]["content"]))


class Recorded:
    """The texts in order, then the last one. Where a schema is asked for and the text is no JSON, its headings are
    matched to sections by `_WORDS` and each becomes a replacement; text before the first heading goes unsaid."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = list(texts)
        self._lock = threading.Lock()

    def __call__(self, body: dict[str, Any]) -> str:
        with self._lock:
            text = self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]
        schema = schema_of(body)
        return text if schema is None or text.lstrip().startswith("{") else as_json(edits_in(text), schema)


class Reworded:
    """By the published rules, in the form that was asked for."""

    def __call__(self, body: dict[str, Any]) -> str:
        schema = schema_of(body)
        return _written(reword(material(body), whole=schema is None), body)


class Talking:
    """Somebody to chat with. Whoever brings a system prompt or a schema wants a memory, which is reworded.

    An answer names the number of its question, so that each can be told from the others.
    """

    def __init__(self) -> None:
        self._reworded = Reworded()

    def __call__(self, body: dict[str, Any]) -> str:
        if body.get("system") or schema_of(body) is not None:
            return self._reworded(body)
        asked = sum(message["role"] == "user" for message in body["messages"])
        last = echo(body).strip().splitlines()[-1]
        return f"Answer {asked}: I read that {last[:60]!r} is to be done, and it is."


class Damaged:
    """The reworded answer spoilt, or, where texts are given, what their headings hold. Equal requests are spoilt equally."""

    def __init__(self, seed: int = 0, texts: Sequence[str] = ()) -> None:
        self._seed = seed
        self._recorded = Recorded(texts) if texts else None

    def __call__(self, body: dict[str, Any]) -> str:
        found = material(body)
        recorded = edits_in(self._recorded({})) if self._recorded else []
        edits = recorded or reword(found, whole=schema_of(body) is None)
        return _written(damage(edits, found, f"{self._seed} {digest_of(body['messages'])}"), body)


def schema_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """The schema an answer is held to."""
    form = (body.get("output_config") or {}).get("format")
    return form["schema"] if form else None


def edits_in(text: str) -> list[Edit]:
    """A text with headings as replacements of the sections that they mean, those of equal meaning joined. A heading
    that means none is a line like any other, and so is one inside of a code fence."""
    sections: dict[str, list[str]] = {}
    section = ""
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _HEADING.match(line)
        meant = _meaning(heading[1] or heading[2] or heading[3]) if heading else None
        if meant is not None:
            section = meant
        elif section and line.strip():
            sections.setdefault(section, []).append(line.rstrip())
    return [Edit(name, "replace", "\n".join(lines)) for name, lines in sections.items()]


def _meaning(heading: str) -> str | None:
    """The section a heading means: "" for one that no model writes, None for no section."""
    if heading in PROSE:
        return heading
    return next((section for word, section in _WORDS if word in heading.lower()), None)


def _written(edits: list[Edit], body: dict[str, Any]) -> str:
    """As JSON where a schema asks for it, else as Markdown, with the end mark that the prompt shows if it shows one."""
    schema = schema_of(body)
    if schema is not None:
        return as_json(edits, schema)
    shown = _END.findall(str(body.get("system", "")) + echo(body))
    return as_markdown(edits, shown[-1] if shown else "")
