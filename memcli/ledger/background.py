"""Background: calls that started something which runs on, and how it ended.

A harness answers such a call at once and names the job by an id; what the job does is told later: by a call that names
the id and asks for the output or stops it, or by a notification. Known are the harnesses' own sentences, at the
beginning of a result only, so that no program's output is taken for one.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from memcli.ledger.clean import identity, one_line
from memcli.ledger.deeds import Deed
from memcli.transcript.patterns import pattern

MAX_JOBS = 64
SCAN_LIMIT = 20_000
HEAD = 600  # characters of a result in which the harness speaks itself

State = Literal["", "running", "done", "failed", "stopped"]

_STARTED = pattern(
    r"^(?:"
    r"[\s\S]{0,400}?\bProcess running with session ID (?P<session>\w+)"
    r"|Command\b[^\n]{0,120}?\bbackground(?:ed)?\b[^\n]{0,40}?\bID: ?(?P<command>[\w-]+)"
    r"|Monitor started \(task (?P<monitor>[\w-]+)"
    r"|Async agent launched[^\n]*\s+agentId: ?(?P<agent>[\w-]+)"
    r"|\s*\{\s*\"agent_id\":\s*\"(?P<spawned>[\w-]+)\""
    r")"
)
_STATUS = pattern(
    r"\bstatus\b[\"'>:\s{(]{1,8}(?P<word>[a-z_]+)|^(?P<bare>completed|failed|killed|stopped)$", re.MULTILINE
)
_STATES: dict[str, State] = {
    "running": "running",
    "pending": "running",
    "pending_init": "running",
    "in_progress": "running",
    "completed": "done",
    "done": "done",
    "finished": "done",
    "failed": "failed",
    "error": "failed",
    "errored": "failed",
    "killed": "stopped",
    "stopped": "stopped",
    "shutdown": "stopped",
    "cancelled": "stopped",
    "interrupted": "stopped",
}
_CODE = pattern(r"(?:exit[ _]code>?:?|exited with code) ?(-?\d{1,6})\b")
_STOPPED = pattern(
    r"\bSuccessfully (?:stopped|killed|cancelled)\b|<event>\[[^\]\n]{0,40}\btimed out\b"
    r"|^\W*(?:error: )?No (?:task|shell|agent)\b[^\n]{0,30}\bfound\b",
    re.IGNORECASE,
)
_NOTICE = pattern(r"(?=<task-notification>|<subagent_notification>)")
_EVENT = pattern(r"<event>[\s\S]*?</event>")
_RESULT = pattern(r"<result>(.*?)</result>", re.DOTALL)
_SUMMARY = pattern(r"<summary>(.*?)</summary>", re.DOTALL)


_STARTERS = ("session ID", "background", "Monitor started", "Async agent", '"agent_id"')  # one of them in each start


class Job(msgspec.Struct, array_like=True):
    """Something that runs on: the call that started it, and whether its end was seen."""

    deed: Deed
    over: bool = False
    silent: bool = False  # its end is told only to who asks
    turn: int = 0  # so many turns had begun when it was started or asked about


class End(msgspec.Struct, frozen=True):
    """A job ended: the call that had started it, how, and what was said about it."""

    deed: Deed
    state: State
    text: str


class Background(msgspec.Struct, array_like=True):
    """Jobs by id, the oldest first."""

    jobs: dict[str, Job] = {}

    def started(self, deed: Deed, text: str, turn: int) -> bool:
        """True if a result says that its call runs on; the job is known by its id from now on."""
        match = _started(text)
        if not match:
            return False
        name = identity(next(filter(None, match.groups())))
        if name not in self.jobs or self.jobs[name].over:
            self.jobs.pop(name, None)
            self.jobs[name] = Job(deed, silent=bool(match["session"]), turn=turn)
        if len(self.jobs) > MAX_JOBS:
            over = (key for key, job in self.jobs.items() if job.over)
            del self.jobs[next(over, next(iter(self.jobs)))]
        return True

    def named(self, deed: Deed) -> Job | None:
        """The job a call asks about or stops."""
        if deed.kind not in ("stdin", "other"):
            return None
        return next((self.jobs[name] for name in deed.items if name in self.jobs), None)

    def polled(self, job: Job, deed: Deed, text: str, *, failed: bool) -> State:
        """What the answer to a call that named a job says of it; "" if nothing. `failed` is the answer's own mark."""
        if deed.kind == "stdin":
            ended: State = "stopped" if failed and deed.stops else "failed" if failed else "done"  # interrupted by it
            state: State = "running" if _started(text) else ended
        else:
            state = _state(text[:SCAN_LIMIT], deed.items)
        job.over = job.over or state in ("done", "failed", "stopped")
        return state

    def noticed(self, text: str) -> list[End]:
        """The harness said something by itself; the jobs that ended by it."""
        ends = []
        for notice in _NOTICE.split(text[:SCAN_LIMIT]):
            for name, job in self.jobs.items():
                if job.over or not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", notice):
                    continue
                state = _state(notice, [name])
                if state not in ("", "running"):
                    job.over = True
                    ends.append(End(job.deed, state, _told(notice)))
        return ends

    def done_again(self, key: str) -> None:
        """The same thing was done anew and came to an end: what an earlier start of it does matters no more."""
        for job in self.jobs.values():
            job.over = job.over or job.deed.key == key

    @property
    def running(self) -> dict[str, Job]:
        """Jobs whose end was not seen, by id, oldest first."""
        return {name: job for name, job in self.jobs.items() if not job.over}


def _started(text: str) -> re.Match[str] | None:
    """What the harness says of a job that it started, at the beginning of a result."""
    head = text[:HEAD]
    return _STARTED.match(head) if any(sign in head for sign in _STARTERS) else None


def _state(text: str, names: list[str]) -> State:
    """What a harness's own text says of a job; a status that follows the job's id in a list counts before others."""
    if _started(text):
        return "running"
    if _STOPPED.search(text):
        return "stopped"
    text = _EVENT.sub("", text)
    for name in names:
        listed = re.search(rf"\"{re.escape(name)}\"[\s:{{\"]{{1,8}}([a-z_]+)", text)
        if listed and listed[1] in _STATES:
            return _STATES[listed[1]]
    match = _STATUS.search(text)
    state = _STATES.get(match["word"] or match["bare"], "") if match else ""
    code = _CODE.search(text[:HEAD])
    if code and state in ("", "done", "failed"):
        return "done" if code[1] == "0" else "failed"
    return state


def _told(notice: str) -> str:
    """What a notification says in words: the answer of an agent, else its summary."""
    found = _RESULT.search(notice) or _SUMMARY.search(notice)
    return found[1] if found else one_line(notice)
