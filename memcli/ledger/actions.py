"""Actions: commands, look-ups, subagents: what was done, for what, and how it went.

The same action again replaces the one before and counts it; so the ledger knows how tests are run here, not that they
ran forty times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import clean, clip, one_line
from memcli.ledger.names import names_in, speaks
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.ledger.deeds import Deed

MAX_ACTIONS = 400
SHOWN_LIMIT = 160
WHY_LIMIT = 180
REPORT_LIMIT = 140
MAX_REPORT = 14


_FOOTNOTE = pattern(r"(?i)agentid:|<?usage>?|total_tokens|tool_uses")  # what a harness adds to a report


class Action(msgspec.Struct, array_like=True):
    """One thing done. `report` holds telling lines of what a subagent answered (tool text: only ever quoted)."""

    kind: str
    brief: str
    why: str
    runs: int = 0
    failures: int = 0
    last: int = 0
    ok: bool = True
    said: list[str] = []
    report: list[str] = []


class Actions(msgspec.Struct, array_like=True):
    """Actions by key, the least recent first."""

    done: dict[str, Action] = {}

    def happened(self, deed: Deed, failed: bool, output: str) -> str:
        """A call came back; what a subagent reported is returned, as far as it is kept."""
        action = self.done.pop(deed.key, None) or Action(deed.kind, "", "")
        action.brief = clip(one_line(deed.brief), SHOWN_LIMIT)
        action.why = clip(deed.why, WHY_LIMIT) or action.why
        action.runs, action.failures = action.runs + 1, action.failures + failed
        action.last, action.ok, action.said = deed.index, not failed, deed.remarks
        if deed.kind == "agent" and not failed:
            action.report = _telling(output)
        self.done[deed.key] = action
        if len(self.done) > MAX_ACTIONS:
            del self.done[next(iter(self.done))]
        return "\n".join(action.report)


def _telling(output: str) -> list[str]:
    """Lines of a report that say something about something named."""
    lines = (one_line(line.lstrip("-*#> ")) for line in clean(output, 14_000, 6000).split("\n"))
    good = [
        clip(line, REPORT_LIMIT) for line in lines if not _FOOTNOTE.match(line) and speaks(line, 4) and names_in(line)
    ]
    best = sorted(range(len(good)), key=lambda place: -len(set(names_in(good[place]))))[:MAX_REPORT]
    return [good[place] for place in sorted(best)]
