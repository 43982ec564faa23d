"""Reports of subagents: which files they changed, told surely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.reports import MAX_FILES, files_in, may_change
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


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Updated: `src/a.py`", ["modified src/a.py"]),
        ("1. Rewrote the file `src/a.py` wholly", ["modified src/a.py"]),
        ('Wrote a new file "src/a.py"', ["created src/a.py"]),
        ("I have deleted `src/a.py`", ["deleted src/a.py"]),
        ("Updated `src/a.py:12`", []),
        ("Updated `src/noending`", []),
        ("It updated `src/a.py`", []),
    ],
)
def test_past_deeds_name_their_file(line: str, found: list[str]) -> None:
    assert [" ".join(one) for one in files_in(line)] == found


def test_what_was_said_last_of_a_file_counts_and_each_stands_once() -> None:
    assert files_in("Created `src/a.py`\nCreated `src/b.py`\nDeleted `src/a.py`") == [
        ("deleted", "src/a.py"),
        ("created", "src/b.py"),
    ]


def test_a_list_ends_with_the_next_heading_or_paragraph_that_leads_elsewhere() -> None:
    assert files_in("Files modified:\n- src/a.py\n## Notes\n- src/b.py") == [("modified", "src/a.py")]
    assert files_in("Files modified:\n- src/a.py\nSee also these:\n- src/b.py") == [("modified", "src/a.py")]


def test_remarks_between_the_files_of_a_list_do_not_end_it() -> None:
    assert len(files_in("Files modified:\n- src/a.py\n  - why so:\n- src/b.py")) == 2


def test_files_of_one_report_are_bounded() -> None:
    assert len(files_in("Files modified:\n" + "".join(f"- src/a{n}.py\n" for n in range(90)))) == MAX_FILES


def test_a_subagent_that_failed_changed_nothing_we_know() -> None:
    failed = done("Task", {"prompt": "Fix the rounding."}, "Files changed:\n- src/tax.py", is_error=True)

    assert folded(failed).state.files.known == {}
