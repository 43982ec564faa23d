"""Reports of subagents: which files they changed, told surely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.reports import files_in, may_change
from tests.ledger.builders import done, edited, folded, place


@pytest.mark.parametrize(
    ("report", "files"),
    [
        ("All green. Summary of all changes made:\n\n**src/a.py** -- Wrapped it", ["modified src/a.py"]),
        (
            "**Files modified (2 total):**\n1. `/x/a.py` -- Added x\n2. `/x/b.py`",
            ["modified /x/a.py", "modified /x/b.py"],
        ),
        ("Files changed:\n- src/a.py (new)\n- src/b.py: deleted", ["created src/a.py", "deleted src/b.py"]),
        ("## Created files\n* `docs/a.md`\n\n## Left\n* `docs/b.md`", ["created docs/a.md"]),
        (
            "Here is what was done:\n\n**`src/a.py`:**\n- Added a check\n**`src/b.py`:**",
            ["modified src/a.py", "modified src/b.py"],
        ),
        ("I've created `docs/a.md` and ran it.", ["created docs/a.md"]),
        ("- Removed `src/a.py`", ["deleted src/a.py"]),
    ],
)
def test_what_a_report_announces_or_says_it_did_counts(report: str, files: list[str]) -> None:
    assert [" ".join(one) for one in files_in(report)] == files


@pytest.mark.parametrize(
    "report",
    [
        "**src/cart.py** holds the total",
        "Files that matter:\n- src/cart.py\n- src/tax.py",
        "Modified files in the diff:\n- src/cart.py",
        "Changes made:\n- src/cart.py:12 is too long",
        "Add `src/tax.py` and remove `src/old.py`",
        "Changes made:\n- cart.py and/or tax.py\n- go.mod/go.sum",
        "No files were changed:\n- src/cart.py",
    ],
)
def test_findings_and_proposals_are_no_changes(report: str) -> None:
    assert files_in(report) == []


@given(st.text(alphabet="Files changed:\n-*`./ab", max_size=120))
def test_no_report_is_too_odd(report: str) -> None:
    files_in(report)


def test_a_subagent_that_may_change_nothing_is_known_by_its_orders() -> None:
    assert not may_change("This is read-only research.")
    assert not may_change("Do NOT write, edit, or create any files.")
    assert may_change("Fix the rounding. Do not change how it is called.")


def test_files_a_subagent_changed_are_known_as_its_own() -> None:
    report = "Files changed:\n- src/tax.py\n- src/cart.py"
    known = folded(
        place(), edited("/home/dev/shop/src/cart.py"), done("Task", {"prompt": "Fix the rounding."}, report)
    ).state.files.written

    assert {path[15:]: (file.state, file.by) for path, file in known.items()} == {
        "src/tax.py": ("modified", "subagent"),
        "src/cart.py": ("modified", ""),
    }
    assert folded(done("Task", {"prompt": "Read-only: look."}, report)).state.files.written == {}
