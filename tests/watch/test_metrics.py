"""What is counted, and that it is written as Prometheus reads it."""

from __future__ import annotations

import re
from typing import NamedTuple

from memcli.watch.metrics import BUCKETS, Counts, Tally
from memcli.watch.told import Told

SAMPLE = re.compile(r'(memcli_[a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\["\\n])*",?)*)\})? (-?[0-9.e+-]+)')


class Metric(NamedTuple):
    type: str
    meaning: str
    values: dict[str, float]


def parsed(text: str) -> dict[str, Metric]:
    """The metrics by name, each sample by its suffix and labels. Fails for what the format does not allow."""
    found: dict[str, Metric] = {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, meaning = line[7:].split(" ", 1)
            assert name not in found
            found[name] = Metric("", meaning, {})
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert kind in ("counter", "gauge", "histogram")
            assert not found[name].values
            found[name] = found[name]._replace(type=kind)
        else:
            whole, labels, value = SAMPLE.fullmatch(line).groups()
            name = re.sub("_(bucket|sum|count)$", "", whole) if whole not in found else whole
            assert found[name].type
            key = f"{whole.removeprefix(name)}{labels or ''}"
            assert key not in found[name].values
            found[name].values[key] = float(value)
    return found


def tallied(*events: Told) -> dict[str, Metric]:
    tally = Tally()
    for told in events:
        tally.take(told)
    return parsed(tally.text())


def test_what_there_is_now_is_told_as_gauges():
    tally = Tally()
    tally.counts = Counts(transcripts=7, in_flight=2, waiting=3, deaths=1)
    found = parsed(tally.text())
    assert found["memcli_transcripts"].values == {"": 7}
    assert found["memcli_updates_in_flight"].values == {"": 2}
    assert found["memcli_updates_waiting"].values == {"": 3}
    assert found["memcli_summarizer_deaths_total"].values == {"": 1}


def test_names_of_counters_end_in_total_and_all_have_a_meaning():
    found = tallied()
    assert all(metric.meaning.endswith(".") for metric in found.values())
    assert {name for name, metric in found.items() if metric.type == "counter"} == {
        name for name in found if name.endswith("_total")
    }


def test_updates_are_counted_by_who_wrote():
    model = {"wrote": True, "failure": "", "input_tokens": 900, "output_tokens": 40, "dollars": 0.25, "unpriced": 0}
    failed = {"wrote": False, "failure": "no answer", "input_tokens": 100, "dollars": 0.0, "unpriced": 2}
    code = {"wrote": False, "failure": ""}
    found = tallied(*(Told("/a", "answered", fields) for fields in (model, model, failed, code)))
    assert found["memcli_updates_total"].values == {
        'result="written"': 2,
        'result="embedded"': 1,
        'result="failed"': 1,
    }
    assert found["memcli_summarizer_tokens_total"].values == {'type="input"': 1900, 'type="output"': 80}
    assert found["memcli_summarizer_dollars_total"].values == {"": 0.5}
    assert found["memcli_summarizer_unpriced_total"].values == {"": 2}


def test_the_time_from_append_to_state_is_a_histogram():
    clock = iter([10.0, 11.0, 13.0])
    tally = Tally(lambda: next(clock))
    for event in ("noticed", "noticed", "current"):  # the first append has waited longest: it counts
        tally.take(Told("/a", event, {}))
    found = parsed(tally.text())["memcli_state_seconds"]
    assert found.type == "histogram"
    assert (found.values["_count"], found.values["_sum"]) == (1, 3)


def test_a_bucket_counts_all_that_took_no_longer():
    clock = iter([0.0, 0.5, 0.0, 7.0, 0.0, 1000.0])
    tally = Tally(lambda: next(clock))
    for path in ("/a", "/b", "/c"):
        tally.take(Told(path, "noticed", {}))
        tally.take(Told(path, "current", {}))
    found = parsed(tally.text())["memcli_state_seconds"].values
    assert [found[f'_bucketle="{bound}"'] for bound in BUCKETS] == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert (found['_bucketle="+Inf"'], found["_count"], found["_sum"]) == (3, 3, 1007.5)


def test_what_is_brought_up_to_date_without_an_append_takes_no_time():
    assert tallied(Told("/a", "current", {}))["memcli_state_seconds"].values["_count"] == 0


def test_events_that_are_not_known_are_not_counted():
    assert tallied(Told("/a", "new event", {"x": 1})) == tallied()
