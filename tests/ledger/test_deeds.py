from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.deeds import Deed, deed_of
from memcli.transcript.entries import ToolUse

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    [
        "command",
        "cmd",
        "file_path",
        "path",
        "content",
        "todos",
        "plan",
        "taskId",
        "questions",
        "prompt",
        "edits",
        "old_string",
        "new_string",
        "url",
    ]
)


def deed(given: dict[str, Any], name: str = "tool") -> Deed:
    return deed_of(ToolUse("c1", name, given), 7, "Let me see")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"command": "make"}, "shell"),
        ({"command": ["bash", "-lc", "make"]}, "shell"),
        ({"cmd": "make"}, "shell"),
        ({"command": "apply_patch <<'EOF'\n*** Begin Patch\n*** Delete File: a.py\n*** End Patch\nEOF"}, "patch"),
        ({"file_path": "a.py", "old_string": "a", "new_string": "b"}, "edit"),
        ({"path": "a.py", "edits": [{"oldText": "a", "newText": "b"}]}, "edit"),
        ({"command": "str_replace", "path": "a.py", "old_str": "a", "new_str": "b"}, "edit"),
        ({"file_path": "a.py", "content": "a"}, "write"),
        ({"command": "create", "path": "a.py", "file_text": "a"}, "write"),
        ({"command": "view", "path": "a.py"}, "read"),
        ({"file_path": "a.py", "limit": 5}, "read"),
        ({"pattern": "total", "path": "src"}, "look"),
        ({"url": "https://example.org"}, "look"),
        ({"todos": [{"content": "x"}]}, "todo"),
        ({"plan": [{"step": "x"}]}, "todo"),
        ({"taskId": "1", "status": "completed"}, "todo"),
        ({"plan": "First do this"}, "plan"),
        ({"questions": [{"question": "Which?"}]}, "question"),
        ({"prompt": "Look at the code", "description": "Look"}, "agent"),
        ({"session_id": 3, "chars": ""}, "stdin"),
        ({"id": "ENG-1"}, "other"),
        ({}, "other"),
    ],
)
def test_the_shape_of_the_input_tells_what_a_call_does(given: dict[str, Any], kind: str) -> None:
    assert deed(given).kind == kind


@given(st.dictionaries(_FIELDS, _JSON, max_size=4))
def test_no_input_is_too_odd(given: dict[str, Any]) -> None:
    deed(given)


def test_a_shell_call_states_its_own_purpose() -> None:
    assert deed({"command": "make", "description": "Build it"}).why == "Build it"


def test_without_a_stated_purpose_the_words_before_it_count() -> None:
    assert deed({"command": "make"}).why == "Let me see"


def test_an_edit_tells_the_names_it_adds_before_those_around_it() -> None:
    made = deed({"file_path": "a.py", "old_string": "old_name\n", "new_string": "old_name\nnew_name\n"})

    assert made.changes[0].names == ["new_name", "old_name"]


def test_a_patch_changes_each_file_it_names() -> None:
    patch = "*** Begin Patch\n*** Add File: a.py\n+def first_one(): ...\n*** Update File: b.py\n*** Move to: c.py\n+x\n*** End Patch"
    changes = deed({"input": patch}).changes

    assert [(one.path, one.state, one.source) for one in changes] == [
        ("a.py", "created", ""),
        ("b.py", "deleted", ""),
        ("c.py", "created", "b.py"),
    ]
    assert changes[0].names == ["first_one"]


def test_a_move_remembers_where_the_file_came_from() -> None:
    assert deed({"command": "git mv a.py b.py"}).changes[0].source == "a.py"


def test_a_here_document_is_what_the_command_writes() -> None:
    command = "cat > a.py <<'EOF'\ndef from_heredoc(): ...\nEOF\n"

    assert deed({"command": command}).changes[0].names == ["from_heredoc"]


def test_trying_the_same_again_has_the_same_key() -> None:
    assert deed({"command": "cd /x && make 2>&1"}).key == deed({"command": "make"}).key
    assert deed({"file_path": "a.py", "content": "1"}).key == deed({"file_path": "a.py", "content": "2"}).key
    assert deed({"id": "ENG-1"}).key != deed({"id": "ENG-2"}).key


def test_a_secret_in_a_command_is_not_kept() -> None:
    token = "gh" + "p_" + "aB3dE5gH7jK9" * 3

    assert token not in repr(deed({"command": f"curl -H 'Authorization: Bearer {token}' https://x.example"}))


def test_the_prompt_of_a_subagent_is_kept_as_remarks() -> None:
    made = deed({"description": "Review", "prompt": "Please review how total_price handles rounding in the cart."})

    assert made.remarks == ["Please review how total_price handles rounding in the cart."]


@pytest.mark.parametrize(
    ("given", "brief"),
    [
        ({"pattern": "total", "path": "src"}, "total ∈ src"),
        ({"pattern": "total", "glob": "*.py"}, "total ∈ *.py"),
        ({"query": "how to round"}, "how to round"),
        ({"url": "https://example.org/a"}, "https://example.org/a"),
        ({"prompt": "Please look at the rounding of the cart"}, "Please look at the rounding of the cart"),
        ({"prompt": "Look", "description": "Rounding"}, "Rounding"),
        ({"questions": [{"question": "Which?"}, "odd", {"question": "When?"}]}, "Which? When?"),
        ({"input": "*** Begin Patch\n*** Delete File: a.py\n*** Add File: b.py\n+x\n*** End Patch"}, "a.py, b.py"),
        ({"file_path": "a.py", "content": "x"}, "a.py"),
        ({"ids": ["ENG-1", 2], "note": "both"}, "ENG-1 both"),
    ],
)
def test_what_is_shown_of_a_call(given: dict[str, Any], brief: str) -> None:
    assert deed(given).brief == brief


def test_the_brief_is_one_line_of_bounded_length() -> None:
    brief = deed({"command": "make \\\n" + "one_target " * 90}).brief

    assert brief.startswith("make \\ one_target")
    assert brief.endswith("[…]")
    assert len(brief) <= 240


def test_a_long_way_to_the_directory_leaves_room_for_the_command() -> None:
    assert deed({"command": f"cd /home/dev/{'deep/' * 20} && make test"}).brief == "make test"
    assert deed({"command": "cd web && make test"}).brief == "cd web && make test"


def test_ids_that_fields_name_are_kept_and_bounded() -> None:
    assert deed({"task_id": "b1", "agentIds": ["a1", 7], "idea": "no", "grid": "no"}).items == ["b1", "a1", "7"]
    assert len(deed({"ids": [str(number) for number in range(20)]}).items) == 8


@pytest.mark.parametrize(("given", "stops"), [({"chars": "\x03"}, True), ({"chars": "y\n"}, False), ({}, False)])
def test_an_interrupt_that_is_typed_stops_the_session(given: dict[str, Any], stops: bool) -> None:
    made = deed({"session_id": 3} | given)

    assert (made.items, made.stops) == (["3"], stops)


@pytest.mark.parametrize(
    ("given", "state"), [({"content": "x"}, "written"), ({"command": "create", "file_text": "x"}, "created")]
)
def test_a_whole_text_says_whether_it_surely_made_the_file(given: dict[str, Any], state: str) -> None:
    assert [(one.path, one.state) for one in deed({"path": "a.py"} | given).changes] == [("a.py", state)]


def test_a_new_file_is_about_what_its_head_says_and_an_edited_one_is_not() -> None:
    text = "# Rounds the totals of the cart.\nx = 1\n"

    assert deed({"path": "a.py", "content": text}).changes[0].about == "Rounds the totals of the cart."
    assert deed({"path": "a.py", "old_string": "y", "new_string": text}).changes[0].about == ""


def test_several_edits_of_one_file_are_one_change_with_the_names_of_all() -> None:
    edits = [{"oldText": "a", "newText": "first_name"}, {"oldText": "b", "newText": "second_name"}, "odd"]

    (change,) = deed({"path": "a.py", "edits": edits}).changes
    assert (change.state, change.names) == ("modified", ["first_name", "second_name"])


def test_a_task_is_known_by_id_status_and_subject() -> None:
    assert deed({"taskId": 4, "status": "completed"}).items == ["4", "completed", ""]
    assert deed({"subject": "Round the total"}).items == ["", "", "Round the total"]


def test_reading_a_file_closes_no_failure_of_changing_it() -> None:
    assert deed({"path": "a.py"}).key != deed({"path": "a.py", "content": "x"}).key
    assert deed({"path": "a.py"}).reads == ["a.py"]


def test_a_subagent_that_may_change_nothing_only_looks() -> None:
    assert deed({"prompt": "Find the rounding. Do not edit any files."}).looks
    assert not deed({"prompt": "Fix the rounding."}).looks


def test_a_command_tells_its_commits_and_what_others_see() -> None:
    made = deed({"command": "git commit --amend -m 'Round later' && git push"})

    assert (made.subjects, made.amends, made.outward) == (["Round later"], True, ["git push"])
    assert not deed({"command": "git commit -m x"}).amends


def test_a_here_document_that_feeds_several_files_is_said_of_none() -> None:
    command = "cat > a.py <<'EOF'\ndef from_heredoc(): ...\nEOF\nrm b.py"

    assert [change.names for change in deed({"command": command}).changes] == [[], []]


def test_a_tool_that_is_named_with_control_characters_has_a_plain_name() -> None:
    assert deed({}, "Ba\x1b[31msh\n").tool == "Bash"


def test_texts_deep_inside_an_odd_input_are_left_out() -> None:
    deep: Any = "never shown"
    for _ in range(9):
        deep = [deep]

    assert deed({"x": deep, "y": {"z": "shown"}}).brief == "shown"


def test_a_piece_of_a_patch_that_names_no_file_is_passed_over() -> None:
    patch = "*** Begin Patch\n*** Add File: \n+x\n*** Delete File: a.py\n*** End Patch"

    assert [(one.path, one.state) for one in deed({"input": patch}).changes] == [("a.py", "deleted")]
