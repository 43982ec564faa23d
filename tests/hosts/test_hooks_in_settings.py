"""Hooks go into a settings text and come out again; not one byte of the rest changes."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.hosts import jsonc
from memcli.hosts.hooks_in_settings import Edit, added, commands, removed, undone

HOOKS = {
    "SessionStart": {"type": "command", "command": "memcli hook session-start", "timeout": 10},
    "PreCompact": {"type": "command", "command": "memcli hook pre-compact", "timeout": 10},
}
OURS = {"SessionStart": ["memcli hook session-start"], "PreCompact": ["memcli hook pre-compact"]}

SETTINGS = {
    "empty": "",
    "blank": "\n\n",
    "only a remark": "// nothing yet\n",
    "an empty object": "{}",
    "on one line": '{"model": "opus", "env": {"A": "1"}}',
    "on lines": '{\n  "model": "opus"\n}\n',
    "four spaces, no end of line": '{\n    "model": "opus",\n    "permissions": {\n        "allow": []\n    }\n}',
    "tabs and CRLF": '{\r\n\t"model": "opus",\r\n\t"hooks": {\r\n\t}\r\n}\r\n',
    "a BOM": '\ufeff{\n  "model": "opus"\n}\n',
    "remarks": '// mine\n{ // open\n  "model": "opus", // why\n  /* "env": {} */\n}\n// end',
    "a comma too many": '{\n  "model": "opus",\n}\n',
    "minified": '{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"say done"}]}]},"model":"opus"}',
    "an empty table": '{"hooks": {}}',
    "empty lists": '{\n  "hooks": {\n    "SessionStart": [],\n    "PreCompact": [\n    ]\n  }\n}\n',
    "other hooks": '{\n  "hooks": {\n    "SessionStart": [\n      {\n        "matcher": "startup",\n        "hooks": [{"type": "command", "command": "date"}]\n      }\n    ],\n    "Stop": []\n  },\n  "model": "opus"\n}\n',
    "odd indents": '{\n "a":1\n   ,"hooks"\n :\n   {"PreCompact" : [ {"hooks": [ ] } ] , "X":[]\n}}',
    "a name with an escape": '{"h\\u006foks": {"Stop": []}, "\\ud83d\\ude00": "\\"}{"}',
    "hooks twice": '{"hooks": {"Stop": []}, "hooks": {"PreCompact": []}}',
}


def is_ours(command: str) -> bool:
    return command.startswith("memcli hook ")


def plain(text: str) -> object:
    """What a parser makes of a text once remarks and commas too many are gone; no string here looks like one."""
    bare = re.sub(r"//[^\n]*|/\*.*?\*/", "", text.lstrip("\ufeff"), flags=re.DOTALL)
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", bare)) if bare.strip() else {}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_what_was_put_in_comes_out_byte_for_byte(text: str) -> None:
    done = added(text, HOOKS)
    assert undone(done.text, done.edits) == text


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_the_hooks_stand_there_and_all_else_as_before(text: str) -> None:
    before, after = plain(text), plain(added(text, HOOKS).text)
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    hooks = before.get("hooks", {})
    ours = {event: [*hooks.get(event, []), {"hooks": [handler]}] for event, handler in HOOKS.items()}
    assert after == {**before, "hooks": {**hooks, **ours}}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_without_a_note_the_hooks_are_found_by_their_command(text: str) -> None:
    left = removed(added(text, HOOKS).text, is_ours)
    assert {event: listed for event, listed in commands(left).items() if listed} == {
        event: listed for event, listed in commands(text).items() if listed
    }


@pytest.mark.parametrize(
    "name", ["an empty object", "on one line", "on lines", "a BOM", "remarks", "other hooks", "minified"]
)
def test_where_no_container_was_empty_even_that_is_exact(name: str) -> None:
    assert removed(added(SETTINGS[name], HOOKS).text, is_ours) == SETTINGS[name]


def test_a_text_keeps_its_line_ends_and_indent() -> None:
    text = added(SETTINGS["tabs and CRLF"], HOOKS).text
    assert text.count("\n") == text.count("\r\n")
    assert '\r\n\t\t"SessionStart": [\r\n\t\t\t{' in text


def test_a_text_on_one_line_stays_on_one_line() -> None:
    assert "\n" not in added(SETTINGS["on one line"], HOOKS).text


def test_what_others_wrote_meanwhile_stays() -> None:
    done = added(SETTINGS["on lines"], HOOKS)
    changed = done.text.replace('"opus"', '"sonnet", "env": {}')
    assert undone(changed, done.edits) == SETTINGS["on lines"].replace('"opus"', '"sonnet", "env": {}')


def test_what_was_changed_itself_is_not_undone() -> None:
    done = added("{}", HOOKS)
    assert undone(done.text.replace("10", "20"), done.edits) is None


def test_a_handler_of_ours_among_others_goes_alone() -> None:
    text = '{"hooks": {"PreCompact": [{"hooks": [{"command": "a"}, {"command": "memcli hook x"}, {"command": "b"}]}]}}'
    assert commands(removed(text, is_ours)) == {"PreCompact": ["a", "b"]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "the settings are no object"),
        ('{"hooks": []}', '"hooks" is no object'),
        ('{"hooks": {"PreCompact": {}}}', '"PreCompact" is no array'),
        ('{\n"a": 1\n"b": 2}', "line 3 is no JSON"),
        ("{'a': 1}", "line 1 is no JSON"),
        ('{"a": 01}', "line 1 is no JSON"),
        ('{"a": "\n"}', "line 1 is no JSON"),
        ("{} {}", "line 1 is no JSON"),
        ("[" * 1000, "line 1 is no JSON"),
    ],
)
def test_what_cannot_be_understood_is_left_alone(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        added(text, HOOKS)


def test_of_a_name_that_stands_twice_the_last_counts() -> None:
    value = jsonc.read('{"a": 1, "a": "two"}')
    assert value is not None
    found = value.get("a")
    assert found is not None
    assert found.text == "two"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
handlers = st.fixed_dictionaries({"type": st.just("command"), "command": st.text(max_size=8)})
groups = st.fixed_dictionaries({"hooks": st.lists(handlers, max_size=2)})
tables = st.dictionaries(
    st.sampled_from(["SessionStart", "PreCompact", "Stop"]), st.lists(groups, max_size=2), max_size=3
)
settings = st.tuples(st.dictionaries(st.text(max_size=8), values, max_size=4), st.none() | tables).map(
    lambda both: {
        **{k: v for k, v in both[0].items() if k != "hooks"},
        **({} if both[1] is None else {"hooks": both[1]}),
    }
)


@st.composite
def written(draw: st.DrawFn) -> str:
    """Settings as somebody may have written them: any indent, line ends, blanks and remarks between the pieces."""
    indent = draw(st.none() | st.sampled_from([0, 1, 2, 4, "\t"]))
    text = json.dumps(draw(settings), indent=indent, ensure_ascii=draw(st.booleans()))
    blanks = draw(st.lists(st.sampled_from(["", " ", "\n", "\t", "/* { */", '// [ "\n']), min_size=1, max_size=5))
    pieces = re.findall(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^"{}\[\],:\s]+|\s+', text)
    text = "".join(piece + blanks[n % len(blanks)] for n, piece in enumerate(pieces))
    return draw(st.sampled_from(["", "\ufeff", "\n"])) + text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@given(written())
def test_any_settings_are_exact_again(text: str) -> None:
    done = added(text, HOOKS)
    assert undone(done.text, done.edits) == text
    assert {event: done_[-1:] for event, done_ in commands(done.text).items() if event in OURS} == OURS


@given(written())
def test_any_settings_lose_our_hooks_alone(text: str) -> None:
    left = removed(added(text, HOOKS).text, is_ours)
    kept = {event: listed for event, listed in commands(text).items() if listed}
    assert {event: listed for event, listed in commands(left).items() if listed} == kept


@pytest.mark.parametrize(("text", "before"), [("a x b", "a  b"), (" a x", " a "), ("a y", None), ("x a x", None)])
def test_what_was_inserted_and_has_moved_is_taken_out_where_it_stands_once(text: str, before: str | None) -> None:
    assert undone(text, [Edit(1, "x")]) == before
