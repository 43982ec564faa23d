"""Shell: what a command line does to files.

Read without running: quotes, here-documents, `cd`, pipes and lists are understood; variables, globs and scripts are
not followed. A command that cannot be taken apart changes nothing.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from memcli.ledger.attempts import OPERATORS, without_filters, without_streams
from memcli.ledger.here_documents import without_texts
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

State = str  # "created" | "modified" | "written" | "deleted" | "moved", or one of TAKES

TAKES = frozenset(("reverted", "stashed", "unstashed", "dropped"))
"""States of an effect that is no change, but takes changes back, or puts them aside for a while."""

SCAN_LIMIT = 8_000

_TOUCHES = pattern(r"\b(?:rm|mv|cp|tee|touch|sed|cat|nl|head|tail|bat|less|checkout|restore|reset|stash)\b")
_TO_FILE = pattern(r">>?\s*[\w./~\"'$]")
_SCRATCH = ("-", "/dev/", "/tmp/", "/private/tmp/", "/var/")  # noqa: S108  (named to be left out)
_ASSIGNED = pattern(r"[A-Za-z_]\w*=.*", re.DOTALL)
_VARIABLE = pattern(r"\$(?:(\w+)|\{(\w+)\})")
_VALUE = 300  # characters of an assignment that is looked at
_KEYWORDS = frozenset(("if", "then", "elif", "else", "while", "until", "do", "{", "!"))
_PATH = pattern(r"[\w./@+~-]+")
_RECURSIVE = pattern(r"-[a-zA-Z]*[rR][a-zA-Z]*|--recursive")
_STASHES = {
    "push": "stashed",
    "save": "stashed",
    "pop": "unstashed",
    "apply": "unstashed",
    "drop": "dropped",
    "clear": "dropped",
}
_WITH_WORDS = frozenset(("-m", "--message"))
# Of what is named git takes a part that is not known.
_CHOSEN = frozenset(("-p", "--patch", "-k", "--keep-index", "-S", "--ours", "--theirs"))
_ENDLESS = pattern(  # files that are known by their whole name
    r"[A-Z][a-z]+file|makefile|justfile|CODEOWNERS|AUTHORS|CHANGELOG|CONTRIBUTING|COPYING|LICEN[CS]E|NOTICE|README|VERSION"
)
_OPERATOR = r"[();<>|&]"
_SINGLE, _DOUBLE, _ESCAPE = r"'[^']*'", r"\"(?P<inner>(?:[^\"\\]|\\.)*)\"", r"\\."
_INTO = frozenset((">", ">>", ">|", "&>", "&>>"))
_OPENING = ("'", '"', "\\")  # what stands behind a word only if it is not closed
# Nothing follows a word, so nothing is ever tried again. Possessive repeats would say so; Python 3.11.2 has them wrong.
_WORD = pattern(
    rf"[ \t\r\n]*(?:(?P<operator>{_OPERATOR}+)"
    rf"|(?P<word>(?:[^ \t\r\n\\'\"();<>|&]+|{_ESCAPE}|{_SINGLE}|{_DOUBLE})+))",
    re.DOTALL,
)
_QUOTED = pattern(rf"{_SINGLE}|{_DOUBLE}|{_ESCAPE}", re.DOTALL)
_ESCAPED = pattern(r"\\([\"\\])")


class Effect(NamedTuple):
    """What becomes of one path; `source` is what was moved there, into a folder if the path ends in a slash.

    A path that ends in a slash is a folder that is deleted. What git takes back ("reverted"), puts aside or brings back
    may be a folder, too, or all that it keeps, which is `:/`.
    """

    state: State
    path: str
    source: str = ""


class Traffic(NamedTuple):
    """What a command does to files: what it writes, in order, and what it prints."""

    effects: list[Effect]
    reads: list[str]


def traffic(command: str) -> Traffic:
    """What a command does to files: rm, mv, cp, tee, touch, sed -i, redirections write; cat, sed -n and such print."""
    found = Traffic([], [])
    seen = without_streams(command[:SCAN_LIMIT])
    if ">" not in seen and not _TOUCHES.search(without_filters(seen)):
        return found
    here = ""
    known: dict[str, str] = {}
    for line in _commands(command):
        words = _filled_in(line, known)
        if not words:
            continue
        if words[0] == "cd" and len(words) == 2:
            here = posixpath.join(here, words[1])
            continue
        for state, path, source in _effects_of(words):
            if source:
                found.effects.append(Effect(state, posixpath.join(here, path), posixpath.join(here, source)))
            elif is_file(path) or state in TAKES or (state == "deleted" and path.endswith("/")):
                found.effects.append(Effect(state, posixpath.join(here, path)))
        found.reads.extend(posixpath.join(here, path) for path in _reads_of(words) if is_file(path))
    return found


def _filled_in(words: list[str], known: dict[str, str]) -> list[str]:
    """One command without the words of a condition or a loop before it, with the values that the same line gave to its
    variables; nothing for one that only gives such values, which are `known` then.
    """
    while words and words[0] in _KEYWORDS:
        words = words[1:]
    words = [_VARIABLE.sub(lambda found: known.get(found[1] or found[2], found[0]), word) for word in words]
    if words[:1] == ["for"]:
        known.pop(words[1] if len(words) > 1 else "", None)
    if words[:1] == ["export"] or all(map(_ASSIGNED.fullmatch, words)):
        known.update(word.partition("=")[::2] for word in words if "=" in word and len(word) <= _VALUE)
        return []
    return words


def _reads_of(words: list[str]) -> list[str]:
    words = _without_redirections(_without_prefix(words))
    operands = [word for word in words[1:] if not word.startswith("-")]
    if words[:1] == ["sed"]:
        return operands[1:] if "-n" in words else []
    return operands if words and words[0] in ("cat", "nl", "head", "tail", "bat", "less") else []


def _commands(command: str) -> Iterator[list[str]]:
    text = without_texts(command).replace("\\\n", " ").replace("\n", " ; ")
    words: list[str] = []
    for word in split(text[:SCAN_LIMIT]):
        if word not in OPERATORS:
            words.append(word)
        elif words:
            yield words
            words = []
    if words:
        yield words


def without_written(command: str) -> str:
    """A command without the here-documents that it writes to files: what stands there is not run."""
    return without_texts(command, lambda line: bool(_TO_FILE.search(without_filters(line))))


def split(command: str) -> Iterator[str]:
    """The words of a command, without their quotes, and its operators; it ends where a quote is not closed.

    As `shlex` parts it with `punctuation_chars` and `whitespace_split` (a test compares them), some ten times quicker.
    """
    position = 0
    while match := _WORD.match(command, position):
        position = match.end()
        if not match["operator"] and command.startswith(_OPENING, position):
            return
        yield match["operator"] or _QUOTED.sub(_unquoted, match["word"])


def _unquoted(match: re.Match[str]) -> str:
    if match["inner"] is None:
        return match[0][1:-1] if match[0][0] == "'" else match[0][1:]
    return _ESCAPED.sub(r"\1", match["inner"])


def _effects_of(words: list[str]) -> Iterator[Effect]:
    words = _without_prefix(words)
    yield from (Effect("written", path) for mark, path in itertools.pairwise(words) if mark in _INTO)
    program, operands = _program_of(words)
    if program == "git":
        yield from _taken_back(words)
    elif program == "rm":
        yield from (Effect("deleted", path) for path in operands if is_file(path))
        if any(map(_RECURSIVE.fullmatch, words)):
            yield from (Effect("deleted", f"{path.rstrip('/')}/") for path in operands if _is_folder(path))
    elif program == "cp":
        yield from (Effect("created", _target(source, target)) for source, target in _targeted(operands))
    elif program == "mv" and all(map(_PATH.fullmatch, operands)):
        yield from (Effect("moved", target, source.rstrip("/")) for source, target in _targeted(operands))
    elif program in ("tee", "touch"):
        yield from (Effect("written", path) for path in operands)
    elif program == "sed" and any(word.startswith(("-i", "--in-place")) for word in words):
        yield from (Effect("modified", path) for path in operands[1:])


def _taken_back(words: list[str]) -> Iterator[Effect]:
    """What a git command takes back, puts aside or brings back of what is not recorded."""
    words, here = _without_redirections(words)[1:], ""
    while len(words) > 2 and words[0] in ("-C", "-c"):
        here = posixpath.join(here, words[1]) if words[0] == "-C" else here
        words = words[2:]
    verb, rest = (words[0], words[1:]) if words else ("", [])
    for state, path in _taken_by(verb, rest):
        yield Effect(state, posixpath.join(here, path))


def _taken_by(verb: str, rest: list[str]) -> Iterator[tuple[State, str]]:
    """State and path of what a git command with these arguments takes back, puts aside or brings back."""
    given = [word for before, word in itertools.pairwise(["", *rest]) if before not in _WITH_WORDS]
    operands = [word for word in given if not word.startswith("-")]
    named = rest[rest.index("--") + 1 :] if "--" in rest else []
    if _CHOSEN.intersection(rest):
        return
    if verb == "stash":
        asked = rest[0] if rest and not rest[0].startswith("-") else "push"
        paths = named or (operands[1:] if asked == "push" else [])
        yield from ((_STASHES[asked], path) for path in paths or [":/"] if asked in _STASHES)
    elif verb == "reset" and "--hard" in rest:
        yield "reverted", ":/"
    elif verb == "restore" and ("--staged" not in rest or "--worktree" in rest):
        yield from (("reverted", path) for path in operands)
    elif verb == "checkout":
        yield from (("reverted", path) for path in named or operands if path == "." or named or is_file(path))


def _is_folder(path: str) -> bool:
    """True for what may be a folder of the project, and is not all of it."""
    return bool(_PATH.fullmatch(path)) and not is_scratch(path) and not is_file(path) and bool(path.strip("./~"))


def _targeted(operands: list[str]) -> list[tuple[str, str]]:
    """Each source with its target, which ends in a slash if it can only be a folder."""
    *sources, target = operands or [""]
    folder = len(sources) > 1 or posixpath.basename(target) in (".", "..")
    return [(source, target.rstrip("/") + "/" if folder else target) for source in sources]


def _program_of(words: list[str]) -> tuple[str, list[str]]:
    """The program and its operands; `git mv` and `git rm` are mv and rm."""
    words = _without_redirections(words)
    if words[:1] == ["git"] and words[1:2] in (["mv"], ["rm"]) and "--cached" not in words:
        words = words[1:]
    return (words[0] if words else ""), [word for word in words[1:] if not word.startswith("-")]


def _without_prefix(words: list[str]) -> list[str]:
    index = 0
    while index < len(words) and (
        _ASSIGNED.fullmatch(words[index]) or words[index] in ("sudo", "command", "env", "time")
    ):
        index += 1
    return words[index:]


def _without_redirections(words: list[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif re.fullmatch(r"[<>&|]+", word):
            skip = True
            if kept and kept[-1].isdigit():
                kept.pop()  # the stream: "2" of "2>&1"
        else:
            kept.append(word)
    return kept


def _target(source: str, target: str) -> str:
    return target + posixpath.basename(source) if target.endswith("/") else target


def is_scratch(path: str) -> bool:
    """True for what lies where nothing is meant to last."""
    return path.startswith(_SCRATCH)


def is_file(path: str) -> bool:
    """True for what looks like a file of the project: an ending or a known name, no scratch directory, no pattern."""
    if not _PATH.fullmatch(path) or is_scratch(path):
        return False
    name = posixpath.basename(path)
    if "." not in name:
        return bool(_ENDLESS.fullmatch(name))
    return len(name) >= 3 and "." in name.strip(".") and not name.replace(".", "").isdigit()
