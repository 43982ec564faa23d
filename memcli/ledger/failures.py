"""Failures: calls that went wrong, what they said, and whether the same thing succeeded later.

A failure is open until the same command (figures and filters aside), a change of the same file, or the same call
succeeds. The work may also go around it, which proves nothing about the failure and so is told apart from "fixed": its
first program worked when run without what broke it, it worked as one of several commands or within a wider check, or it
failed once and two turns and 40 calls went by without it.
A test, a build or a lint that failed stays open however long nobody runs it; a misspelt one does not.
Refusals by the person, slips of the harness (file not read yet, text not found) and look-ups without a find
are no failures. Texts are tool output: only ever shown quoted, and labelled so.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.checks import shows_failure
from memcli.ledger.clean import ELISION, clean, clip
from memcli.ledger.names import names_in, speaks, words_in
from memcli.ledger.shell import covers, first_run, looks_only, proves, recorded, stages, whole_check
from memcli.transcript.patterns import pattern
from memcli.transcript.secrets import lowered

if TYPE_CHECKING:
    from memcli.ledger.deeds import Deed

MAX_FAILURES = 200
MAX_LINES = 3
LINE_LIMIT = 220
MIN_WORDS = 3
SCAN_HEAD, SCAN_TAIL = 12_000, 8_000
LONGEST = 600  # characters; what is longer is code squeezed into a line, or data
LEFT_TURNS, LEFT_CALLS = 2, 40

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
_STRONG = pattern(r"(?i)^\W*(?:\w*error\b|fatal|panic|e\d+\b)|error(?:\[\w+\])?:|^\S+:\d+(?::\d+)?:")
_EMPTY = pattern(
    r"(?i)^(?:exit code:? -?\d+|(?:command|process) exited with code:? -?\d+|chunk id:.*|wall time:.*|output:|"
    r"original token count:.*|command:.*|\(no output\))$"
)
_TAGGED = pattern(r"</?tool_use_error>")
_FIGURES = pattern(r"[0-9]+")
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
_SLIPS = (
    "has not been read yet",
    "modified since read",
    "exceeds max",
    "no changes to make",
    "string to replace",
    "could not find the exact text",
    "sibling tool call",
    "file does not exist",
    "path does not exist",
    "inputvalidationerror",
    "request interrupted",
    "user doesn't want",
    "<tool_use_error>",
    "not a valid tool",
    "eisdir",
    "no such tool",
    "was not found in",
    "command aborted",
    "operation aborted",
    "failed to find expected lines",
)


# Commands whose failure says something about the work, not about the command.
_PROVES = pattern(
    r"(?i)(?:^|[\s:])(?:\w*tests?|specs?|check|lint|build|vet|compile|clippy|mypy|ruff|tsc|eslint|bats|e2e|ci|verify|"
    r"deploy|migrate|make)(?=[\s:]|$)"
)
_STRINGS = pattern(r"'[^']*'|\"[^\"]*\"")
_MISUSE = pattern(
    r"(?i)unexpected argument|(?:unknown|unrecognized|invalid|no such) (?:\w+ )?(?:option|flag|argument|subcommand|"
    r"field)|command not found|no version is set for command|no matches found"
)


class Moment(msgspec.Struct, array_like=True):
    """How many turns began and calls were made until now."""

    turns: int = 0
    calls: int = 0


class Failure(msgspec.Struct, array_like=True):
    """One kind of failure of one thing. `fixed` is the event of the later success, -1 while there is none; `cause` is
    what the agent said it means. `left` is the event at which the work had gone around it, -1 while it is open, and
    `instead` the command that worked since ("": work just went on).
    """

    key: str
    what: str
    kind: str
    lines: list[str]
    count: int = 0
    last: int = 0
    fixed: int = -1
    cure: str = ""
    cause: str = ""
    seen: Moment = msgspec.field(default_factory=Moment)
    left: int = -1
    instead: str = ""

    @property
    def open(self) -> bool:
        """True if neither the same thing worked since nor the work went around it."""
        return self.fixed < 0 and self.left < 0


class Failures(msgspec.Struct, array_like=True):
    """All failures, the least recent first, by key and first line."""

    seen: dict[str, Failure] = {}

    def failed(self, deed: Deed, output: str, now: Moment) -> str:
        """A call failed with this output; the name under which that is kept is returned, "" if it is no failure."""
        head = lowered(output[:400])
        if any(slip in head for slip in _SLIPS) or (deed.kind == "shell" and looks_only(deed.brief)):
            return ""
        lines = telling_lines(output)
        if not lines:
            return ""
        name = f"{deed.key}\n{_FIGURES.sub('#', lines[0])[:80]}"
        failure = self.seen.pop(name, None) or Failure(deed.key, deed.brief, deed.kind, lines)
        failure.lines, failure.what = lines, deed.brief
        failure.seen, failure.left, failure.instead = Moment(now.turns, now.calls), -1, ""
        failure.count, failure.last, failure.fixed, failure.cure = failure.count + 1, deed.index, -1, ""
        self.seen[name] = failure
        if len(self.seen) > MAX_FAILURES:
            settled = (key for key, one in self.seen.items() if not one.open)
            del self.seen[next(settled, next(iter(self.seen)))]
        return name

    def explained(self, name: str, cause: str) -> None:
        """The agent said what a failure means; saying nothing changes nothing."""
        if cause and name in self.seen:
            self.seen[name].cause = cause

    def succeeded(self, deed: Deed, index: int, cure: str, output: str = "") -> None:
        """The same thing succeeded: its failures are fixed. `cure` is what the agent did in between, in words; `output`
        is what the success printed: a check over everything counts for its parts unless a pipe hid that one failed.
        """
        shell = deed.kind == "shell"
        worked, taken_in = (first_run(deed.key), recorded(deed.key)) if shell else ((), set())
        sound = shell and not shows_failure(output)
        whole, passed = sound and bool(whole_check(deed.key)), stages(deed.key) if sound else ()
        for failure in self.seen.values():
            if failure.fixed < 0 and failure.key == deed.key:
                failure.fixed, failure.cure = index, clip(cure, LINE_LIMIT)
            elif not shell or failure.kind != "shell" or failure.fixed >= 0:
                continue
            elif whole and covers(deed.key, failure.key):
                failure.fixed, failure.cure = index, ""  # by which of the changes since is not known
            elif failure.open and (
                _around(failure, worked)
                or _recorded_since(failure, taken_in)
                or any(proves(one, failure.key) for one in passed)
            ):
                failure.left, failure.instead = index, deed.brief

    def aged(self, now: Moment, index: int) -> None:
        """A turn begins: what failed once, while work went on without it, has been left."""
        for failure in self.seen.values():
            turns, calls = now.turns - failure.seen.turns, now.calls - failure.seen.calls
            if (
                failure.open
                and failure.count == 1
                and turns >= LEFT_TURNS
                and calls >= LEFT_CALLS
                and not _proves(failure)
            ):
                failure.left = index

    @property
    def open(self) -> list[Failure]:
        """What still fails, newest first."""
        return [one for one in reversed(self.seen.values()) if one.open]

    @property
    def left(self) -> list[Failure]:
        """What the work went around, newest first."""
        return [one for one in reversed(self.seen.values()) if one.fixed < 0 <= one.left]

    @property
    def fixed(self) -> list[Failure]:
        """What failed and was fixed, newest first."""
        return [one for one in reversed(self.seen.values()) if one.fixed >= 0]


def _proves(failure: Failure) -> bool:
    """True if a failure says something about the work: a check that went wrong, not a command that was misspelt."""
    return failure.kind == "shell" and _checks(failure.key) and not _misspelt(failure)


@lru_cache(maxsize=2 * MAX_FAILURES)  # asked at each turn of each failure that is open
def _checks(key: str) -> bool:
    return bool(_PROVES.search(_STRINGS.sub("", key.removeprefix("cmd:"))))


def _misspelt(failure: Failure) -> bool:
    return any(map(_tells_misuse, failure.lines))


@lru_cache(maxsize=2 * MAX_FAILURES)
def _tells_misuse(line: str) -> bool:
    return bool(_MISUSE.search(line))


def _around(failure: Failure, worked: tuple[str, ...]) -> bool:
    """True if what worked is the first program of the failed command, with the same operands.

    Where only what stood behind them can have failed (a pipe, a misspelt word), the first of the operands are enough.
    """
    failed = first_run(failure.key) if len(worked) >= 2 else ()
    if not failed or failed[: len(worked)] != worked:
        return False
    return "|" in failure.key or _misspelt(failure) or (failed == worked and not _proves(failure))


def _recorded_since(failure: Failure, now: set[str]) -> bool:
    """True if git took in changes by now as the failed command was to do, whichever they were."""
    before = recorded(failure.key) if now else set()
    return bool(before) and before <= now


def telling_lines(output: str) -> list[str]:
    """Up to three lines of an output that say what went wrong, the most telling one first."""
    text = clean(output, SCAN_HEAD, SCAN_TAIL)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    if "tool_use_error>" in text:
        lines = [_TAGGED.sub("", line) for line in lines]
    lines = list(dict.fromkeys(line for line in lines if len(line) >= 12 and not _empty(line)))
    lines = [line for line in lines if len(line) <= LONGEST] or lines
    lines = _distinct(lines)
    signs = _with_signs(lines)
    telling = [line for line in signs if not _GENERIC.search(line)]
    # What some program prints about any failure would blur the rest; alone ("task failed") it says nothing.
    signs = telling or [*signs, *_before(signs, lines)]
    early = signs[:6] or [*lines[:1], *lines[-1:]]
    chosen = sorted(early, key=_worth, reverse=True)[:2] + [line for line in signs[-1:] if not _GENERIC.search(line)]
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
