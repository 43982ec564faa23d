from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.deeds import Deed, deed_of, heredoc_text
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
    assert heredoc_text("make") == ""


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
