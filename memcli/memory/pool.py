"""The pool: lines that compete for the room which the facts leave.

Each tells what something is or why it was done: the agent's own findings and results, purposes of changes, what new
text says of itself, commands with purpose and outcome, what files were read for, what subagents were asked and said.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import TYPE_CHECKING

from memcli.ledger.attempts import looks_only
from memcli.ledger.names import is_name, key_of, keys_in
from memcli.ledger.prose import TELLING, sentences, telling
from memcli.memory import labels, results
from memcli.memory.budget import Line
from memcli.memory.facts.files import file_line
from memcli.memory.quoting import quoted, spelled, told, worded
from memcli.memory.sections import ACTIVE_WORK, COMPLETED, FILES, REFERENCES
from memcli.memory.shown import entered, shown_path, tool_of, turn_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memcli.ledger.actions import Action
    from memcli.ledger.files import File, Touch
    from memcli.ledger.ledger import Ledger

HALF_LIFE = 600  # events
TOUCHED = 4  # names on one line of a file
ONCE_OVER = 8  # lines of a subagent once its turn is over
ABOUT = 4.0  # worth of what a new file says it is, more than many names: it does not age
PACK = 12  # names on one line of names
PACKS = 4  # such lines for one file


def lines(ledger: Ledger, taken: list[Line], weights: Mapping[str, float]) -> list[Line]:
    """All candidates, given what stands already and how much each name matters."""
    return [
        *_notes(ledger),
        *_file_parts(ledger, taken, weights),
        *_remarks(ledger),
        *_reads(ledger),
        *_actions(ledger),
        *_more_asked(ledger),
        *_names_left(ledger, taken, weights),
    ]


def _fresh(ledger: Ledger, index: int) -> float:
    return float(0.5 ** ((ledger.now - index) / HALF_LIFE))


def _fullness(words: str) -> float:
    """Part of its worth a note has by its length: what is short says little by itself."""
    return min(1.0, len(words) / 120)


def _notes(ledger: Ledger) -> Iterable[Line]:
    """What the agent said: results under the request of their turn, everything else as steps or findings."""
    state, turns = ledger.state, results.TurnLabels(ledger)
    finals = set(state.narrative.finals)
    for place, note in enumerate(state.narrative.notes):
        if not results.is_result(ledger, note):
            continue  # an offer is no result; the newest stands among Pending Tasks
        final, words, stated = note.text in finals, note.words, results.stated(note.words)
        worth = 0.3 + 1.0 * final + 0.7 * note.reason + 0.5 * note.plan
        section, group = (REFERENCES, labels.FINDINGS)
        if final or note.reason or note.plan:
            section, group = COMPLETED, turns.at(note.index)
        elif note.index > state.turn and state.running:
            section, group = ACTIVE_WORK, labels.STEPS
        elif not stated:
            continue  # what was announced has been done, or has not
        else:
            words = stated
        way = "found: " if section == COMPLETED and not final and not note.plan else ""
        line = Line(
            section,
            group,
            f"- {way}{told(words).rstrip(':')}",
            note.index + place / 1e6,
            worth * _fresh(ledger, note.index) * _fullness(note.words),
        )
        line.spill = (REFERENCES, labels.FINDINGS) if stated else None
        yield line


def _file_parts(ledger: Ledger, taken: list[Line], weights: Mapping[str, float]) -> Iterable[Line]:
    """Why files were changed, with the names that came with each purpose; the last is appended to the file's line."""
    root, brief = ledger.state.commits.root, _brief_paths(ledger)
    hosts = {line.text: line for line in taken if line.group == labels.WRITTEN}
    for path, file in ledger.state.files.written.items():
        host = hosts.get(file_line(path, file, root))
        if file.state == "deleted" or not file.touches:
            continue
        best = _best(file)
        for age, touch in enumerate(reversed(file.touches)):
            worth = 0.8 * _fresh(ledger, file.last) * bool(touch.why) / (age + 1)
            if host and touch is best:
                about = f" {worded(file.about, 120).rstrip(':.')};" if file.about and file.state == "created" else ""
                why = "" if about else _why(touch)
                text = (about or why) + _names(touch, why, weights)
                worth += ABOUT * bool(about)
                if text:
                    yield Line(FILES, labels.WRITTEN, ":" + text.rstrip(";"), host.order, worth, extends=host)
            if touch.why and (not host or touch is not best or file.about) and telling(touch.why) >= TELLING:
                names = "" if host and touch is best else _names(touch, touch.why, weights)  # the file's line has them
                text = f"- in {brief[path]}:{_why(touch)}{names}"
                yield Line(FILES, labels.CHANGES, text.rstrip(";"), file.last - age / 100, worth)


def _best(file: File) -> Touch:
    """The change that says most of a file: the newest with a purpose that says something; for a new file the first."""
    said = [touch for touch in file.touches if telling(touch.why) >= TELLING]
    some = said or [touch for touch in file.touches if touch.why] or file.touches
    return some[0] if file.state == "created" else some[-1]


def _why(touch: Touch) -> str:
    return f" {worded(touch.why, 120).rstrip(':')};" if touch.why else ""


def _names(touch: Touch, why: str, weights: Mapping[str, float]) -> str:
    names = [name for name in touch.names if name not in why]
    names.sort(key=lambda name: -weights.get(name, 0.0))
    return f" touches {', '.join(names[:TOUCHED])}" if names else ""


def _brief_paths(ledger: Ledger) -> dict[str, str]:
    """The shortest spelling of each path that no other file shares: its last component, or the whole."""
    root, known = ledger.state.commits.root, ledger.state.files.known
    count = Counter(map(posixpath.basename, known))
    last = {path: posixpath.basename(path) for path in known}
    return {path: name if count[name] == 1 and "." in name else shown_path(path, root) for path, name in last.items()}


def _remarks(ledger: Ledger) -> Iterable[Line]:
    brief = _brief_paths(ledger)
    for path, file in ledger.state.files.written.items():
        for place, remark in enumerate(file.remarks):
            if file.state != "deleted":
                text = f"- in {brief[path]}: {worded(remark, by='')}"
                yield Line(FILES, labels.CHANGES, text, file.last + place / 100, 0.2)


def _reads(ledger: Ledger) -> Iterable[Line]:
    root = ledger.state.commits.root
    for path, file in ledger.state.files.known.items():
        if not file.state:
            why = f" for: {worded(file.read_why, 110)}" if file.read_why else ""
            names = [name for name in file.names if name not in why][:TOUCHED]
            holds = f"; holds {', '.join(names)}" if names else ""
            yield Line(FILES, labels.READ, f"- read {shown_path(path, root)}{why}{holds}", file.last, 0.3 * bool(why))


def _actions(ledger: Ledger) -> Iterable[Line]:
    root = ledger.state.commits.root
    turn = ledger.state.turn
    for key, action in ledger.state.actions.done.items():
        if action.kind == "agent":
            yield from list(_subagent(action))[: None if action.last > turn else ONCE_OVER]
        elif (
            action.last > turn
            or telling(action.why) >= TELLING
            or not (action.kind == "look" or looks_only(action.brief))
        ):
            how = "worked" if action.ok else "failed"
            why = told(action.why, 120).rstrip(":.") or ("looked for" if action.kind == "look" else "ran")
            text = f"- {why}: {tool_of(action.kind, key)}{spelled(entered(action.brief, root, 140), 140)} {how}"
            section = ACTIVE_WORK if action.last > turn else REFERENCES
            yield Line(section, labels.COMMANDS, text, action.last, 0.2 * min(action.runs, 5))


def _subagent(action: Action) -> Iterable[Line]:
    for place, remark in enumerate(action.said):
        text = f"- asked for {worded(action.brief, 60)}: {worded(remark, by='')}"
        yield Line(REFERENCES, labels.SUBAGENTS, text, action.last + place / 100)
    for place, report in enumerate(action.report):
        text = f"- answer to {worded(action.brief, 60)}, tool output: {quoted(report, 150)}"
        yield Line(REFERENCES, labels.SUBAGENTS, text, action.last + place / 100 + 0.5)


def _more_asked(ledger: Ledger) -> Iterable[Line]:
    """Sentences of long texts of the person, of which the sections show head and tail only."""
    for one in ledger.state.requests.said:
        if len(one.text) > 500:
            for place, sentence in enumerate(sentences(one.text)):
                if 30 <= len(sentence) <= 300:
                    text = f"- {turn_mark(ledger, one.index)}user: {quoted(sentence, 260)}"
                    yield Line(REFERENCES, labels.MORE_ASKED, text, one.index + place / 1000, 0.8)


def _names_left(ledger: Ledger, taken: list[Line], weights: Mapping[str, float]) -> Iterable[Line]:
    """Names that a file holds and its line does not show, weightiest first."""
    shown = {key for line in taken for key in keys_in(line.full)}
    brief = _brief_paths(ledger)
    for path, file in ledger.state.files.known.items():
        left = [name for name in reversed(file.names) if key_of(name) not in shown and is_name(name)]
        left.sort(key=lambda name: -weights.get(name, 0.0))
        for place in range(0, min(len(left), PACKS * PACK), PACK):
            text = f"- {brief[path]} holds {', '.join(left[place : place + PACK])}"
            yield Line(FILES, labels.NAMES_LEFT, text, -file.last)
