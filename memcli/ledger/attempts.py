"""Attempts: which commands are the same thing tried again, and what one that worked proves of one that failed.

Told by their words alone: two runs have one key if they differ only in where they run, in how long is waited before, in
settings, in what is left out of what they print, or in figures. A check over everything proves its parts, a narrower
one nothing of a wider.
"""

from __future__ import annotations

import re
from functools import lru_cache

from memcli.transcript.patterns import pattern

OPERATORS = frozenset(("&&", "||", ";", "|", "&", "(", ")", ";;", "|&"))
KEY_LIMIT = 160  # characters of a key

# Programs that only look: their failure is an answer, no error.
_LOOKERS = frozenset(
    [
        "rg",
        "grep",
        "egrep",
        "ag",
        "ls",
        "find",
        "fd",
        "cat",
        "bat",
        "head",
        "tail",
        "wc",
        "which",
        "type",
        "command",
        "tree",
        "stat",
        "file",
        "diff",
        "test",
        "pgrep",
        "jq",
    ]
)
_LEADING = pattern(r"^\s*(?:(?:cd|sleep)\s+\S+\s*(?:&&|;|\n)\s*)+")
_SETTINGS = pattern(r"^(?:env\s+|export\s+)?(?:[A-Za-z_]\w*=(?:'[^']*'|\"[^\"]*\"|\S*)\s+)+(?:&&\s*)?")
_STRINGS = pattern(r"'[^']*'|\"[^\"]*\"")
_STREAMS = pattern(r"\s*\d?>&\d|\s*&?\d?>\s*/dev/null")
_FILTERS = pattern(r"\|\s*(?:tail|head|grep|cat|wc|less|sed -n)\b[^|;&]*")
_ECHO = pattern(r"\s*;\s*echo\b.*$", re.DOTALL)
_EVERYTHING = frozenset((".", "./...", "..."))
_ONLY_SAYS = pattern(r"-v+|-q+|-x|-count(?:=#)?|-timeout(?:=\S+)?|--(?:verbose|quiet|color\S*)")
_ADDS = pattern(r"-race|--(?:workspace|all|all-targets|all-features)")
_CHOOSES = pattern(r"-(?:run|k|t|p)|--(?:filter|grep|test|package|lib|bin)(?:=\S+)?")
_RUNS_CHECKS = pattern(r"\w*tests?|vet|clippy|pytest|vitest|jest")
# A check without operands but for those of its options. Of go's, one without operands checks one directory alone.
_UNNARROWED = pattern(
    rf"(?!go )(?:[\w./:-]+ ){{0,3}}(?:{_RUNS_CHECKS.pattern})"
    rf"(?: (?:{_ONLY_SAYS.pattern})| (?:{_ADDS.pattern})| (?:{_CHOOSES.pattern})(?: [^\s-]\S*)?)*"
)
_RECORDS = pattern(r"\bgit (?:-[cC] \S+ )*(add|commit)\b")
_TAKES_IN = pattern(r"\bgit (?:-[cC] \S+ )*(rebase|merge|cherry-pick|revert|am|pull)\b")
_GOES_ON = pattern(r"\bgit (?:-[cC] \S+ )*(rebase|merge|cherry-pick|revert|am) --(?:continue|skip|abort|quit)\b")
_STOPS = pattern(r"CONFLICT|could not apply|fix conflicts|needs merge")
_ENDED_BY_COMMIT = frozenset(("merge", "cherry-pick", "revert"))
# Commands of a list that only prepare or look: that one of them worked says nothing.
_SILENT = _LOOKERS | {"cd", "echo", "export", "mkdir", "printf", "pwd", "set", "sleep", "source", "true"}
_TARGET = pattern(r"\S*/\S+|\S+\.[A-Za-z]\w*")  # an operand that is a path, a file or an address


@lru_cache(maxsize=512)
def command_key(command: str) -> str:
    """The same for two runs of one command: without `cd` and `sleep` before it, settings, output filters, redirections
    and figures."""
    text = without_filters(_without_place(command))
    text = _ECHO.sub("", text) if "echo" in text else text
    return re.sub(r"\s+", " ", re.sub(r"\d+", "#", text)).strip()[:KEY_LIMIT]


def _without_place(command: str) -> str:
    """A command without the folder it enters first and how long it waits, and without settings."""
    return _SETTINGS.sub("", _LEADING.sub("", command.strip()))


def without_filters(command: str) -> str:
    """A command without redirections of its streams, and without the filters behind pipes."""
    command = without_streams(command)
    return _FILTERS.sub("", command) if "|" in command else command


def ends_in_filter(command: str) -> bool:
    """True if a filter behind a pipe tells the shell how the command ended."""
    return bool(_FILTERS.search(without_streams(command)))


def without_streams(command: str) -> str:
    """A command without redirections of one stream to another or to nowhere."""
    return _STREAMS.sub("", command) if ">" in command else command


@lru_cache(maxsize=512)
def looks_only(command: str) -> bool:
    """True if the command's first program only looks at things, and all that a list runs besides does no more."""
    first, *others = re.split(r"&&|\|\||[;\n]", without_strings(_without_place(command)))
    return _program(first) in _LOOKERS and all(_program(one) in _SILENT for one in others if one.strip())


def without_strings(command: str) -> str:
    """A command without what stands in it between quotation marks."""
    return _STRINGS.sub("", command)


def _program(command: str) -> str:
    return next(iter(command.split(None, 1)), "")


@lru_cache(maxsize=512)
def first_run(key: str) -> tuple[str, ...]:
    """Program and operands of a command's first stage, options aside; empty for a list of several commands.

    `key` is a `command_key`, perhaps with something before its first colon.
    """
    if re.search(r"&&|\|\||;", key):
        return ()
    words = key.removeprefix("cmd:").split("|", 1)[0].split()
    return tuple(word for word in words if not word.startswith(("-", "<", ">", "2>")))


def covers(worked: str, failed: str) -> bool:
    """True if a check that worked is the failed one over everything: `go test ./...` and `go test ./cart`.

    Both are keys (see `first_run`). A run with options that might choose among the checks covers nothing, and one that
    failed with options that ask for more is not covered.
    """
    program = whole_check(worked)
    if not program or first_run(failed)[: len(program)] != program:
        return False
    return all(_ONLY_SAYS.fullmatch(one) or _CHOOSES.fullmatch(one) for one in _options(failed) - _options(worked))


@lru_cache(maxsize=512)
def whole_check(key: str) -> tuple[str, ...]:
    """The program of a command that checks everything it can, without operands and options; else empty."""
    words = first_run(key)
    program = words[:-1] if words and words[-1] in _EVERYTHING else words
    if not program or not _RUNS_CHECKS.fullmatch(program[-1]):
        return ()
    return program if all(_ONLY_SAYS.fullmatch(one) or _ADDS.fullmatch(one) for one in _options(key)) else ()


@lru_cache(maxsize=512)
def stages(key: str) -> tuple[str, ...]:
    """The commands of a list that go on only if each worked, whole ones only; empty if one may be passed over."""
    listed = key.removeprefix("cmd:")
    if "||" in listed or ";" in listed:
        return ()
    parts = tuple(part.strip() for part in listed.split("&&"))
    return parts if len(listed) < KEY_LIMIT else parts[:-1]


def proves(worked: str, failed: str) -> bool:
    """True if a command that worked (one of the `stages`) is the failed one, or the same check narrowed down less:
    `cargo test -p cart` and `cargo test -p cart totals`.
    """
    failed = failed.removeprefix("cmd:")
    if not failed.startswith(worked + " "):
        return worked == failed
    more = failed[len(worked) :].split()
    said = all(_ONLY_SAYS.fullmatch(one) or _CHOOSES.fullmatch(one) for one in more if one.startswith("-"))
    return said and not OPERATORS.intersection(more) and bool(_UNNARROWED.fullmatch(worked))


def _options(key: str) -> set[str]:
    """Options of a command's first stage."""
    return {word for word in key.removeprefix("cmd:").split("|", 1)[0].split() if word.startswith("-")}


def recorded(key: str) -> set[str]:
    """Which of `git add` and `git commit` a command runs."""
    return set(_RECORDS.findall(key)) if "git " in key else set()


def gone_on(worked: str, output: str) -> set[str]:
    """What of git's work on several commits a command that worked took up again, gave up or brought to its end."""
    if "git " not in worked or _STOPS.search(output):
        return set()
    ended = set(_GOES_ON.findall(worked))
    if "Successfully rebased" in output:
        ended.add("rebase")
    return ended | _ENDED_BY_COMMIT if "commit" in recorded(worked) else ended


def stopped_in(key: str) -> set[str]:
    """What of git's work on several commits a command began; a pull does it by a rebase or a merge."""
    began = set(_TAKES_IN.findall(key)) if "git " in key else set()
    return began | {"rebase", "merge"} if "pull" in began else began


@lru_cache(maxsize=512)
def parts(key: str) -> tuple[str, ...]:
    """The commands of a list that do something, if all of them are known whole: the list works if each of them does."""
    listed = stages(key) if len(key.removeprefix("cmd:")) < KEY_LIMIT else ()
    doing = tuple(one for one in listed if _program(one) not in _SILENT)
    return doing if len(listed) > 1 else ()


def same_aim(worked: str, failed: str) -> bool:
    """True if two single commands do the same to the same paths, files or addresses, with other options."""
    (began, words, targets), (failed_began, failed_words, failed_targets) = _aim(worked), _aim(failed)
    if not targets or targets != failed_targets:
        return False
    shorter, longer = sorted((began, failed_began), key=len)
    # of a command whose options come first nothing but all its words tells what it does
    return longer[: len(shorter)] == shorter if len(shorter) > 1 else words == failed_words


@lru_cache(maxsize=512)
def _aim(key: str) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """Of a single command the words before its first option, all its words, and apart from both what it is aimed at."""
    words = first_run(key)
    targets = frozenset(one for one in words if _TARGET.fullmatch(one))
    every = key.removeprefix("cmd:").split("|", 1)[0].split() if words else []
    before = next((place for place, one in enumerate(every) if one.startswith("-")), len(every))
    began = tuple(one for one in every[:before] if one not in targets)
    return began, tuple(one for one in words if one not in targets), targets
