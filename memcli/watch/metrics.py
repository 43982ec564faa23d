"""What the daemon counts, in the text format of Prometheus (version 0.0.4).

Numbers are of the process since its start, and never told apart by transcript: thousands of them would each be a time
series. The tally is fed with the events that the daemon reports anyway.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from memcli import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memcli.watch.told import Told

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram, in seconds."""


class Counts(NamedTuple):
    """What there is at this moment."""

    transcripts: int = 0
    in_flight: int = 0
    waiting: int = 0
    deaths: int = 0
    """Summarizer children that died, or took too long and were killed."""


class Sample(NamedTuple):
    """A metric: its name without `memcli_`, type, meaning, and a value for each set of labels."""

    name: str
    type: str
    meaning: str
    values: tuple[tuple[dict[str, str], float], ...]


class Tally:
    """Counts events. One thread feeds it; another one may ask for `text` at any moment, and reads whole numbers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts = Counts()
        self._clock = clock
        self._appends = self._warnings = self._compacted = 0
        self._updates = dict.fromkeys(("written", "embedded", "failed"), 0)
        self._tokens: dict[str, int] = {}
        self._dollars = 0.0
        self._unpriced = 0
        self._noticed: dict[str, float] = {}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def take(self, told: Told) -> None:
        """Count an event; those that are not known are not counted."""
        match told.event:
            case "noticed":
                self._appends += 1
                self._noticed.setdefault(told.path, self._clock())
            case "current":
                self._brought_up_to_date(told.path)
            case "answered":
                self._answered(told.fields)
            case "warning":
                self._warnings += 1
            case "compacted":
                self._compacted += 1
            case _:
                pass

    def _brought_up_to_date(self, path: str) -> None:
        since = self._noticed.pop(path, None)
        if since is not None:
            seconds = max(0.0, self._clock() - since)
            self._seconds += seconds
            self._buckets[bisect_left(BUCKETS, seconds)] += 1

    def _answered(self, fields: dict[str, object]) -> None:
        self._updates["failed" if fields.get("failure") else "written" if fields.get("wrote") else "embedded"] += 1
        for name, value in fields.items():
            if name.endswith("_tokens") and isinstance(value, int):
                self._tokens[name.removesuffix("_tokens")] = self._tokens.get(name.removesuffix("_tokens"), 0) + value
        cost, unpriced = fields.get("dollars"), fields.get("unpriced")
        self._dollars += cost if isinstance(cost, float) else 0.0
        self._unpriced += unpriced if isinstance(unpriced, int) else 0

    def text(self) -> str:
        """All metrics as they now are, ready to be served."""
        return "".join(f"{line}\n" for sample in self._samples() for line in _lines(sample)) + self._histogram()

    def _samples(self) -> Iterator[Sample]:
        counts = self.counts
        yield _one("build_info", "gauge", "The version that runs.", 1, {"version": __version__})
        yield _one("transcripts", "gauge", "Transcripts that are followed.", counts.transcripts)
        yield _one(
            "updates_in_flight", "gauge", "Updates asked of a summarizer and not answered yet.", counts.in_flight
        )
        yield _one("updates_waiting", "gauge", "Updates that wait for their turn.", counts.waiting)
        yield _one("appends_total", "counter", "Changes of transcripts that were noticed.", self._appends)
        results = tuple(({"result": name}, float(count)) for name, count in self._updates.items())
        yield Sample(
            "updates_total", "counter", "Updates by who wrote: a model, code alone, or none it should have.", results
        )
        tokens = tuple(({"type": name}, float(count)) for name, count in sorted(self._tokens.copy().items()))
        yield Sample("summarizer_tokens_total", "counter", "Tokens as summarizers billed them.", tokens)
        yield _one(
            "summarizer_dollars_total", "counter", "US dollars paid, by the prices that are known.", self._dollars
        )
        yield _one("summarizer_unpriced_total", "counter", "Requests whose price is not known.", self._unpriced)
        yield _one("summarizer_deaths_total", "counter", "Summarizer children that died or hung.", counts.deaths)
        yield _one(
            "compactions_total", "counter", "Compacted transcripts written at the context limit.", self._compacted
        )
        yield _one("warnings_total", "counter", "Warnings that were told.", self._warnings)

    def _histogram(self) -> str:
        name = "memcli_state_seconds"
        lines = [*_head(name, "histogram", "From noticing an append until the memory's state holds it.")]
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), list(self._buckets), strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        lines += [f"{name}_sum {_number(self._seconds)}", f"{name}_count {total}"]
        return "".join(f"{line}\n" for line in lines)


def _one(name: str, type: str, meaning: str, value: float, labels: dict[str, str] | None = None) -> Sample:
    return Sample(name, type, meaning, ((labels or {}, value),))


def _lines(sample: Sample) -> Iterator[str]:
    name = f"memcli_{sample.name}"
    yield from _head(name, sample.type, sample.meaning)
    for labels, value in sample.values:
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{f'{{{shown}}}' if shown else ''} {_number(value)}"


def _head(name: str, type: str, meaning: str) -> tuple[str, str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {type}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 9))
