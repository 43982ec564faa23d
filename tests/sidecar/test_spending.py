"""What models were paid: a log that only grows, and small values that many processes change."""

from __future__ import annotations

import stat
import subprocess
import sys

import msgspec
import pytest

from memcli.memory.jobs import Call, Usage
from memcli.sidecar import spending


class Sum(msgspec.Struct, frozen=True):
    n: int = 0


def call(cost: float | None = 0.5) -> Call:
    return Call("anthropic", "m", Usage(10, output_tokens=2), 7, cost, "2026-11-12")


def test_every_request_is_a_line_and_comes_back_as_it_was(tmp_path):
    spending.record(tmp_path, 1.0, "a", [call(), call(None)])
    spending.record(tmp_path, 2.0, "b", [call(0.25)])
    found = spending.spent(tmp_path)
    assert [(one.made, one.job, one.call.cost) for one in found] == [
        (1.0, "a", 0.5),
        (1.0, "a", None),
        (2.0, "b", 0.25),
    ]
    assert stat.S_IMODE((tmp_path / spending.FILE).stat().st_mode) == 0o600


def test_no_request_is_no_file(tmp_path):
    spending.record(tmp_path, 1.0, "a", [])
    assert not (tmp_path / spending.FILE).exists()
    assert spending.spent(tmp_path) == []


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_half_a_line_costs_itself_and_no_other(tmp_path, cut):
    """Whoever died in the middle of writing: what comes after it begins on a line of its own."""
    spending.record(tmp_path, 1.0, "a", [call()])
    spending.record(tmp_path, 2.0, "b", [call()])
    log = tmp_path / spending.FILE
    log.write_bytes(log.read_bytes()[:-cut])
    spending.record(tmp_path, 3.0, "c", [call()])
    assert [one.job for one in spending.spent(tmp_path)] == ["a", *["b"] * (cut == 1), "c"]


def test_many_processes_change_one_value_and_none_is_lost(tmp_path):
    code = (
        "import sys, pathlib\n"
        "from tests.sidecar.test_spending import Sum\n"
        "from memcli.sidecar import spending\n"
        "for _ in range(25):\n"
        "    spending.changed(pathlib.Path(sys.argv[1]), Sum, lambda old: Sum(old.n + 1))\n"
    )
    path = tmp_path / "deep" / "sum.json"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert spending.value_of(path, Sum) == Sum(75)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"n":"x"}'])
def test_a_damaged_value_begins_anew(tmp_path, content):
    (tmp_path / "sum.json").write_bytes(content)
    assert spending.value_of(tmp_path / "sum.json", Sum) == Sum()
    assert spending.changed(tmp_path / "sum.json", Sum, lambda old: Sum(old.n + 1)) == Sum(1)


def test_the_last_note_counts_and_a_damaged_one_is_none(tmp_path):
    assert spending.noted(tmp_path) is None
    for failure in ("no ink", ""):
        spending.note(tmp_path, spending.Noted(1.0, "m", "h.json", failure))
    assert spending.noted(tmp_path).failure == ""
    (tmp_path / spending.NOTE).write_bytes(b"{")
    assert spending.noted(tmp_path) is None


def test_half_a_line_of_somebody_who_died_costs_that_line_alone(tmp_path):
    spending.record(tmp_path, 1.0, "a", [call()])
    with open(tmp_path / spending.FILE, "ab") as log:
        log.write(b'{"made":2.0,"jo')
    spending.record(tmp_path, 3.0, "c", [call()])
    assert [one.job for one in spending.spent(tmp_path)] == ["a", "c"]


@pytest.mark.parametrize("damage", [b"\xff\n", b"{}\n", b"\n\n", b'{"made":"x"}\n'])
def test_a_damaged_line_is_passed_by_wherever_it_stands(tmp_path, damage):
    spending.record(tmp_path, 1.0, "a", [call()])
    whole = (tmp_path / spending.FILE).read_bytes()
    (tmp_path / spending.FILE).write_bytes(damage + whole + damage)
    assert [one.job for one in spending.spent(tmp_path)] == ["a"]


def test_a_note_keeps_all_that_is_known_of_a_failure(tmp_path):
    told = spending.Noted(1.0, "m", "h.json", "no ink", failures=3, reason="dry", not_before=9.5)
    spending.note(tmp_path, told)
    assert spending.noted(tmp_path) == told


def test_a_note_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / spending.NOTE).mkdir()
    assert spending.noted(tmp_path) is None
    assert spending.noted(tmp_path / "nowhere") is None


def test_a_value_that_nobody_could_write_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match=r"file|directory"):
        spending.changed(tmp_path / "file" / "sum.json", Sum, lambda old: old)


def test_a_change_that_fails_changes_nothing_and_blocks_nobody(tmp_path):
    path = tmp_path / "sum.json"
    spending.changed(path, Sum, lambda _: Sum(3))
    with pytest.raises(ZeroDivisionError):
        spending.changed(path, Sum, lambda old: Sum(old.n // 0))
    assert spending.changed(path, Sum, lambda old: Sum(old.n + 1)) == Sum(4)
