"""What a figure promises, and how it is shown."""

from __future__ import annotations

import json

import pytest

from scripts.benchmarks.rounds import Spread
from scripts.benchmarks.table import SCHEMA, Row, Table, Target, not_run

TWICE = Spread(2.0, 1.5, 2.5)


@pytest.mark.parametrize(
    ("target", "holds"),
    [(Target(2.0), True), (Target(1.9), False), (Target(2.1, at_least=True), False), (Target(2.0, True), True)],
)
def test_a_target_is_held_against_the_median(target: Target, holds: bool) -> None:
    assert Row("it", measured=TWICE, target=target).holds is holds


def test_what_is_not_measured_does_not_hold_and_what_is_not_promised_cannot() -> None:
    assert not_run("it", "no time", Target(1.0)).holds is False
    assert Row("it", measured=TWICE).holds is None


def test_the_end_counts_what_holds_and_names_what_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(as_json=False)
    table.section("some", [Row("fine", measured=TWICE, target=Target(3)), not_run("lost", "a reason", Target(1))])
    table.end({"cores": 2})
    out = capsys.readouterr().out
    assert "not run: a reason" in out
    assert out.endswith("cores 2\n1 targets hold, 1 do not\n  - lost\n")


def test_json_stands_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(as_json=True)
    table.section("some", [Row("it", "1 ms", "floor 0.5 ms", TWICE, target=Target(3))])
    table.end({"cores": 2})
    out = json.loads(capsys.readouterr().out)
    assert (out["schema"], out["machine"]) == (SCHEMA, {"cores": 2})
    assert out["rows"][0]["measured"] == {"median": 2.0, "low": 1.5, "high": 2.5}
    assert (out["rows"][0]["section"], out["rows"][0]["target"], out["rows"][0]["holds"]) == ("some", "<= 3", True)


def test_what_never_came_is_no_number_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(as_json=True)
    table.section("some", [Row("it", measured=Spread(*[float("inf")] * 3), target=Target(3))])
    table.end({})
    row = json.loads(capsys.readouterr().out, parse_constant=lambda _: pytest.fail("not JSON"))["rows"][0]
    assert (row["measured"], row["holds"]) == (None, False)
