"""Failures: calls that went wrong, what they said, and whether the same thing succeeded later.

A failure is open until the same command (figures and filters aside), a change of the same file, or the same call
succeeds. The work may also go around it, which proves nothing about the failure and so is told apart from "fixed": its
first program worked when run without what broke it or with other options, it worked as one of several commands, within
a wider check or part by part, git went on with what had stopped, or it failed once and two turns and 40 calls went by
without it. What was only typed wrong, a script written into the command, or a page that could not be read has been left
when the next turn begins.
A test, a build or a lint that failed stays open however long nobody runs it; a misspelt one does not.
Refusals by the person, slips of the harness (file not read yet, text not found) and look-ups without a find
are no failures. Texts are tool output: only ever shown quoted, and labelled so.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.attempts import (
    covers,
    ends_in_filter,
    first_run,
    gone_on,
    parts,
    proves,
    recorded,
    same_aim,
    stages,
    stopped_in,
    whole_check,
    without_strings,
)
from memcli.ledger.checks import shows_failure
from memcli.ledger.clean import clip
from memcli.ledger.complaints import telling_lines
from memcli.transcript.patterns import pattern
from memcli.transcript.secrets import lowered

if TYPE_CHECKING:
    from memcli.ledger.deeds import Deed

MAX_FAILURES = 200
CURE_LIMIT = 220  # characters of what mended it
LEFT_TURNS, LEFT_CALLS = 2, 40  # gone by without it: what failed once has been left

_FIGURES = pattern(r"[0-9]+")
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
_MISUSE = pattern(
    r"(?i)unexpected argument|(?:unknown|unrecognized|invalid|no such) (?:\w+ )?(?:option|flag|argument|subcommand|"
    r"field)|no version is set for command|no matches found|^\(eval\):\d+:|^env: [^:]+: No such file"
)
_SHELL_SAYS = pattern(r"^(?:/\S*/)?(?:ba|z|da)?sh: (?:line )?(?:\d+: )?")
_UNKNOWN = pattern(r"([^\s:]+): (?:command )?not found|command not found: (\S+)")
_WRITTEN_IN = pattern(r"<<|\s-\w*[ce] ['\"]|^\w+=\$\(")  # a program in the command itself, never typed twice alike


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
    worked: list[str] = []  # of the commands of a list that failed, those that worked since

    @property
    def open(self) -> bool:
        """True if neither the same thing worked since nor the work went around it."""
        return self.fixed < 0 and self.left < 0

    @property
    def proves(self) -> bool:
        """True if it says something about the work: a check that went wrong, not a command that was misspelt."""
        return self.kind == "shell" and _checks(self.key) and not _misspelt(self)

    @property
    def passing(self) -> bool:
        """True for what nobody tries again as it was: a slip, a script typed into the command, a page that cannot be
        read. It has been left when its turn ends.
        """
        probe = self.kind == "look" or bool(_WRITTEN_IN.search(self.key.removeprefix("cmd:")))
        return not self.proves and (probe or _misspelt(self))

    def part_by_part(self, passed: tuple[str, ...]) -> bool:
        """Commands worked: true if each of a list that failed has worked by now."""
        listed = parts(self.key) if passed else ()
        self.worked = [one for one in listed if one in self.worked or any(proves(other, one) for other in passed)]
        return bool(listed) and len(self.worked) == len(listed)


class Failures(msgspec.Struct, array_like=True):
    """All failures, the least recent first, by key and first line."""

    seen: dict[str, Failure] = {}

    def failed(self, deed: Deed, output: str, now: Moment) -> str:
        """A call failed with this output; the name under which that is kept is returned, "" if it is no failure."""
        head = lowered(output[:400])
        if any(slip in head for slip in _SLIPS) or (deed.kind == "shell" and deed.looks):
            return ""
        lines = telling_lines(output)
        if not lines:
            return ""
        name = f"{deed.key}\n{_FIGURES.sub('#', lines[0])[:80]}"
        failure = self.seen.pop(name, None) or Failure(deed.key, deed.brief, deed.kind, lines)
        failure.lines, failure.what = lines, deed.brief
        failure.seen, failure.left, failure.instead = Moment(now.turns, now.calls), -1, ""
        failure.worked = []
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
        went_on = gone_on(deed.key, output) if shell else set()
        for failure in self.seen.values():
            if failure.fixed < 0 and failure.key == deed.key:
                failure.fixed, failure.cure = index, clip(cure, CURE_LIMIT)
            elif not shell or failure.kind != "shell" or failure.fixed >= 0:
                continue
            elif whole and covers(deed.key, failure.key):
                failure.fixed, failure.cure = index, ""  # by which of the changes since is not known
            elif failure.open and (
                _around(failure, worked)
                or _recorded_since(failure, taken_in)
                or any(proves(one, failure.key) for one in passed)
                or (went_on and went_on & stopped_in(failure.key))
                or (not failure.proves and same_aim(deed.key, failure.key))
                or failure.part_by_part(passed)
            ):
                failure.left, failure.instead = index, deed.brief

    def aged(self, now: Moment, index: int) -> None:
        """A turn begins: what failed once, while work went on without it, has been left; slips and probes have been
        anyway.
        """
        for failure in self.seen.values():
            turns, calls = now.turns - failure.seen.turns, now.calls - failure.seen.calls
            gone_by = failure.count == 1 and turns >= LEFT_TURNS and calls >= LEFT_CALLS
            if failure.open and (failure.passing or (gone_by and not failure.proves)):
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


@lru_cache(maxsize=2 * MAX_FAILURES)  # asked at each turn of each failure that is open
def _checks(key: str) -> bool:
    typed = key.removeprefix("cmd:").split("<<", 1)[0]  # not the text that is handed to it
    return bool(_PROVES.search(without_strings(typed)))


def hidden(deed: Deed, output: str) -> bool:
    """True for a check that printed that something failed, while the filter behind its pipe worked."""
    return deed.kind == "shell" and _checks(deed.key) and ends_in_filter(deed.brief) and shows_failure(output)


def _misspelt(failure: Failure) -> bool:
    return any(_tells_misuse(line, failure.key) for line in failure.lines)


@lru_cache(maxsize=2 * MAX_FAILURES)
def _tells_misuse(line: str, key: str) -> bool:
    """True for a line that says that the command was typed wrong. What is missing deep in a check is no slip."""
    if _MISUSE.search(line) or (_SHELL_SAYS.match(line) and not _checks(key)):
        return True
    unknown = _UNKNOWN.search(line)
    return unknown is not None and (unknown[1] or unknown[2]) in key.removeprefix("cmd:").split()


def _around(failure: Failure, worked: tuple[str, ...]) -> bool:
    """True if what worked is the first program of the failed command, with the same operands.

    Where only what stood behind them can have failed (a pipe, a misspelt word), the first of the operands are enough.
    """
    failed = first_run(failure.key) if len(worked) >= 2 else ()
    if not failed or failed[: len(worked)] != worked:
        return False
    return "|" in failure.key or _misspelt(failure) or (failed == worked and not failure.proves)


def _recorded_since(failure: Failure, now: set[str]) -> bool:
    """True if git took in changes by now as the failed command was to do, whichever they were."""
    before = recorded(failure.key) if now else set()
    return bool(before) and (before <= now or (before == {"add"} and "commit" in now))
