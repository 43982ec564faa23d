"""Checks: single tests that failed or passed, as the usual test programs name them.

A test is failing until it is seen passing, or until the command that showed it failing succeeds.
"""

from __future__ import annotations

import re

import msgspec

from memcli.ledger.attempts import covers, whole_check
from memcli.ledger.clean import clip, identity
from memcli.ledger.names import names_in
from memcli.transcript.patterns import pattern

MAX_CHECKS = 120
SCAN_HEAD, SCAN_TAIL = 20_000, 20_000

_RESULT = pattern(
    r"\s*--- (?P<go>FAIL|PASS): (?P<go_name>\S+)"
    r"|(?P<py>FAILED|PASSED|ERROR) (?P<py_name>[\w./-]+::\S+)"
    r"|(?P<py_late>[\w./-]+::\S+) (?P<py_state>FAILED|PASSED|ERROR)\b"
    r"|test (?P<rs_name>[\w:]+) \.\.\. (?P<rs>FAILED|ok)"
    r"|\s*(?P<js>[✕✗✓✔×]) (?P<js_name>\S[^\n]{2,120}?)(?: \(?\d+ ?m?s\)?)?\s*$"
    r"|(?P<tap>not ok|ok) \d+ (?:- )?(?P<tap_name>\S[^\n]{2,120})$"
)
# How far a step is, or how it ended, behind its name.
_STATE = pattern(r"\s+(?:[–—-]\s+(?:ERROR|FAIL(?:ED|URE)?)\b.*|\[[ #=>.-]*\](?:\s+\d+/\d+)?)$", re.IGNORECASE)
_BAD = frozenset(("FAIL", "FAILED", "ERROR", "✕", "✗", "×", "not ok"))
_HEADS = ("--- FAIL: ", "--- PASS: ", "test ", "✕", "✗", "×", "✓", "✔", "not ok ", "ok ")  # or "::" anywhere
_SIGNS = ("--- FAIL: ", "--- PASS: ", "::", "\ntest ", "✕", "✗", "×", "✓", "✔", "\nnot ok ", "\nok ")


class Checks(msgspec.Struct, array_like=True):
    """Failing tests by name, with the key of the command that showed them."""

    failing: dict[str, str] = {}

    def printed(self, output: str, key: str, succeeded: bool) -> None:
        """A shell command printed this."""
        ends = "\n" + _ends(output)
        lines = ends.split("\n") if any(sign in ends for sign in _SIGNS) else []
        for line in lines:
            if (line.lstrip().startswith(_HEADS) or "::" in line) and (match := _RESULT.match(line)):
                self._seen(match, key)
        if succeeded and self.failing:
            wide = bool(whole_check(key)) and not shows_failure(output)
            self.failing = {
                name: by for name, by in self.failing.items() if by != key and not (wide and covers(key, by))
            }

    def _seen(self, match: re.Match[str], key: str) -> None:
        groups = match.groupdict()
        state = next(filter(None, map(groups.get, ("go", "py", "py_state", "rs", "js", "tap"))))
        name = next(filter(None, map(groups.get, ("go_name", "py_name", "py_late", "rs_name", "js_name", "tap_name"))))
        name = clip(identity(_STATE.sub("", name) or name), 140)
        self.failing.pop(name, None)
        if state in _BAD:
            self.failing[name] = key
        if len(self.failing) > MAX_CHECKS:
            del self.failing[next(iter(self.failing))]

    @property
    def names(self) -> list[str]:
        """Failing tests, newest first; those that are no name in any sense (whole sentences) too."""
        return sorted(self.failing, key=lambda name: not names_in(name))


def shows_failure(output: str) -> bool:
    """True if an output says that something failed, whatever the exit code of its last program is."""
    return bool(_FAILED.search(_ends(output)))


_FAILED = pattern(r"^[^\w\n]{0,12}(?:FAIL(?:ED|URES?)?|ERRORS?|not ok)\b|\b[1-9]\d* (?:failed|failing)\b", re.MULTILINE)


def _ends(output: str) -> str:
    """Beginning and end of an output, where test programs say what failed."""
    if len(output) <= SCAN_HEAD + SCAN_TAIL:
        return output
    return output[:SCAN_HEAD] + "\n" + output[-SCAN_TAIL:]
