"""Facts that must stay: for each section the lines that no choice may drop while there is room.

Every function gives groups of lines in the order in which they should be served, each with the characters it may take.
What the person said is always quoted and said to be theirs; what tools printed is quoted and said to be output.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from memcli.ledger.answers import joined
from memcli.ledger.clean import ELISION, clip
from memcli.ledger.prose import TELLING, telling
from memcli.ledger.shell import is_scratch
from memcli.memory.budget import Line, fair_limit
from memcli.memory.outcome import NOT_COMMITTED, OUTWARD, outward_deeds, uncommitted
from memcli.memory.quoting import fenced, quoted, shortened, spelled, told
from memcli.memory.results import RESULTS, closings, is_label
from memcli.memory.running import AGAINST, SHARE, UNDER_WAY, said_so_far, spoken_against, under_way
from memcli.memory.running import SAID as RUNNING
from memcli.memory.sections import (
    ACTIVE_WORK,
    COMPLETED,
    ERRORS,
    FILES,
    PENDING,
    REFERENCES,
    SECTIONS,
    USER_INTENT,
)
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memcli.ledger.commits import Commit
    from memcli.ledger.failures import Failure
    from memcli.ledger.files import File
    from memcli.ledger.ledger import Ledger
    from memcli.ledger.requests import Request

Groups = list[tuple[list[Line], int]]

_SHARES = {section.name: section.share for section in SECTIONS}
_ERRORS_TO_INTENT = _SHARES[ERRORS] / _SHARES[USER_INTENT]

ANSWERED = 120  # characters of what a request answers
ANSWERS_SHARE = 0.15  # of the room of requests: what they answer takes no more of it
RULES_SHOWN = 2  # texts of commands and skills
RULES_SHARE = 0.75  # of the room of Key References
CLOSINGS_SHARE = 0.5  # of the room of Completed Work: what came of each turn
MANY = 15  # files from which those that tell nothing are gathered
PLAIN_WRITES = 2  # changes of a file that may have been passed by
SCRATCH_FOLDER = 40  # characters of a folder that will be gone soon
TOGETHER = 3  # such files of one folder that stand on one line
AHEAD_TURNS = 6  # turns after which what was named as next is forgotten
LEAST_WORDS = 80  # characters of a correction's quote, when there are many
FOR_CORRECTIONS = 0.62  # of the section's share
MOST_FOR_CORRECTIONS = 0.85  # of it, when there are many
AROUND = 25  # characters around an objection
WITH_OBJECTIONS = 0.5  # of the section's share that corrections may take for prompts that object to stand among them
FOR_OBJECTIONS = 0.6  # of the room of requests: objections that have none there
REPLY = 140  # characters of the agent's reply to a correction that asks
FRAME = 11  # characters around a request: list mark, mark of the turn, quotation marks, line end

FIRST = "First request:"
LATER = "Later requests, in order:"
CORRECTIONS = "Corrections, refusals and answers by the user, in order (bare ones: said against the work):"
OPEN = "Errors still open, newest first:"
FAILING = "Failing tests:"
LEFT = "Errors that work went on without or around, newest first:"
FIXED = "Errors fixed since:"
STANDS = "Where it stands, in the agent's latest words:"
STEPS = "Latest steps:"
LISTED = "On the to-do list:"
PROPOSED = "Proposed or asked by the agent, no answer yet:"
AHEAD = "Named by the agent as next or remaining (some of it may be done since):"
COMMITS = "Commits:"
LINKS = "Pull requests and issues:"
DONE = "Finished items of the to-do list:"
WRITTEN = "Written in this session, newest first:"
SAID = "What changed and what the new text says:"
READ = "Only read:"
RULES = "Rules of commands and skills for the work they began (their own text, not typed by the user):"
SNIPPETS = "Code the user gave, verbatim:"
COMMANDS = "Commands and look-ups, with their purpose:"
SUBAGENTS = "Subagents:"
FINDINGS = "Findings on the way, in the agent's words:"
ASKED = "More of the user's texts:"
NAMES_LEFT = "More names by file:"

ORDER = (
    FIRST,
    LATER,
    CORRECTIONS,
    OPEN,
    FAILING,
    LEFT,
    FIXED,
    STANDS,
    AGAINST,
    RUNNING,
    STEPS,
    NOT_COMMITTED,
    UNDER_WAY,
    LISTED,
    PROPOSED,
    AHEAD,
    COMMITS,
    OUTWARD,
    LINKS,
    DONE,
    RESULTS,
    WRITTEN,
    SAID,
    READ,
    NAMES_LEFT,
    RULES,
    SNIPPETS,
    COMMANDS,
    SUBAGENTS,
    FINDINGS,
    ASKED,
)

_OFFER = pattern(
    r"(?i)\?\s*$|\b(?:next steps?|would you like|do you want|shall i|should i|remaining|still to|i can"
    r"|let me know(?! if (?:you (?:hit|see|run|find|notice|have)|there|any|it)\b))\b"
)


def rank(label: str) -> int:
    """Place of a group in its section."""
    if is_label(label):
        return ORDER.index(RESULTS)
    return ORDER.index(label) if label in ORDER else -1


def groups(section: str, ledger: Ledger, share: int) -> Groups:
    """The groups of one section; `share` is what the section may take in all."""
    return _GROUPS[section](ledger, share)


# -- User Intent


COMMANDS_SHOWN = 4


def _intent(ledger: Ledger, share: int) -> Groups:
    first = ledger.state.requests.first
    if not first:
        return []
    limit = min(len(first.text), share * 2 // 5)
    line = Line(USER_INTENT, FIRST, f"- {turn(ledger, first.index)}{_command(first)}{quoted(first.text, limit)}", 0)
    told = {one.index for one in _corrections(ledger, int(share * _ERRORS_TO_INTENT))}
    later = _distinct(one for one in ledger.state.requests.said if one is not first and one.index not in told)
    room = share - limit - 60
    answers = _answers(later, int(room * ANSWERS_SHARE))
    fair = max(90, fair_limit([len(one.text) + FRAME + len(answers.get(one.index, "")) for one in later], room) - FRAME)
    fair = min(fair, share // 2) if len(later) > 1 else fair  # one pasted flood must not take all words of the section

    plain = [
        _request(ledger, one, quoted(one.text, fair), answers.get(one.index, ""))
        for one in _served([one for one in later if not one.objects], fair)
    ]
    against = [_request(ledger, one, quoted(clip(one.text, fair))) for one in reversed(later) if one.objects]
    ran = [
        Line(USER_INTENT, LATER, f"- {turn(ledger, index)}ran the command {spelled(name)}", index)
        for index, name in reversed(ledger.state.requests.ran)
    ]
    ordered = [(ran[:COMMANDS_SHOWN], share // 8), (plain[:1], room), (against, int(room * FOR_OBJECTIONS))]
    rest = room - len(LATER) - sum(min(most, sum(len(one.text) + 1 for one in group)) for group, most in ordered[1:])
    return [([line], share), *ordered, (plain[1:], rest)]


def _request(ledger: Ledger, one: Request, words: str, answering: str = "") -> Line:
    """A request in its words with what it answers; beyond the words of its section it goes on in Key References."""
    text = f"- {turn(ledger, one.index)}{_command(one)}{words}{answering}"
    return Line(USER_INTENT, LATER, text, one.index, spill=(REFERENCES, ASKED))


def _command(one: Request) -> str:
    """The slash command with which words were given."""
    return f"{spelled(one.about)} " if one.via == "command" and one.about else ""


def _answers(requests: list[Request], room: int) -> dict[int, str]:
    """What requests answer, by their index: the newest first, as far as there is room; the person's words go before.

    A request that is longer than what would be shown of a question speaks for itself.
    """
    shown: dict[int, str] = {}
    for one in reversed(requests):
        text = _answering(one) if len(one.text) <= ANSWERED or len(one.answers) > 1 else ""
        if text and len(text) <= room:
            shown[one.index] = text
            room -= len(text)
    return shown


def turn(ledger: Ledger, index: int) -> str:
    """The number of the turn an event belongs to, as it stands before a line: what came first, what superseded it."""
    number = ledger.state.turns.at(index)
    return f"[t{number}] " if number else ""


def _answering(one: Request) -> str:
    """What a short request answers, so that it can be understood."""
    return f" (answers the agent's {quoted(joined(one.answers, ANSWERED))})" if one.answers else ""


def _distinct(requests: Iterable[Request]) -> list[Request]:
    """Without earlier copies of the same words ("continue", "yes") to the same thing."""
    return sorted({(one.text.lower(), *one.answers): one for one in requests}.values(), key=lambda one: one.index)


def _served(requests: list[Request], limit: int) -> list[Request]:
    """The order in which words of the person are served: the latest, then those that stand whole, newest first; what
    had to be cut comes after them, so that no long paste pushes out a short rule, and last what says nothing ("ok").
    """
    latest = max((one.index for one in requests), default=0)
    return sorted(
        requests, key=lambda one: (one.index != latest, _says_nothing(one), len(one.text) > limit, -one.index)
    )


def _says_nothing(one: Request) -> bool:
    """True for a bare nod: nothing of it can be followed later, and nobody can tell what it answers."""
    return not (telling(one.text) or one.answers or one.steering)


# -- Errors & Corrections


def _errors(ledger: Ledger, share: int) -> Groups:
    failures = ledger.state.work.failures
    root = ledger.state.commits.root
    steered, room = _steered(ledger, share)
    opened = _open(ledger, failures.open)
    left = [
        Line(ERRORS, LEFT, _left(one, root, turn(ledger, one.last)), place)
        for place, one in enumerate(_distinct_failures(failures.left, failures.open))
    ]
    fixed = [Line(ERRORS, FIXED, _failure(one, False, root), place) for place, one in enumerate(failures.fixed[:12])]
    names = ledger.state.work.checks.names[:20]
    failing = [
        Line(ERRORS, FAILING, f"- failing, output: {quoted(name, 120)}", place) for place, name in enumerate(names)
    ]
    return [
        (steered, room),
        (opened, int(share * 0.5)),
        (failing, int(share * 0.15)),
        (left, int(share * 0.5)),
        (fixed, int(share * 0.25)),
    ]


def _steered(ledger: Ledger, share: int) -> tuple[list[Line], int]:
    """Corrections in the order they are served, and the characters they may take. Where they do not all fit, each is
    told as shortly as it still can be recognised, and they take from errors: nothing is worse to lose. Prompts that
    object take less, as there is room for them among the requests, too.
    """
    corrections = _corrections(ledger, share)
    mixed = any(one.objects for one in corrections)
    room = int(share * (WITH_OBJECTIONS if mixed else FOR_CORRECTIONS))
    fair = max(110, fair_limit([len(one.text) + 50 for one in corrections], room) - 50)
    fair = min(fair, room // 2) if len(corrections) > 1 else fair

    def lines(limit: int, *, brief: bool) -> list[Line]:
        return [
            Line(ERRORS, CORRECTIONS, f"- {turn(ledger, one.index)}{_correction(one, limit, brief=brief)}", one.index)
            for one in _served(corrections, limit)
        ]

    whole = lines(fair, brief=False)
    if sum(len(line.text) + 1 for line in whole) + len(CORRECTIONS) <= room:
        return whole, room
    most = int(share * MOST_FOR_CORRECTIONS)
    around = 40 * len(corrections) + len(CORRECTIONS)
    limit = ((room if mixed else most) - around) // len(corrections)
    return lines(max(LEAST_WORDS, min(fair, limit)), brief=True), most


def _corrections(ledger: Ledger, share: int) -> list[Request]:
    """What stands among the corrections: all that the record shows to be one, and of the prompts that object the newest
    that can be told shortly beside those.
    """
    requests = ledger.state.requests
    room = int(share * WITH_OBJECTIONS) - len(CORRECTIONS)
    room -= sum(len(one.text) + 50 for one in requests.corrections)
    told = list(requests.corrections)
    for one in reversed(requests.objections):
        room -= min(len(one.text), LEAST_WORDS) + AROUND
        if room < 0:
            break
        told.append(one)
    return sorted(told, key=lambda one: one.index)


def _correction(one: Request, limit: int, *, brief: bool = False) -> str:
    how = {"rejection": "refused", "answer": "answer to the agent's question", "queued": "said while work went on"}.get(
        one.via, ""
    )
    about = f" {spelled(one.about, 30 if brief else 110)}" if one.about and one.via == "rejection" else ""
    about = f" '{told(one.about, 40 if brief else 120)}'" if one.about and one.via == "answer" else about
    parted = " — " if how else ""
    reply = f" — agent then: {quoted(one.reply, REPLY)}" if one.reply and not brief else ""
    words = quoted(clip(one.text, limit)) if brief else quoted(one.text, limit)  # brief: one piece, not two halves
    return f"{how}{about}{parted}user: {words}{_answering(one)}{reply}"


def _open(ledger: Ledger, failures: list[Failure]) -> list[Line]:
    """Failures that stand: what a command printed last, and behind all of those what it had printed before; that is
    mostly mended, though only a run without failure would prove it.
    """
    root = ledger.state.commits.root
    newest: dict[str, int] = {}
    last: list[Line] = []
    before: list[Line] = []
    for place, one in enumerate(failures):
        mark = turn(ledger, one.last)
        host = newest.setdefault(one.key, place)
        if host == place:
            last.append(Line(ERRORS, OPEN, _failure(one, len(last) < 3, root, mark), place))
        else:
            before.append(Line(ERRORS, OPEN, _printed_before(one, mark), host + place / 1000))
    return last + before


def _printed_before(one: Failure, mark: str) -> str:
    cause = f" — agent then: {quoted(one.cause, 110)}" if one.cause else ""
    return f"- {mark}the same command before, output: {quoted(one.lines[0], 150)}{cause}"


def _failure(one: Failure, two: bool, root: str, mark: str = "") -> str:
    what = tool_of(one.kind, one.key) + shown_command(one.what, root, 90) if one.what else one.kind
    times = f" {min(one.count, 99)} times" if one.count > 1 else ""
    lines = " and output: ".join(quoted(line, 150) for line in one.lines[: 2 if two else 1])
    if one.open:
        cause = f" — agent then: {quoted(one.cause, 160)}" if one.cause else ""
        return f"- {mark}OPEN{times}: {what} — output: {lines}{cause}"
    cure = f" — after: {told(one.cure, 110)}" if one.cure else ""
    cure = f" — agent then: {quoted(one.cause, 110)}{cure}" if one.cause and one.cause != one.cure else cure
    return f"- fixed: {what} — output: {lines}{cure}"


def _distinct_failures(failures: list[Failure], others: list[Failure]) -> list[Failure]:
    """The newest of failures with the same output, figures aside, and none that others say already."""
    known = {_figureless(one.lines[0]) for one in others}
    newest: dict[str, Failure] = {}
    for one in failures:
        newest.setdefault(_figureless(one.lines[0]), one)
    return [one for output, one in newest.items() if output not in known]


def _figureless(line: str) -> str:
    return re.sub(r"[0-9]+", "#", line)


_ENTERED = pattern(r"^cd \S+(?: && |; | )")


def _left(one: Failure, root: str, mark: str) -> str:
    """An error that no longer stands in the way, in few words."""
    since = f" — worked since: {shown_command(one.instead, root, 60)}" if one.instead else ""
    what = tool_of(one.kind, one.key) + shown_command(one.what, root, 60)
    return f"- {mark}{what} — output: {quoted(one.lines[0], 120)}{since}"


# -- Active Work, Pending Tasks


def _active(ledger: Ledger, share: int) -> Groups:
    narrative = ledger.state.narrative
    latest = [note for note in narrative.notes if note.text == narrative.texts and not note.plan]
    lines = [Line(ACTIVE_WORK, STANDS, f"- agent: {quoted(note.words)}", place) for place, note in enumerate(latest)]
    running = said_so_far(ledger, share)
    stands = running or lines[-2:] + lines[:-2]
    against = spoken_against(ledger, share // 2)
    return [(uncommitted(ledger, share // 2), share // 2), (stands, int(share * SHARE)), (against, share // 2)]


def _pending(ledger: Ledger, share: int) -> Groups:
    marks = {"in_progress": "[~] in progress:", "pending": "[ ]"}
    items = ledger.state.work.todos.pending
    fair = max(70, fair_limit([len(text) + 20 for text, _ in items], share) - 20)
    listed = [
        Line(PENDING, LISTED, f"- {marks[status]} {told(text, fair)}", place)
        for place, (text, status) in enumerate(items)
    ]
    narrative = ledger.state.narrative
    latest = [note for note in narrative.notes if note.text == narrative.texts and not note.ahead]
    offers = [note.words for note in latest if _OFFER.search(note.words)]
    proposed = [Line(PENDING, PROPOSED, f"- agent: {quoted(text)}", place) for place, text in enumerate(offers[-3:])]
    return [
        (under_way(ledger, share // 3), share // 2),
        (listed, share),
        (proposed, share // 2),
        (_ahead(ledger, share // 2), share // 2),
    ]


def _ahead(ledger: Ledger, share: int) -> list[Line]:
    """What the agent named as next or remaining, unless that was many turns ago."""
    state = ledger.state
    notes = state.narrative.ahead
    if not notes or state.turns.at(ledger.now) - state.turns.at(notes[0].index) > AHEAD_TURNS:
        return []
    marks = [turn(ledger, note.index) for note in notes]
    room = share - len(AHEAD) - sum(len(mark) + FRAME + len("agent: ") for mark in marks)
    fair = max(50, fair_limit([len(note.words) for note in notes], room))
    return [
        Line(PENDING, AHEAD, f"- {mark}agent: {quoted(note.words, fair)}", place)
        for place, (mark, note) in enumerate(zip(marks, notes, strict=True))
    ]


# -- Completed Work


def earlier_commits(ledger: Ledger, share: int) -> list[Line]:
    """Hashes of the commits that have no room to stand whole. They take so little that they are served first of all:
    where Completed Work comes to be laid out, the room may be gone.
    """
    _, bare, _ = _parted(ledger, share)
    hashes = [sha for one in bare[-80:] for sha in (*one.replaced.split(), one.sha) if sha]
    parts = [hashes[start : start + 10] for start in range(0, len(hashes), 10)]  # where not all fit, some do
    return [Line(COMPLETED, COMMITS, f"- earlier: {', '.join(part)}", place - 100) for place, part in enumerate(parts)]


def _parted(ledger: Ledger, share: int) -> tuple[list[Commit], list[Commit], int]:
    """Commits that stand whole, those of which the hash stands, and the characters a subject may have."""
    commits = list(ledger.state.commits.made.values())
    fair = fair_limit([len(one.subject) + 33 for one in commits], share // 2 - len(COMMITS)) - 33
    few = max(1, (share // 2 - 9 * len(commits)) // 105)  # what stands whole leaves room for the hashes of the others
    return (commits, [], fair) if fair >= 30 else (commits[-few:], commits[:-few], 60)


def _completed(ledger: Ledger, share: int) -> Groups:
    whole, _, fair = _parted(ledger, share)
    lines = [Line(COMPLETED, COMMITS, f"- {turn(ledger, one.index)}{_commit(one, fair)}", one.index) for one in whole]
    lines.reverse()
    links = [
        Line(COMPLETED, LINKS, f"- {told(label) or 'recorded'}: {quoted(url)}", place)
        for place, (url, label) in enumerate(ledger.state.commits.links.items())
    ]
    done = ledger.state.work.todos.completed
    limit = max(60, fair_limit([len(text) + 8 for text in done], share // 2) - 8)
    items = [Line(COMPLETED, DONE, f"- [x] {told(text, limit)}", place) for place, text in enumerate(done)]
    return [
        (lines, share // 2),
        (outward_deeds(ledger), share // 3),
        (links[::-1], share // 6),
        (items[::-1], share // 2),
        (closings(ledger), int(share * CLOSINGS_SHARE)),
    ]


def _commit(one: Commit, limit: int) -> str:
    """A commit in one line. Without a hash its subject is known from the command, so it is the agent's."""
    replaced = f", amended (before: {one.replaced.replace(' ', ', ')})" if one.replaced else ""
    if one.sha:
        return f"{one.sha} — output: {quoted(one.subject, limit)}{replaced}"
    return f"hash not printed — agent: {quoted(one.subject, limit)}{replaced}"


# -- Files


def shown_path(path: str, root: str) -> str:
    """A path as the memory spells it: below the project's root without the root."""
    return path.removeprefix(root.rstrip("/") + "/") if root else path


def local(command: str, root: str) -> str:
    """A command as one would type it in the project's root; elsewhere in it the root is elided, not dropped."""
    if not root:
        return command
    command = re.sub(rf"^cd {re.escape(root)}/?(?: && |; | )", "", command)
    return command.replace(root.rstrip("/") + "/", "…/")


def shown_command(command: str, root: str, limit: int) -> str:
    """A command as code. Where it is too long it loses its middle: what was asked for often stands at its end; unless
    that would cost much more of it, as with an address in its midst.
    """
    line = entered(command, root, limit)
    head, both = clip(line, limit), shortened(line, limit)
    return spelled(both if len(both) + len(ELISION) * 3 >= len(head) else head, limit)


def entered(command: str, root: str, limit: int) -> str:
    """`local`, and where it is too long without the folder that it enters first, if enough is left to be shown."""
    line = local(command, root)
    rest = _ENTERED.sub("", line) if len(line) > limit else line
    return rest if len(clip(rest, limit)) >= min(len(line), limit) // 2 else line


def tool_of(kind: str, key: str) -> str:
    """The tool of a call whose input does not tell what it does, with a space behind it; `key` is that of a deed."""
    return f"{key.split(':', 2)[1]} " if kind == "other" and key.startswith("call:") else ""


def file_line(path: str, file: File, root: str) -> str:
    """A file with its last state."""
    name = shown_path(path, root)
    moved = f" (moved from {_origin(file.source, path, root)})" if file.source else ""
    often = f", {min(file.writes, 99)} times" if file.writes > 1 and file.state == "modified" else ""
    return f"- {name} — {file.state}{often}{moved}"


def _origin(source: str, path: str, root: str) -> str:
    """Where a file came from: the folder alone if the name is the same, without the folders both have in common."""
    old, new = shown_path(source, root), shown_path(path, root)
    folder, other = posixpath.dirname(old), posixpath.dirname(new)
    if not folder or posixpath.basename(old) != posixpath.basename(new):
        return old
    common = posixpath.commonpath([folder, other]) if folder.startswith("/") == other.startswith("/") else ""
    above = posixpath.dirname(common)
    return f"{folder.removeprefix(above + '/') if above else folder}/"


def _files(ledger: Ledger, share: int) -> Groups:
    root = ledger.state.commits.root
    known = list(reversed(ledger.state.files.written.items()))
    moved = {file.source for _, file in known}
    # Together in few lines: old places of what was moved, scratch files, and what is known by git or others alone.
    aside = {
        path
        for path, file in known
        if not file.writes or is_scratch(path) or (file.state == "deleted" and path in moved)
    }
    newest = [(path, file) for path, file in known if path not in aside]
    plain = _plain(newest, root) if len(newest) > MANY else set()
    newest = [one for one in newest if one[0] not in plain]
    gathered = _packed([(path, file) for path, file in known if path in plain], root)
    told = _packed([(path, file) for path, file in known if path in aside], root)  # last, together
    for line in told:
        line.order += len(known)
    lines = [Line(FILES, WRITTEN, file_line(path, file, root), -file.last) for path, file in newest]
    room, fit = share, 0
    while fit < len(lines) and (room := room - len(lines[fit].text) - 1) > 0:
        fit += 1
    if fit == len(lines):
        return [(lines, share), (gathered, share), (told, share // 4)]
    fit = min(fit, int(fit * 0.7) + 1)
    rest = sum(len(posixpath.basename(path)) + 30 for path, _ in newest[fit:])
    packed = _packed(newest[fit:], root) + gathered
    return [(lines[:fit], share), (packed, rest + share), (told, share // 4)]


def _plain(files: list[tuple[str, File]], root: str) -> set[str]:
    """Files of which only the state is known, if there are several in a folder: a line each would tell nothing more."""
    plain: dict[tuple[str, str], list[str]] = {}
    for path, file in files:
        said = file.about or file.source or any(telling(touch.why) >= TELLING for touch in file.touches)
        if not said and file.writes <= PLAIN_WRITES:
            plain.setdefault((file.state, posixpath.dirname(shown_path(path, root))), []).append(path)
    return {path for paths in plain.values() if len(paths) >= TOGETHER for path in paths}


def _packed(files: list[tuple[str, File]], root: str) -> list[Line]:
    """Files too many for a line each: one line for each folder and state."""
    folders: dict[tuple[str, str], list[str]] = {}
    for path, file in files:
        state = f"{file.state} by a {file.by}" if file.by else file.state
        folder = posixpath.dirname(shown_path(path, root))
        if is_scratch(path) and len(folder) > SCRATCH_FOLDER:
            folder = f"…/{posixpath.basename(folder)}"
        folders.setdefault((state, folder), []).append(posixpath.basename(path))
    return [
        Line(FILES, WRITTEN, f"- {state} in {folder or 'the root'}: {', '.join(names)}", 1 + place)
        for place, ((state, folder), names) in enumerate(folders.items())
    ]


def _references(ledger: Ledger, share: int) -> Groups:
    commits = ledger.state.commits
    lines = []
    if commits.branch not in ("", "HEAD"):
        lines.append(Line(REFERENCES, "", f"- works on branch {spelled(commits.branch, 120)}", 0))
    if commits.root:
        what = "project root" if commits.cwd else "files lie below"
        lines.append(Line(REFERENCES, "", f"- {what} {spelled(commits.root, 160)}, in commands …/", -1))
    return [(lines, share), (_rules(ledger), int(share * RULES_SHARE)), (_snippets(ledger), share)]


def _rules(ledger: Ledger) -> list[Line]:
    """Rules of the newest commands and skills, newest served first."""
    known = list(ledger.state.instructions.known.items())[-RULES_SHOWN:]
    return [
        Line(
            REFERENCES,
            RULES,
            f"- {turn(ledger, one.index)}{spelled(name, 80)}: {quoted(f' {ELISION} '.join(one.rules))}",
            one.index,
        )
        for name, one in reversed(known)
    ]


def _snippets(ledger: Ledger) -> list[Line]:
    """Code of the user, newest served first."""
    return [
        Line(REFERENCES, SNIPPETS, f"- {turn(ledger, one.index)}\n{fenced(one.code, one.language)}", one.index)
        for one in reversed(ledger.state.requests.snippets)
    ]


_GROUPS: dict[str, Callable[[Ledger, int], Groups]] = {
    USER_INTENT: _intent,
    ERRORS: _errors,
    ACTIVE_WORK: _active,
    PENDING: _pending,
    COMPLETED: _completed,
    FILES: _files,
    REFERENCES: _references,
}
