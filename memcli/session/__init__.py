"""One transcript being remembered, as a state machine: bytes, results and ticks go in, effects come out.

    receive(bytes) ─► lines ─► entries ─► thread (what lives) ─► meter, boundaries, the fold
    tick(now)      ─► the end of a quiet file is a place to cut; a threshold crossed at a cut starts a job
    finished(...)  ─► a summarizer's answer becomes a Publication, if its base still stands

Theory of operation. The ledger always stands at the last legal cut, never further: what came after it waits in
`pending` and is folded when the next cut is certain. So a job needs nothing but the ledger's snapshot, a rewind
restores the snapshot of the turn it returns to, and folding in ten parts or in one gives the same bytes. `live` is the
small fold of the present; it is brought up to the end of what has been read when somebody asks.

A late answer can never move the boundary past messages that nobody summarised: a job carries the cut it was made for
and the epoch it belongs to; an answer of another epoch (the conversation was rewound) is thrown away.

The session performs nothing. It knows no path, no clock and no process; whoever owns those (`watch.loop`,
`commands`) carries the effects out and says what happened.

    triggers      when an update is due
    marks         plain values that outlive the process; what waits; what is being asked
    conversation  the reading half: bytes, parents, rewinds
    session       the deciding half: jobs, answers, publications
    saved         what is written to disk
"""

from __future__ import annotations

from memcli.effects import (
    ContextFull,
    FindParent,
    Inheritance,
    Publication,
    Publish,
    RefreshState,
    Restart,
    StartJob,
    UpToDate,
    Warned,
)
from memcli.session.marks import KEPT_PROSE, Marks
from memcli.session.session import Session, document_of
from memcli.session.triggers import PATIENCE, QUIET_SECONDS, Triggers

__all__ = [
    "KEPT_PROSE",
    "PATIENCE",
    "QUIET_SECONDS",
    "ContextFull",
    "FindParent",
    "Inheritance",
    "Marks",
    "Publication",
    "Publish",
    "RefreshState",
    "Restart",
    "Session",
    "StartJob",
    "Triggers",
    "UpToDate",
    "Warned",
    "document_of",
]
