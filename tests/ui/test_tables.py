"""Tables: plain where a program reads, drawn where a person looks."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from memcli.ui.tables import table

ROWS = [("transcript", "/srv/a b/run.jsonl"), ("messages", "1,234"), ("é", "[bold]not markup[/bold]")]


class Terminal(io.StringIO):
    """A stdout that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")


def test_without_a_terminal_the_table_is_plain_and_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    assert table(ROWS).split("\n") == [
        "transcript  /srv/a b/run.jsonl",
        "messages    1,234",
        "é           [bold]not markup[/bold]",
    ]


def test_long_values_are_never_cut_where_a_program_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert table([("a", "x" * 500)]) == "a  " + "x" * 500


def test_any_iterable_of_rows_will_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert table(row for row in ROWS) == table(ROWS)
    assert table([]) == ""


def test_a_terminal_gets_the_same_words_in_the_same_order(terminal: None) -> None:
    """Brackets are text and no markup; long values go on in the next line, none is lost."""
    drawn = table([*ROWS, ("long", "y" * 70)])
    assert "[bold]not markup[/bold]" in drawn
    assert drawn.count("y") == 70
    assert [drawn.index(name) for name, _ in ROWS] == sorted(drawn.index(name) for name, _ in ROWS)


def test_the_drawing_library_is_not_loaded_where_nobody_looks() -> None:
    code = "import sys; from memcli.ui.tables import table; table([('a', 'b')]); print('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"
