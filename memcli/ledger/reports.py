"""Reports: which files a subagent says it changed.

Its own calls are in no transcript of ours, so its words are all there is. Only what names a file surely counts: paths
at the head of a line below an announcement ("Files modified:", "Changes made:"), and past deeds ("Created `a/b.py`").
A path with a line number is a finding, and a report on a diff tells of somebody else's changes.
"""

from __future__ import annotations

from memcli.ledger.clean import clean
from memcli.ledger.shell import is_file
from memcli.transcript.patterns import pattern

MAX_FILES = 60
SCAN_LIMIT = 20_000

_READ_ONLY = pattern(
    r"(?i)\bread[- ]only\b|\b(?:do not|don't|never|without) (?:writ|edit|modify|chang|creat|touch|mak)\w*\b"
    r"[\w, ]{0,40}\b(?:files?|code|anything|changes|edits)\b"
)
_DEED = r"created|wrote|written|added|new|modified|updated|edited|changed|rewrote|rewritten|fixed|deleted|removed"
_ANNOUNCES = pattern(
    rf"(?i)\bfiles?\s+(?:i\s+|that\s+(?:i|were)\s+)?(?:have\s+)?(?P<after>{_DEED})\b|\b(?P<before>{_DEED})\s+files?\b"
    r"|\b(?:changes|edits|fixes|updates)\s+(?:made|applied|done)\b"
    r"|\b(?:what|everything)\s+(?:was|i|i've|i have)\s+(?:done|did|changed)\b"
)
_OF_OTHERS = pattern(r"(?i)\b(?:diff|branch|pull request|pr|commits?|review\w*|needed|suggested|proposed|not|no)\b")
_PATH = r"(?P<path>/?[\w.@+~-]+(?:/[\w.@+~-]+)+)"
_LISTED = pattern(
    rf"^\s*(?:[-*+•]\s+|\d{{1,3}}[.)]\s+|\|\s*|#+\s+)?[*`\"\d. ]*{_PATH}[`*\":]*(?=$|[\s:,(|])(?!:\d)(?P<rest>.*)"
)
_TWO = pattern(r"[\w-]+\.\w+/[\w-]+\.\w+")  # "go.mod/go.sum": one or the other, no path
_DONE = pattern(
    rf"^\s*(?:[-*+•]\s+|\d{{1,3}}[.)]\s+)?\W{{0,3}}(?:I\s+|I've\s+|I have\s+)?"
    rf"(?i:(?P<deed>created|wrote|added|modified|updated|edited|rewrote|deleted|removed))\b:?\W{{0,3}}\s*(?:the\s+|a\s+)?(?:new\s+)?(?:file\s+)?[`\"]{_PATH}[`\"](?!:\d)"
)
_HEADING = pattern(r"^\s*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)")
_CREATED = frozenset(("created", "wrote", "written", "added", "new"))
_DELETED = frozenset(("deleted", "removed"))
_NOTED = pattern(
    r"(?i)^[\s:—–(*`|-]*(?P<deed>created|new|added|deleted|removed|modified)(?: file)?\s*(?:$|[—–:(),.;|-])"
)


def may_change(prompt: str) -> bool:
    """True unless a subagent was told to change nothing."""
    return not _READ_ONLY.search(prompt)


def files_in(report: str) -> list[tuple[str, str]]:
    """(state, path) of the files a report says its writer changed, in order, each once."""
    found: dict[str, str] = {}
    announced = ""
    for line in clean(report, SCAN_LIMIT, 6000).split("\n"):
        if done := _DONE.match(line):
            found[done["path"]] = _state(done["deed"])
        elif listed := _LISTED.match(line) if announced else None:
            noted = _NOTED.match(listed["rest"])
            found[listed["path"]] = _state(noted["deed"]) if noted else announced
        elif _HEADING.match(line) or line.rstrip(" *").endswith(":"):
            said = line.rsplit(". ", 1)[-1]
            announcement = None if _OF_OTHERS.search(said) else _ANNOUNCES.search(said)
            if announcement or not line.startswith((" ", "\t", "- ", "* ")):
                announced = _state(announcement["after"] or announcement["before"] or "") if announcement else ""
    return [(state, path) for path, state in found.items() if is_file(path) and not _TWO.fullmatch(path)][:MAX_FILES]


def _state(deed: str) -> str:
    deed = deed.lower()
    return "created" if deed in _CREATED else "deleted" if deed in _DELETED else "modified"
