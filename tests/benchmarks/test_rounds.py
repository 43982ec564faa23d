"""Programs that take turns, and what is made of their costs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from scripts.benchmarks.rounds import Cost, Failed, Program, Rounds, Runner, Spread, percentile, spread

if TYPE_CHECKING:
    from pathlib import Path

SPIN = "import time\nwhile time.process_time() < 0.3: pass"
GRANDCHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPIN!r}])"


def python(code: str, **more: object) -> Program:
    return Program(code, (sys.executable, "-c", code), **more)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path, os.environ)


@pytest.mark.parametrize("code", [SPIN, GRANDCHILD], ids=["program", "child of it"])
def test_cpu_is_that_of_a_program_and_its_children(runner: Runner, code: str) -> None:
    assert runner.run(python(code)).cpu >= 0.3


def test_sleeping_costs_time_and_no_cpu(runner: Runner) -> None:
    cost = runner.run(python("import time; time.sleep(0.5)"))
    assert cost.wall >= 0.5 > cost.cpu


def test_the_peak_is_that_of_the_largest_process(runner: Runner) -> None:
    assert runner.run(python("b'x' * 200_000_000")).peak > 190


def test_a_program_that_fails_is_no_measurement(runner: Runner) -> None:
    with pytest.raises(Failed, match="ended with 3: that is all"):
        runner.run(python("import sys; print('so', 'that is all', sep='\\n', file=sys.stderr); sys.exit(3)"))


def test_a_program_that_is_not_there_is_said_to_be_missing(runner: Runner) -> None:
    with pytest.raises(Failed, match="cannot be started"):
        runner.run(Program("none", ("no-such-program",)))


def test_a_code_that_is_expected_is_no_failure(runner: Runner) -> None:
    assert runner.run(python("raise SystemExit(3)", codes=(3,))).wall > 0


def test_no_round_is_one_run_of_each_cold(runner: Runner) -> None:
    measured = runner.rounds([python("pass"), python("0")], 0)
    assert [len(costs) for costs in measured.costs.values()] == [1, 1]


def test_every_program_runs_in_every_round_and_once_before(runner: Runner, tmp_path: Path) -> None:
    names: list[str] = []
    programs = [python("pass", before=lambda: names.append("a")), python("0", before=lambda: names.append("b"))]
    measured = runner.rounds(programs, 2)
    assert "".join(names) in ("abbaab", "abbaba")
    assert [len(costs) for costs in measured.costs.values()] == [2, 2]


def test_a_ratio_is_the_median_of_the_ratios_of_rounds() -> None:
    costs = {"one": [Cost(0, cpu, 0) for cpu in (2, 30, 4)], "floor": [Cost(0, cpu, 0) for cpu in (1, 10, 4)]}
    assert Rounds(costs).ratio("one", "floor") == Spread(2, 1, 3)


def test_the_ends_of_a_spread_leave_a_tenth_out() -> None:
    assert spread([*range(1, 20), 1000]) == Spread(10.5, 3, 18)
    assert spread([7]) == Spread(7, 7, 7)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile(range(100), 0.95) == 95
    assert percentile([3], 0.95) == 3
