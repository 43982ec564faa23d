"""Acceptance: is an answer worth looking at, as a whole?

A refused answer costs one corrective retry, and after that the update goes without a model; so only what cannot be
mended is refused: nothing, a refusal, broken form, tool calls, another language, loops, and talk without ground.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from memcli.memory.claims import loosened, named
from memcli.memory.sections import CHARS_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memcli.memory.jobs import ProseEdit
    from memcli.memory.sections import Sections
    from memcli.memory.seen import Seen

GROUNDED = 0.8
"""Share of the names in an answer that must have been shown (real summaries reach 0.95)."""

REPEATED = 0.3
"""Share of runs of five words that may be repetitions."""

MOST_QUOTES = 300
"""Quotes and pieces of code in one answer; each is looked for in all that was shown."""

ENOUGH = 5  # names from which their share tells something
LONG = 60  # words from which repetition tells something
FOREIGN = 0.1  # share of the conversation's letters that makes a script one of its own

_REFUSES = re.compile(
    r"(?i)^\W*(?:i['’]?m (?:sorry|afraid|unable|not able)|i am (?:sorry|unable|not able)|sorry,"
    r"|i (?:can(?:no|['’])t|cannot|won['’]t|will not|must decline)|as an ai\b|i apologi[sz]e|unfortunately,? i\b)"
)
_TOOLS = re.compile(
    r"<(?:antml:)?(?:function_calls|invoke|tool_call|tool_use|tool_code)\b|<\|(?:tool|python_tag|channel)"
    r"|\"type\"\s*:\s*\"(?:tool_use|function(?:_call)?)\"|\[TOOL_CALLS\]|^\s*to=functions\.",
    re.MULTILINE,
)
_MARKS = re.compile('["“”„«»`]')
_FENCE = re.compile(r"^\s*(```|~~~)", re.MULTILINE)
_SCRIPTS = {
    "Latin": re.compile("[A-Za-z\u00c0-\u024f]"),
    "Greek": re.compile("[\u0370-\u03ff]"),
    "Cyrillic": re.compile("[\u0400-\u052f]"),
    "Hebrew": re.compile("[\u0590-\u05ff]"),
    "Arabic": re.compile("[\u0600-\u06ff]"),
    "Devanagari": re.compile("[\u0900-\u097f]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "kana": re.compile("[\u3040-\u30ff]"),
    "Han": re.compile("[\u4e00-\u9fff]"),
    "Hangul": re.compile("[\uac00-\ud7af]"),
}
# short words that each stand in nearly every text of one language and hardly in the others
_LANGUAGES = {
    "English": "the and was with that this for from which were has are not",
    "German": "der die das und ist nicht mit wurde werden eine einen auf für sich dem",
    "French": "le les des est une dans pour pas avec sur qui été sont aux",
    "Spanish": "el los las una por para con del está como más fue son pero",
    "Portuguese": "os uma não com para foi são pelo mais está dos das ao",
    "Italian": "il gli una per con non della sono che è stato nel alla dei",
}


def refusal(
    before: Mapping[str, str],
    edits: Sequence[ProseEdit],
    usable: Sequence[ProseEdit],
    seen: Seen,
    budget: int,
    sections: Sections,
) -> str:
    """Why an answer is refused as a whole, as a sentence to its writer; nothing if it may be looked at.

    No edit at all is a true answer where prose stands already: nothing new is worth a word.
    """
    if not edits:
        return "" if any(before.values()) else "the answer holds no edit, and nothing was written before"
    if not usable:
        return f"no edit names a section that may be written; these may: {', '.join(sections.writable)}"
    texts = [edit.text for edit in usable if edit.text.strip()]
    if not texts:
        return "" if any(edit.op == "drop" for edit in usable) else "the edits hold no text"
    whole = "\n\n".join(texts)
    if len(whole) > budget * CHARS_PER_TOKEN:
        return f"the edits have {len(whole)} characters, more than the whole memory may have"
    if len(_MARKS.findall(whole)) > 2 * MOST_QUOTES:
        return f"the answer holds more than {MOST_QUOTES} quotes"
    if any(_REFUSES.match(text) for text in texts):
        return "the answer refuses the task instead of doing it"
    if _TOOLS.search(whole):
        return "the answer calls a tool; there are none"
    if not all(map(_balanced, texts)):
        return "a code fence is opened and not closed"
    return _drifted(whole, seen) or _looping(usable) or _groundless(whole, seen)


def _balanced(text: str) -> bool:
    open_mark = ""
    for mark in _FENCE.findall(text):
        if open_mark in ("", mark):
            open_mark = "" if open_mark else mark
    return not open_mark


def _drifted(text: str, seen: Seen) -> str:
    """Why an answer is refused that is in letters or a language that nobody in the conversation used; else nothing."""
    said = f"{seen.user.raw[:200_000]} {seen.assistant.raw[:200_000]} {seen.shown.raw[:50_000]}"
    mine, theirs = _scripts(text), _scripts(said)
    if mine and theirs:
        main = mine.most_common(1)[0][0]
        if theirs[main] < FOREIGN * theirs.total():
            return f"the answer is written in {main} letters, the conversation is not"
    mine, theirs = _languages(text), _languages(said)
    if mine and mine.total() >= 12:
        main, hits = mine.most_common(1)[0]
        if hits > 0.6 * mine.total() and theirs[main] < FOREIGN * theirs.total():
            return f"the answer is written in {main}, the conversation is not"
    return ""


def _scripts(text: str) -> Counter[str]:
    return Counter({name: count for name, letters in _SCRIPTS.items() if (count := len(letters.findall(text)))})


def _languages(text: str) -> Counter[str]:
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    hits = {name: sum(words[word] for word in short.split()) for name, short in _LANGUAGES.items()}
    return Counter({name: count for name, count in hits.items() if count})


def _looping(edits: Iterable[ProseEdit]) -> str:
    """A loop is one within a section; two sections may well speak of the same thing."""
    sections: dict[str, str] = {}
    for edit in edits:
        sections[edit.section] = f"{sections.get(edit.section, '')}\n{edit.text}"
    return "the answer repeats itself" if any(map(_repeats, sections.values())) else ""


def _repeats(text: str) -> bool:
    words = re.findall(r"\w+", text.lower())
    runs = Counter(zip(*(words[shift:] for shift in range(5)), strict=False))
    return len(words) >= LONG and 1 - len(runs) / max(1, runs.total()) > REPEATED


def _groundless(text: str, seen: Seen) -> str:
    names = named(loosened(text, seen))
    unknown = [name for name in names if not seen.names(name)]
    if len(names) < ENOUGH or len(names) - len(unknown) >= GROUNDED * len(names):
        return ""
    return f"{len(unknown)} of {len(names)} names in the answer stand nowhere: {', '.join(_shown(unknown))}"


def _shown(names: Iterable[str]) -> list[str]:
    return [f"`{name[:60]}`" for name in list(names)[:5]]
