"""What verbs print with `--json`: one type a report. `memcli schema NAME` prints its JSON Schema, made of the type.

Every report is one line and has a `schema` field, `memcli.NAME/VERSION`. A field may be added within a version; when
one goes or changes its meaning, the version is raised. Readers ignore fields that they do not know.
A failure prints no report but the two lines on stderr, and the exit code says which: with or without `--json`.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from memcli.watch.told import Event

Seconds = Annotated[float, Meta(description="seconds")]
Moment = Annotated[float, Meta(description="seconds since 1970")]
Dollars = Annotated[float, Meta(description="US dollars, by the prices that memcli knows")]
Tokens = Annotated[int, Meta(description="tokens, estimated unless the transcript told them")]
Bytes = Annotated[int, Meta(description="bytes")]
Path = Annotated[str, Meta(description="path of a file or directory")]
State = Annotated[
    Literal["current", "stale", "foreign", "none"],
    Meta(description="stale: the transcript is further; foreign: the memory is of another transcript; none: no memory"),
]


class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema"):
    """One report."""

    def to_line(self) -> str:
        """The report as it is printed, without the end of the line. Names that are no text are escaped."""
        return json.dumps(msgspec.to_builtins(self))


class Change(msgspec.Struct, frozen=True):
    """A count before and after a compaction."""

    before: int
    after: int


class Context(msgspec.Struct, frozen=True):
    """Tokens in the agent's context: counted by its service, and estimated after that count."""

    exact: Tokens
    estimated: Tokens


class Summarizer(msgspec.Struct, frozen=True):
    """Who writes, where it sends the conversation, and whether it may be asked."""

    name: str
    sends: str
    failures: int
    reason: str
    permanent: bool
    next_try: Moment | None
    last_asked: Moment | None
    told_by: Annotated[
        Literal["watcher", "last update", "settings"],
        Meta(description="who says so; `settings`: those of whoever asks, as nobody watches"),
    ] = "settings"


class Cost(msgspec.Struct, frozen=True):
    """What models were paid for one memory. Requests at an unknown price are counted, never as 0 dollars."""

    requests: int
    accepted: int
    milliseconds: int
    tokens: dict[str, int]
    dollars: Dollars
    dollars_last_hour: Dollars
    requests_without_price: int
    models: tuple[str, ...]
    priced: Annotated[tuple[str, ...], Meta(description="days of the price lists that were used")]


class Status(Report, frozen=True, kw_only=True, tag="memcli.status/1"):
    """`memcli status --json`; `cost` with `--cost`."""

    transcript: Path
    format: str
    memory: Path
    state: State
    messages: int
    covered_messages: int
    context_tokens: Context
    generation: str | None
    made: Moment | None
    summarizer: Summarizer
    watched_by: Annotated[int | None, Meta(description="process id")]
    problems: Annotated[dict[str, int], Meta(description="what could not be read, counted")]
    cost: Cost | UnsetType = UNSET


class Generation(Report, frozen=True, kw_only=True, tag="memcli.generation/1"):
    """A line of `memcli history --json`, oldest first."""

    n: int
    thinned: Annotated[int, Meta(description="memories right before it that are not kept any more")]
    id: str
    parent: str
    made: Moment
    covered_bytes: Bytes
    messages: Change
    tokens: Change
    milliseconds: int
    backend: str
    model: str


class Where(Report, frozen=True, kw_only=True, tag="memcli.where/1"):
    """`memcli where --json`."""

    transcript: Path
    memory: Path
    sidecar: Path
    exists: Annotated[bool, Meta(description="whether the memory does")]


class Memory(Report, frozen=True, kw_only=True, tag="memcli.memory/1"):
    """`memcli show --json`: the Markdown, and its sections by heading as they stand in it."""

    transcript: Path
    memory: Path
    generation: Annotated[str | None, Meta(description="the generation that was published last")]
    made: Moment | None
    text: str
    sections: dict[str, str]


class Setting(msgspec.Struct, frozen=True):
    """A value and where it comes from."""

    value: Any
    origin: Annotated[str, Meta(description="a file, a variable, `command line` or `default`")]


class Config(Report, frozen=True, kw_only=True, tag="memcli.config/1"):
    """`memcli config show --json`: every setting by its name, with `_`."""

    settings: dict[str, Setting]


class Update(Report, frozen=True, kw_only=True, tag="memcli.update/1"):
    """`memcli update --json`."""

    transcript: Path
    memory: Path
    generation: Annotated[str | None, Meta(description="null: nothing can be covered yet")]
    changed: Annotated[bool | None, Meta(description="whether a generation was made; null: a daemon was asked")]
    messages: int
    covered_messages: int
    warnings: tuple[str, ...]
    problems: dict[str, int]


class Check(Report, frozen=True, kw_only=True, tag="memcli.check/1"):
    """`memcli update --check --json`; the exit code is 0 for `current`, 3 for `none`, else 4."""

    transcript: Path
    memory: Path
    state: State
    messages: int
    covered_messages: int


class Compact(Report, frozen=True, kw_only=True, tag="memcli.compact/1"):
    """`memcli compact --json`, on stderr, as stdout holds the transcript; one line a conversation of a batch."""

    transcript: Annotated[str | None, Meta(description="null: stdin")]
    line: Annotated[int | None, Meta(description="which line of a file with one conversation a line")]
    memory: Annotated[str, Meta(description="how the memory came about: `was ready`, `made now`, ...")]
    memory_age: Seconds
    generation: str
    messages: Change
    tokens: Change
    kept_messages: int
    behind_tokens: Annotated[int, Meta(description="tokens in the output that the memory does not cover yet")]
    seconds: Seconds
    problems: dict[str, int]


class Stop(Report, frozen=True, kw_only=True, tag="memcli.stop/1"):
    """`memcli stop --json`."""

    transcript: Path
    stopped: Annotated[int, Meta(description="process id")]


class Undo(Report, frozen=True, kw_only=True, tag="memcli.undo/1"):
    """`memcli undo --json`."""

    transcript: Path
    kept: Annotated[str, Meta(description="where the content lies that stood there")]
    added_bytes: Annotated[int, Meta(description="bytes it had grown by, which are only there")]


class Paced(msgspec.Struct, frozen=True):
    """What the prompt cache would have held at the recorded pace."""

    reads: int
    expired: int
    dollars: Dollars | None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What one way to compact came to."""

    name: Literal["traditional", "instant", "cached"]
    wait: Seconds
    speed_up: float | None
    messages: Change
    tokens: Change
    reduction: Annotated[float, Meta(description="part of the tokens that went, 0 to 1")]
    updates: int
    failed: int
    background: Seconds
    billed: Annotated[dict[str, int], Meta(description="tokens by kind")]
    dollars: Annotated[float | None, Meta(description="null: a price is not known")]
    cache_hit_rate: Annotated[float | None, Meta(description="part of the prompt tokens read from the cache")]
    hits: tuple[str, ...]
    paced: Paced | None


class Who(msgspec.Struct, frozen=True):
    """Who writes, and where it sends the conversation."""

    name: str
    sends: str


class Compare(Report, frozen=True, kw_only=True, tag="memcli.compare/1"):
    """`memcli compare --json`."""

    transcript: Path
    summarizer: Who
    priced: Annotated[str, Meta(description="the day of the price list")]
    updates_by_rule: dict[str, int]
    ways: tuple[Way, ...]


class Service(Report, frozen=True, kw_only=True, tag="memcli.service/1"):
    """`memcli service status --json`; the exit code is 0 if it runs, 3 if none is installed, else 1."""

    manager: Literal["systemd", "launchd"]
    unit: Path
    installed: bool
    state: Annotated[str, Meta(description="active, or what the manager says otherwise")]


class Unit(Report, frozen=True, kw_only=True, tag="memcli.unit/1"):
    """`memcli service install --json` and `memcli service uninstall --json`."""

    manager: Literal["systemd", "launchd"]
    unit: Path
    done: Annotated[Literal["wrote", "removed", "nothing"], Meta(description="`nothing` for a dry run, too")]
    text: Annotated[str | None, Meta(description="what stands in the unit, or would; null: there is none any more")]
    state: Annotated[str | None, Meta(description="what the manager says now; null: it was not asked")]


class FileChange(msgspec.Struct, frozen=True):
    """What becomes of one file."""

    path: Path
    change: Literal["made", "changed", "removed"]
    diff: Annotated[str, Meta(description="a unified diff, control characters escaped")]


class Install(Report, frozen=True, kw_only=True, tag="memcli.install/1"):
    """`memcli install --json` and `memcli uninstall --json`."""

    host: str
    settings: Path
    written: Annotated[bool, Meta(description="false: a dry run, or nothing was to be changed")]
    changes: tuple[FileChange, ...]


SHAPES: dict[str, type[msgspec.Struct]] = {
    str(shape.__struct_config__.tag): shape
    for shape in (
        Status, Generation, Where, Memory, Config, Update, Check, Compact, Stop, Undo, Compare, Service, Unit, Install,
        Event,
    )
}  # fmt: skip
"""Every report by what stands in its `schema` field."""

_OF_VERBS: dict[str, type[msgspec.Struct]] = {
    "history": Generation,
    "show": Memory,
    "watch": Event,
    "uninstall": Install,
    "config show": Config,
    "update --check": Check,
    "service status": Service,
    "service install": Unit,
    "service uninstall": Unit,
}
"""Those that are not named as the verb that prints them."""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a report, by the whole name, the part between `memcli.` and `/`, or the verb that prints it.

    Raises KeyError.
    """
    short = {tag[7:].partition("/")[0]: shape for tag, shape in SHAPES.items()}
    made = msgspec.json.schema({**SHAPES, **short, **_OF_VERBS}[name])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
