"""Settings: what they are, where each value came from.

    command line  >  MEMCLI_*  >  nearest memcli.toml or [tool.memcli] in pyproject.toml  >  user file  >  default

"Nearest" is looked for from a directory upward; in one directory memcli.toml wins, and a pyproject.toml without
[tool.memcli] is passed by. The user file is `config.toml` in the user's configuration directory, or what
MEMCLI_CONFIG names. Keys may be written with `-` or `_`.

A value that makes no sense is an error, wherever it stands. A key that nobody knows is a warning with the nearest
known name: a file shared with a newer memcli must not stop this one. A program to run (`on_limit`, `command`,
`summarizer`), a place to send the conversation to (`base_url`) or a file to send (`prompt_file`) are not taken from a
project's file, also with a warning: to watch an agent in a cloned repository must not run what that repository names,
nor tell it anything.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from memcli.errors import Usage
from memcli.userdirs import config_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "MEMCLI_"
# Variables that begin like settings and are none.
OTHER_VARIABLES = frozenset({"MEMCLI_CONFIG", "MEMCLI_SUMMARIZING"})

BACKENDS = ("auto", "anthropic", "command", "embedded")
STRATEGIES = ("incremental", "cached", "traditional")

_RUNS = "name a program to run"
_SENDS = "say where the conversation is sent"
_READS = "name a file whose words are sent"
_SPENDS = "say what may be spent"

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

WRITER = "Who writes"
WRITTEN = "What is written"
WHEN = "When"
LIMIT = "At the limit"

Kind = Literal["count", "seconds", "dollars", "flag", "text", "choice", "table"]


class Key(NamedTuple):
    """What a setting may be. `guarded`: it names a program that we start, a place that the conversation is sent to or
    what that may cost, and is not taken from a project's file. `heading`: what it is shown under."""

    meaning: str
    kind: Kind
    heading: str
    least: int = 0
    choices: tuple[str, ...] = ()
    guarded: str = ""


_declared: list[Key] = []


def _setting(default: Any, meaning: str, kind: Kind, heading: str, **rest: Any) -> Any:
    """The default of the setting that is declared next; what it may be is put down beside it."""
    _declared.append(Key(meaning, kind, heading, **rest))
    return default


class Settings(NamedTuple):
    """Every setting with its value. None means: not limited, or decided by the default rule."""

    backend: str = _setting("auto", "who writes the memory", "choice", WRITER, choices=BACKENDS)
    command: str | None = _setting(None, "a command that reads a prompt and prints text", "text", WRITER, guarded=_RUNS)
    summarizer: str | None = _setting(
        None, "a program that speaks the summarizer protocol", "text", WRITER, guarded=_RUNS
    )
    model: str | None = _setting(
        None, "the model that writes (unset: claude-haiku-5-5, or what the program takes)", "text", WRITER
    )
    base_url: str | None = _setting(None, "the server that is asked", "text", WRITER, guarded=_SENDS)
    auth_header: str | None = _setting(
        None, "how the key is sent", "choice", WRITER, choices=("bearer", "x-api-key"), guarded=_SENDS
    )
    api_version: str | None = _setting(None, "the anthropic-version header", "text", WRITER)
    dialect: str | None = _setting(
        None, "what the server understands (told by its host)", "choice", WRITER, choices=("anthropic", "compatible")
    )
    effort: str | None = _setting(
        None, "how much the model thinks (unset: low)", "choice", WRITER, choices=("low", "medium", "high", "max")
    )
    timeout: float = _setting(120.0, "seconds for one answer of a model", "seconds", WRITER)
    max_cost_per_hour: float | None = _setting(
        None, "US dollars that models may cost in an hour", "dollars", WRITER, guarded=_SPENDS
    )
    strategy: str = _setting("incremental", "what a model is shown", "choice", WRITTEN, choices=STRATEGIES)
    cache_ttl: str = _setting("5m", "how long a cached prefix is kept", "choice", WRITTEN, choices=("5m", "1h"))
    prompt_file: str | None = _setting(None, "a file with a prompt of your own", "text", WRITTEN, guarded=_READS)
    instructions: str | None = _setting(None, "what a model should mind in this project", "text", WRITTEN)
    sections: Mapping[str, str] | None = _setting(
        None, "a table: headings of your own, and what a model writes there", "table", WRITTEN
    )
    budget: int = _setting(4000, "tokens for the whole memory", "count", WRITTEN, least=2000)
    init_tokens: int = _setting(10000, "tokens before the first memory", "count", WHEN)
    update_tokens: int = _setting(5000, "tokens between two updates", "count", WHEN, least=1)
    update_tool_calls: int = _setting(3, "tool calls between two updates", "count", WHEN, least=1)
    min_update_tokens: int = _setting(
        1500, "tokens of growth without which no model is asked (embedded: 0 unless set)", "count", WHEN
    )
    every_turn: bool = _setting(False, "update after every turn", "flag", WHEN)
    jobs: int = _setting(4, "updates at the same time, over all transcripts", "count", WHEN, least=1)
    wait: float = _setting(30.0, "seconds to wait for an update in flight", "seconds", WHEN)
    context_limit: int | None = _setting(
        None, "tokens at which the compacted transcript is written", "count", LIMIT, least=1
    )
    on_limit: str | None = _setting(None, "a command to run at the context limit", "text", LIMIT, guarded=_RUNS)


KEYS: dict[str, Key] = dict(zip(Settings._fields, _declared, strict=True))


class Loaded(NamedTuple):
    """Settings, the origin of each ("default", "command line", a variable, or a file), and what to warn of."""

    settings: Settings
    origins: dict[str, str]
    warnings: tuple[str, ...] = ()


class _Source(NamedTuple):
    """One layer: its values by key, and how to name the origin of each."""

    values: dict[str, Any]
    origin: str
    trusted: bool = True

    def name(self, key: str) -> str:
        return f"{PREFIX}{key.upper()}" if self.origin == PREFIX else self.origin


def load(command_line: Mapping[str, object], environment: Mapping[str, str], directory: Path) -> Loaded:
    """All settings for a command that runs in `directory`.

    `command_line` holds what was given there; None means not given. Raises Usage for a value that makes no sense and
    for a file that is no TOML.
    """
    values: dict[str, Any] = {}
    origins = dict.fromkeys(KEYS, "default")
    warnings: list[str] = []
    for source in _sources(command_line, environment, directory):
        for key, value in source.values.items():
            problem = _objection(key, source)
            if problem:
                warnings.append(problem)
            else:
                values[key] = _parse(key, value, source.name(key))
                origins[key] = source.name(key)
    return Loaded(Settings(**values), origins, tuple(warnings))


def _sources(command_line: Mapping[str, object], environment: Mapping[str, str], directory: Path) -> Iterator[_Source]:
    """The layers, weakest first. An empty variable is one that is not set."""
    named = environment.get("MEMCLI_CONFIG")
    user = Path(named).expanduser() if named else config_dir() / "config.toml"
    if named or user.is_file():
        yield _Source(_normal(_toml(user, named=bool(named))), str(user))
    project = _project(directory)
    if project:
        yield project
    variables = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if value and name.startswith(PREFIX) and name not in OTHER_VARIABLES
    }
    yield _Source(variables, PREFIX)
    given = {key: value for key, value in command_line.items() if value is not None}
    yield _Source(given, "command line")


def _project(directory: Path) -> _Source | None:
    for place in (directory, *directory.parents):
        own = place / "memcli.toml"
        if own.is_file():
            return _Source(_normal(_toml(own)), str(own), trusted=False)
        shared = place / "pyproject.toml"
        if shared.is_file():
            tool = _toml(shared).get("tool")
            table = tool.get("memcli") if isinstance(tool, dict) else None
            if isinstance(table, dict):
                return _Source(_normal(table), str(shared), trusted=False)
    return None


def _toml(path: Path, *, named: bool = False) -> dict[str, Any]:
    import tomllib  # here, not above: mostly there is no file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"{path} is no valid TOML: {error}", f"cat {shlex.quote(str(path))}") from error
    except OSError as error:
        hint = "env -u MEMCLI_CONFIG memcli config show" if named else f"ls -ld {shlex.quote(str(path.parent))}"
        raise Usage(f"{path} cannot be read: {(error.strerror or '').lower()}", hint) from error


def _normal(table: dict[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in table.items()}


def _objection(key: str, source: _Source) -> str:
    """Why a value of this layer is not taken; empty if it is."""
    if key not in KEYS:
        import difflib  # as rare

        near = difflib.get_close_matches(key, KEYS, n=1)
        hint = f"; did you mean {PREFIX + near[0].upper() if source.origin == PREFIX else near[0]}?" if near else ""
        name = source.name(key) if source.origin == PREFIX else f"{key} in {source.origin}"
        return f"unknown setting {name}{hint}"
    if KEYS[key].guarded and not source.trusted:
        return (
            f"{key} in {source.origin} is not taken: a project's file may not {KEYS[key].guarded} "
            f"(use --{key.replace('_', '-')}, {PREFIX}{key.upper()} or the user file)"
        )
    return ""


def _parse(key: str, value: object, origin: str) -> object:
    """The value of `key` as its kind; from a file it may have its type already, from a variable it is text."""
    parsed, wanted = _convert(KEYS[key], value)
    if parsed is None:
        raise senseless(key, f"must be {wanted}, not {value!r}", origin)
    return parsed


def senseless(key: str, why: str, origin: str) -> Usage:
    """What to raise for a value of this origin: `why` goes on after the setting's name."""
    return Usage(f"{key.replace('_', '-')} {why} ({origin})", _way_out(origin))


def _way_out(origin: str) -> str:
    """A command that works although the value of this origin makes no sense."""
    if origin.startswith(PREFIX):
        return f"env -u {origin} memcli config show"
    return "memcli config show" if origin == "command line" else f"cat {shlex.quote(origin)}"


def _convert(key: Key, value: object) -> tuple[object, str]:
    """The value as the kind of `key`, None if it is none; and what would be one."""
    match key.kind:
        case "count":
            return _count(value, key.least), f"a whole number of at least {key.least}"
        case "seconds":
            return _amount(value), "a number of seconds"
        case "dollars":
            return _amount(value), "an amount in US dollars"
        case "flag":
            return _flag(value), "true or false"
        case "choice":
            return (value if value in key.choices else None), f"one of {', '.join(key.choices)}"
        case "text":
            return _text(value), "a text"
        case "table":
            texts = isinstance(value, dict) and all(map(_text, value.values()))
            return (value if texts else None), "a table of headings and texts, in a file"


def _count(value: object, least: int) -> int | None:
    if isinstance(value, str) and value.strip().replace("_", "").isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= least else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _amount(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        amount = float(value)
    except ValueError:
        return None
    return amount if 0 <= amount < float("inf") else None


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return True if value.lower() in _TRUE else False if value.lower() in _FALSE else None
    return value if isinstance(value, bool) else None


def project_directory() -> Path:
    """Where the search for a project's file begins: the working directory, wherever that has gone to."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.sep)
