"""`memcli compare`: the three ways to compact, side by side over the same growing transcript.

traditional   nothing before the end; then one call over the whole conversation, and everybody waits for it
instant       updates in the background, each from the old notes and what is new; at the end a swap
cached        the same, but each update sends the whole conversation, its prefix read from the prompt cache

The wait is what a person waits for at the end: the blocking call and the swap, or the swap alone. The swap is the
real command, started and timed as a shell would; messages and tokens after are those of its output.

A replay has none of the pauses of a session. What the prompt cache would have held at the pace at which the session
was recorded is worked out from its timestamps: what an update read from the cache more than the lifetime after the last
one began, it would have had to write.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, TypeAlias, get_args

import msgspec

from memcli import swap
from memcli.commands import reports
from memcli.commands.standing import standing_of
from memcli.commands.target import target
from memcli.edge import printable
from memcli.making import setup, writer
from memcli.memory.fitting import rendered
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.summarize import prices
from memcli.summarize.cached import LIFETIME_SECONDS
from memcli.ui.tables import columns
from memcli.watch import replay
from memcli.watch.children import Asking, Progressed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memcli.memory.jobs import Job, Result, Usage
    from memcli.session import Triggers
    from memcli.watch.replay import Replayed, Update

WayName: TypeAlias = Literal["traditional", "instant", "cached"]
WAYS: tuple[WayName, ...] = get_args(WayName)
_KINDS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


class Paced(NamedTuple):
    """The cached way at the pace of the recording: of so many `reads` of the cache that many `expired`, and the dollars
    (None where a price is not known)."""

    reads: int
    expired: int
    dollars: float | None


class Way(NamedTuple):
    """What one way came to. Waits in seconds; `dollars` None where a price is not known."""

    name: WayName
    wait: float
    messages: tuple[int, int]
    tokens: tuple[int, int]
    updates: int
    failed: int
    background: float
    billed: dict[str, int]
    dollars: float | None
    hits: tuple[str, ...]
    paced: Paced | None = None

    @property
    def reduction(self) -> float:
        """Part of the tokens that went."""
        return 1 - self.tokens[1] / self.tokens[0] if self.tokens[0] else 0.0

    @property
    def hit_rate(self) -> float | None:
        """Part of all prompt tokens that was read from the cache; None where nothing was billed."""
        prompt = sum(self.billed[kind] for kind in _KINDS[:-1])
        return self.billed["cache_read"] / prompt if prompt else None


def compare(path: Path | None, overrides: Mapping[str, object], *, as_json: bool, quiet: bool) -> int:
    """Exit code 0. Raises what reading a transcript raises, and Usage for a backend that cannot work."""
    transcript = target(path, "compare", quiet=quiet)
    standing_of(transcript)  # what is wrong with it is said by its own name, before it is copied
    loaded = setup.load(overrides, quiet=quiet)
    who = writer.chosen(loaded.settings)
    triggers = setup.triggers(loaded, write=who.writes)
    say = _teller(quiet=quiet)
    say(f"replays {transcript} with {who.name}, {who.sends}")
    with _Answers(who, say) as answers:
        ways = [_way(name, transcript, triggers, answers, say) for name in (WAYS if who.writes else WAYS[:2])]
    rules = _rule_counts(transcript, triggers)
    if as_json:
        print(_report(transcript, who, ways, rules).to_line())
    else:
        print(columns(_rows(ways, rules)))
        print(f"\n{who.name}, {who.sends}. Dollars by the prices of {prices.PRICED}. Updates follow each other without")
        print("the pauses of a session, so nothing in a prompt cache has time to expire.")
    return 0


# ------------------------------------------------------------------ running


def _way(name: WayName, transcript: Path, triggers: Triggers, answers: _Answers, say: Callable[[str], None]) -> Way:
    say(name)
    strategy = "incremental" if name == "instant" else name
    rules = msgspec.structs.replace(triggers, strategy=strategy)
    if name == "traditional":  # nothing happens before somebody asks
        rules = msgspec.structs.replace(rules, init_tokens=10**9)
    with tempfile.TemporaryDirectory(prefix="memcli-") as room:
        done = replay.replay(transcript, Path(room), rules, answers.answer, finish=name == "traditional")
        blocking = done.updates[-1].seconds if name == "traditional" and done.updates else 0.0
        way = _summed(name, done, blocking + _swap_seconds(done.transcript), _swapped(done))
        return way._replace(paced=_paced(done.updates, answers.cache_ttl)) if name == "cached" else way


class _Answers:
    """Who answers the jobs of all ways: one summarizer child, or nobody but the ledger."""

    def __init__(self, who: writer.Writer, say: Callable[[str], None]) -> None:
        self._who, self._say = who, say
        self._accounts = who.accounts
        self.cache_ttl = who.options.cache_ttl
        self._child = Asking(who.argv, who.patience, self._heard) if who.writes else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.close()
        if self._accounts is not None:
            self._accounts.dropped(time.time())

    def _heard(self, far: Progressed) -> None:
        if self._accounts is not None and far.most is not None:
            self._accounts.bounded(far.most, time.time())

    def answer(self, job: Job) -> Result:
        if self._child is None or self._accounts is None:
            return rendered(job)
        grant = self._accounts.granted(job, time.time(), asked=True)
        if grant.refused:
            self._say(f"no model was asked: {grant.refused}")
        result = self._child.ask(grant.job)
        self._accounts.settled(None, grant, result, time.time())
        if result.failure is not None:
            self._say(f"failed: {result.failure.sentence}")
        return result


def _swap_seconds(transcript: Path) -> float:
    """How long `memcli compact` takes, as a person waits for it; the best of three, as the first reads the disk."""
    command = [sys.executable, "-P", "-m", "memcli", "compact", "-q", str(transcript)]
    found = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found.append(time.monotonic() - began)
    return min(found)


def _swapped(done: Replayed) -> tuple[int, int]:
    """Messages and tokens of what `memcli compact` puts out; those of the transcript where it takes the slow route."""
    head = Store(Place.of(done.transcript)).head()
    with done.transcript.open("rb") as file:
        try:
            report = swap.prepare(head, file.fileno(), done.transcript.stat().st_size).report if head else None
        except ValueError:
            report = None
    return (report.messages_after, report.tokens_after) if report else (done.messages, done.tokens)


def _paced(updates: Sequence[Update], ttl: Literal["5m", "1h"]) -> Paced | None:
    """None where the transcript tells no times."""
    if not updates or any(update.recorded is None for update in updates):
        return None
    last: float | None = None
    reads = expired = 0
    costs: list[float | None] = []
    for update in updates:
        now = update.recorded or 0.0
        late = last is not None and now - last > LIFETIME_SECONDS[ttl]
        for call in update.calls:
            read = call.usage.cache_read_tokens
            reads += bool(read)
            expired += bool(read and late)
            usage = _written(call.usage, ttl) if read and late else call.usage
            costs.append(prices.cost(call.model, usage, dt.datetime.now(dt.UTC).date()))
            late = False  # a second question follows the first one at once
        last = now if update.calls else last
    return Paced(reads, expired, prices.total(costs))


def _written(usage: Usage, ttl: Literal["5m", "1h"]) -> Usage:
    """The same prompt, of which nothing was in the cache any more."""
    read = usage.cache_read_tokens
    return msgspec.structs.replace(
        usage,
        cache_read_tokens=0,
        cache_write_5m_tokens=usage.cache_write_5m_tokens + (read if ttl == "5m" else 0),
        cache_write_1h_tokens=usage.cache_write_1h_tokens + (read if ttl == "1h" else 0),
    )


def _rule_counts(transcript: Path, triggers: Triggers) -> dict[str, int]:
    """Updates by the literal rule (any growth) and with the growth that a paid backend wants."""
    counts = {}
    for name, growth in (("literal", 0), ("with_min_update_tokens", triggers.min_update_tokens)):
        with tempfile.TemporaryDirectory(prefix="memcli-") as room:
            rules = msgspec.structs.replace(triggers, min_update_tokens=growth)
            counts[name] = replay.count_updates(transcript, Path(room), rules)
    return counts


def _summed(name: WayName, done: Replayed, wait: float, after: tuple[int, int]) -> Way:
    calls = [call for update in done.updates for call in update.calls]
    background = 0.0 if name == "traditional" else sum(update.seconds for update in done.updates)
    return Way(
        name,
        wait,
        (done.messages, after[0]),
        (done.tokens, after[1]),
        len(done.updates),
        sum(bool(update.failure) for update in done.updates),
        background,
        {kind: sum(getattr(call.usage, f"{kind}_tokens") for call in calls) for kind in _KINDS},
        prices.total(call.cost for call in calls),
        tuple(call.cache for call in calls if call.cache),
    )


# ------------------------------------------------------------------ telling


def _rows(ways: list[Way], rules: dict[str, int]) -> list[list[str]]:
    slow = ways[0].wait
    rows = [["", *(way.name for way in ways)]]

    def row(title: str, *cells: str) -> None:
        rows.append([title, *cells])

    row("wait", *(f"{way.wait:.2f} s" for way in ways))
    row("speed-up", *(f"{slow / way.wait:,.0f} x" if way.wait else "-" for way in ways))
    row("messages", *(f"{way.messages[0]:,} -> {way.messages[1]:,}" for way in ways))
    row("tokens", *(f"{way.tokens[0]:,} -> {way.tokens[1]:,}" for way in ways))
    row("reduction", *(f"{way.reduction:.1%}" for way in ways))
    row("updates", *(f"{way.updates}" + (f" ({way.failed} without a model)" if way.failed else "") for way in ways))
    row("in the background", *(f"{way.background:.1f} s" for way in ways))
    for kind in _KINDS:
        if any(way.billed[kind] for way in ways):
            row(f"{kind.replace('_', ' ')} tokens", *(f"{way.billed[kind]:,}" for way in ways))
    row("cost", *("unknown" if way.dollars is None else f"${way.dollars:.4f}" for way in ways))
    row("cache hit rate", *("-" if way.hit_rate is None else f"{way.hit_rate:.0%}" for way in ways))
    cached = next((way for way in ways if way.name == "cached"), None)
    if cached is not None:
        kinds = dict.fromkeys(cached.hits)
        row("cached requests", "", "", ", ".join(f"{cached.hits.count(kind)} {kind}" for kind in kinds) or "none")
    if cached is not None and cached.paced is not None:
        paced = cached.paced
        price = "unknown" if paced.dollars is None else f"${paced.dollars:.4f}"
        row("at the recorded pace", "", "", f"{paced.expired} of {paced.reads} reads expired, {price}")
    literal, wanted = rules["literal"], rules["with_min_update_tokens"]
    rows.append(["updates by rule", "", f"{wanted} ({literal} by the literal rule)", *[""] * (len(ways) - 2)])
    return rows


def _report(transcript: Path, who: writer.Writer, ways: list[Way], rules: dict[str, int]) -> reports.Compare:
    return reports.Compare(
        transcript=str(transcript),
        summarizer=reports.Who(who.name, who.sends),
        priced=prices.PRICED,
        updates_by_rule=rules,
        ways=tuple(_reported(way, ways[0].wait) for way in ways),
    )


def _reported(way: Way, slow: float) -> reports.Way:
    return reports.Way(
        name=way.name,
        wait=way.wait,
        speed_up=slow / way.wait if way.wait else None,
        messages=reports.Change(*way.messages),
        tokens=reports.Change(*way.tokens),
        reduction=way.reduction,
        updates=way.updates,
        failed=way.failed,
        background=way.background,
        billed=way.billed,
        dollars=way.dollars,
        cache_hit_rate=way.hit_rate,
        hits=way.hits,
        paced=reports.Paced(*way.paced) if way.paced else None,
    )


def _teller(*, quiet: bool) -> Callable[[str], None]:
    return (lambda _: None) if quiet else (lambda sentence: print(f"memcli: {printable(sentence)}", file=sys.stderr))
