"""Complaints: the lines of an output that say what went wrong.

Known by their words, in any program's output; of many the one that names the error comes first, and what some program
prints about every failure of another one ("task failed", the path of a log) comes last or not at all.
"""

from __future__ import annotations

from itertools import compress

from memcli.ledger.clean import ELISION, clean, clip
from memcli.ledger.names import names_in, speaks, words_in
from memcli.transcript.patterns import pattern
from memcli.transcript.secrets import lowered

MAX_LINES = 3
LINE_LIMIT = 220
MIN_WORDS = 3
EARLY = 6  # lines with signs, of which the most telling ones are taken
SCAN_HEAD, SCAN_TAIL = 12_000, 8_000
LONGEST = 600  # characters; what is longer is code squeezed into a line, or data

_SIGN = pattern(  # in small letters
    r"\berror\b|\bfail(?:ed|ure|s)?\b|panic|exception|traceback|undefined|cannot|can't|not found|no such|denied|"
    r"fatal|unexpected|expected|mismatch|conflict|invalid|missing|unable|refused|timed? ?out|✗|✕|×"
)
# One of them stands in each sign.
_TOLD_BY = (
    "error fail panic exception traceback undefined cannot can't found such denied fatal expected mismatch conflict "
    "invalid missing unable refused time ✗ ✕ ×"
)
_SIGNS = tuple(_TOLD_BY.split())
_STRONG = pattern(
    r"(?i)^\W*(?:\w*error\b|fatal|panic|e\d+\b)|error(?:\[\w+\])?:|^\S+:\d+(?::\d+)?:|\bcommand not found\b"
)
_EMPTY = pattern(
    r"(?i)^(?:exit code:? -?\d+|(?:command|process) exited with code:? -?\d+|chunk id:.*|wall time:.*|output:|"
    r"original token count:.*|command:.*|\(no output\))$"
)
_TAGGED = pattern(r"</?tool_use_error>")
_TRACE = pattern(r"Traceback \(most recent call last\):$")
# Lines that some program prints about any failure of another one.
_GENERIC = pattern(
    r"(?i)lifecycle script|elifecycle|(?:task|command) failed|(?:failed|exited) with (?:exit )?(?:code|status|error)|"
    r"could not compile|aborting due|to rerun pass|^make(?:\[\d+\])?: \*\*\*|^error: test failed|"
    r"^npm (?:err!|error) (?:path|workspace|location|command|code|errno)\b|^\W*(?:FAIL|FAILED|Error)\W*$"
)
_TAG = pattern(r"\[[\w:.-]+\]")
_PROGRESS = pattern(r"(?i)\b(?:finished|completed?|done|elapsed|took) (?:in|after)?\b|^\W*\$ ")
# Lines of a log that are no errors by their own level.
_LEVEL = pattern(r"(?:^|[\s\[(<|=])(?:WARN|WARNING|INFO|DEBUG|TRACE|NOTICE)(?:[\s\])>|:]|$)|level=(?:info|warn|debug)")
_FIGURES = pattern(r"[0-9]+")


def telling_lines(output: str) -> list[str]:
    """Up to three lines of an output that say what went wrong, the most telling one first."""
    text = clean(output, SCAN_HEAD, SCAN_TAIL)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    if "tool_use_error>" in text:
        lines = [_TAGGED.sub("", line) for line in lines]
    lines = list(dict.fromkeys(line for line in lines if len(line) >= 12 and not _empty(line)))
    lines = [line for line in lines if len(line) <= LONGEST] or lines
    lines = _distinct(lines)
    seen = _with_signs(lines)
    signs = [line for line in seen if not _LEVEL.search(line)] or seen
    telling = [line for line in signs if not _GENERIC.search(line)]
    # What some program prints about any failure would blur the rest; alone ("task failed") it says nothing.
    signs = telling or [*signs, *_before(signs, lines)]
    early = signs[:EARLY] or [*lines[:1], *lines[-1:]]
    chosen = sorted(early, key=_worth, reverse=True)[:2] + [line for line in signs[-1:] if not _GENERIC.search(line)]
    if len(signs) < len(seen) and not {*chosen} & {*seen[:EARLY]}:
        chosen.insert(1, seen[0])  # a log is known again by what it begins with, whatever the cause was
    chosen = [_traced(line, lines) for line in chosen]
    return [clip(line, LINE_LIMIT) for line in _distinct(chosen, 45)][:MAX_LINES]


def tells_failure(line: str) -> bool:
    """True for a line that says that something went wrong, unless it is of a log and of a milder level."""
    return bool(_with_signs([line])) and not _LEVEL.search(line)


def _empty(line: str) -> bool:
    """True for what a harness writes around an output."""
    return line[0] in "eEcCpPwWoO(" and bool(_EMPTY.match(line))


def _with_signs(lines: list[str]) -> list[str]:
    """The lines that say that something went wrong."""
    text = lowered("\n".join(lines))
    signs = [sign for sign in _SIGNS if sign in text]
    small = text.split("\n")
    found = [any(sign in words for sign in signs) and bool(_SIGN.search(words)) for words in small]
    return list(compress(lines, found))


def _distinct(lines: list[str], end: int = 0) -> list[str]:
    """The first of lines that are the same but for figures, a time stamp say, in their last `end` characters or all."""
    kept: dict[str, str] = {}
    for line, alike in zip(lines, _FIGURES.sub("#", "\n".join(lines)).split("\n"), strict=False):
        kept.setdefault(alike[-end:], line)
    return list(kept.values())


def _before(signs: list[str], lines: list[str]) -> list[str]:
    """The last two lines with words before the first sign, of the same task if a tag at its start tells one."""
    if not signs:
        return []
    tag = _TAG.match(signs[0])
    before = [
        line
        for line in lines[: lines.index(signs[0])]
        if line.startswith(tag[0] if tag else "") and speaks(line, MIN_WORDS) and not _PROGRESS.search(line)
    ]
    return before[-2:]


def _traced(line: str, lines: list[str]) -> str:
    """The head of a Python traceback says nothing without its last line."""
    return f"{line} {ELISION} {clip(lines[-1], LINE_LIMIT - 60)}" if _TRACE.match(line) and line != lines[-1] else line


def _worth(line: str) -> int:
    """How much a line tells: it names an error, has words of its own, is long enough to be recognised."""
    words = len(words_in(line))
    return (
        -9 * bool(_GENERIC.search(line))
        - 12 * bool(_LEVEL.search(line))
        + 6 * bool(_STRONG.search(line))
        + min(words, 8)
        + 2 * bool(names_in(line))
        + 3 * (len(line) >= 50)
    )
