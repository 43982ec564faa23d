"""What the server says, and by which rules."""

from __future__ import annotations

import json
import re

import pytest

from tests.messages_api.answers import Damaged, Fixed, Recorded, Reworded, echo, edits_in
from tests.messages_api.damage import INSTRUCTIONS, QUOTES
from tests.messages_api.edit import Edit, as_json
from tests.messages_api.material import PROSE, material
from tests.messages_api.reword import reworded, sentences
from tests.messages_api.schema import fits
from tests.server.asking import body

EDIT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["section", "op"],
    "properties": {
        "section": {"type": "string", "enum": list(PROSE)},
        "op": {"type": "string", "enum": ["replace", "append", "change", "drop"]},
        "item": {"type": "string"},
        "text": {"type": "string"},
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["analysis", "edits"],
    "properties": {"analysis": {"type": "string"}, "edits": {"type": "array", "items": {"$ref": "#/$defs/edit"}}},
    "$defs": {"edit": EDIT},
}
PROMPT = """Keep the memory of the session below, and be careful about each word in it.

# The memory
## Completed Work
- The lexer was fixed on the first day of work.
- The cache has been put in at the second part of it.

# New messages
[user 7f]
The importer drops the last row of every file. Please fix it. Do not touch the exporter for that.
[assistant 7f]
I just fixed the loop in `rows.py` so that it ends after the last row. The test fails with an error about `tail`.
The cache has been put in at the third part, and that is done. I looked at some other files there. All is done now.
[tool 7f] 40 lines of output were left out here
"""


def structured(*messages, schema=SCHEMA):
    return body(*messages or (PROMPT,), output_config={"format": {"type": "json_schema", "schema": schema}})


def edits(answer: str) -> list[Edit]:
    return [Edit(**edit) for edit in json.loads(answer)["edits"]]


@pytest.mark.parametrize(
    "label",
    ["[user 7f]", "<user>", "### user", "User:", '<message role="user">', "<user-7f>", "user (7f):", "== user 7f =="],
)
def test_a_speaker_is_known_by_a_line_of_whatever_form(label: str) -> None:
    assert material(body(f"Do it well.\n{label}\nfix the thing")).of("user")[-1] == "fix the thing"


def test_instructions_memory_and_messages_are_told_apart() -> None:
    found = material(body(PROMPT))
    assert list(found.memory) == ["Completed Work"]
    assert found.memory["Completed Work"][0].startswith("- The lexer")
    assert [len(found.of(role)) for role in ("user", "assistant", "tool")] == [2, 3, 1]


def test_what_resembles_a_speaker_inside_a_text_is_text() -> None:
    prompt = (
        "[7f user] one\n# A heading\n<task>\nassistant: two\n</task>\n[tool] three\n[7f assistant] four\n[/7f]\nfive"
    )
    found = material(body(prompt))
    assert found.of("user") == ["one", "# A heading", "<task>", "assistant: two", "</task>", "[tool] three"]
    assert found.of("assistant") == ["four"]


def test_where_tags_part_the_memory_the_last_part_may_be_changed() -> None:
    parts = "<facts>\n## Files\n- a.py\n</facts>\n<notes>\n## Active Work\n- the roof\n</notes>\n[7f user] go on"
    assert material(body(parts)).memory == {"Active Work": ["- the roof"]}


def test_messages_of_a_conversation_speak_for_themselves() -> None:
    found = material(body("make it so", ("assistant", "it is so"), "Now write the memory of all this."))
    assert found.said == (("user", "make it so"), ("assistant", "it is so"))


def test_a_section_whose_name_begins_like_a_speaker_is_no_speaker() -> None:
    found = material(
        body("go on", ("assistant", "gladly"), "Renew it.\n## User Intent\n- a roof\n## Active Work\n- the dam")
    )
    assert found.memory == {"User Intent": ["- a roof"], "Active Work": ["- the dam"]}
    assert found.said == (("user", "go on"), ("assistant", "gladly"))


def test_an_answer_that_was_not_taken_leaves_what_there_is_to_say() -> None:
    again = body(PROMPT, ("assistant", "nothing"), "That answer was not taken. Answer again.")
    assert material(again) == material(body(PROMPT))


def test_headings_of_a_written_summary_are_found_in_bold_and_never_in_code() -> None:
    found = edits_in("1. **Primary Request:**\n- a roof\n```\n## Current Work\n```\n2. Errors and fixes:\n- rain")
    assert [(edit.section, edit.text) for edit in found] == [
        ("User Intent", "- a roof\n```\n## Current Work\n```"),
        ("Errors & Corrections", "- rain"),
    ]


def test_rewording_swaps_and_shortens_but_leaves_names_alone() -> None:
    assert reworded("I just fixed the parser (as you said) in fix.py") == "I repaired the parser in fix.py"
    assert reworded("`update` is an update of update-all") == "`update` is an renew of update-all"
    assert len(reworded("word " * 50).split()) == 32


def test_sentences_are_whole_ones_outside_of_code() -> None:
    lines = ["- One two three four. Five six seven eight!", "short", "```", "code that is never a sentence", "```"]
    assert sentences(lines) == ["One two three four.", "Five six seven eight!"]


def test_an_answer_to_a_schema_fits_it_and_holds_edits() -> None:
    answer = Reworded()(structured())
    assert fits(json.loads(answer), SCHEMA)
    assert {edit.op for edit in edits(answer)} == {"replace", "change", "append"}


def test_users_sentences_go_to_intent_and_refusals_verbatim_to_corrections() -> None:
    said = {edit.section: edit.text for edit in edits(Reworded()(structured()))}
    assert "The user asked: The importer drops the last row of every file." in said["User Intent"]
    assert 'The user corrected: "Do not touch the exporter for that."' in said["Errors & Corrections"]


def test_an_item_that_begins_alike_is_changed_and_others_are_added() -> None:
    made = {edit.op: edit for edit in edits(Reworded()(structured())) if edit.section == "Completed Work"}
    assert made["append"].text == "- I repaired the loop in `rows.py` so that it ends after the last row."
    assert made["change"].item.startswith("The cache has been put in at")


def test_of_a_long_section_the_oldest_item_goes() -> None:
    items = "\n".join(f"- Item number {number} of the list" for number in range(13))
    dropped = [edit for edit in edits(Reworded()(structured(f"## Key References\n{items}"))) if edit.op == "drop"]
    assert [edit.item for edit in dropped] == ["Item number 0 of the list"]


def test_a_plain_answer_has_headings_what_stood_and_the_end_mark_it_was_asked_for() -> None:
    answer = Reworded()(body(PROMPT + "\nClose with <!-- end --> please."))
    assert "## Completed Work\n\n- The lexer was fixed on the first day of work." in answer
    assert answer.endswith("<!-- end -->")


def test_no_word_is_said_that_is_not_of_the_prompt_or_the_rules() -> None:
    swapped = " ".join(reworded(word) for word in PROMPT.split())
    known = set(re.findall(r"\w+", PROMPT + swapped + "The user asked: said: corrected:"))
    said = " ".join(edit.text for edit in edits(Reworded()(structured())))
    assert set(re.findall(r"\w+", said)) <= known


def test_a_damaged_answer_holds_false_quotes_and_instructions_and_drops_what_stood() -> None:
    made = edits(Damaged(3)(structured()))
    whole = "\n".join(edit.text for edit in made)
    assert any(quote in whole for quote in QUOTES)
    assert any(instruction in whole for instruction in INSTRUCTIONS)
    assert "## Pending Tasks" in whole
    assert [edit for edit in made if edit.op == "drop"]


def test_damage_depends_on_the_seed_and_the_request_alone() -> None:
    assert Damaged(1)(structured()) == Damaged(1)(structured())
    assert Damaged(1)(structured()) != Damaged(2)(structured())


def test_a_quarter_of_the_lines_is_lost_and_another_mangled() -> None:
    lines = [f"line {number} of `module_{number}.py` is not long" for number in range(400)]
    answer = Damaged(5, ["## Active Work\n" + "\n".join(lines)])(body())
    whole = sum(line in answer for line in lines)
    assert 160 <= whole <= 240
    assert 260 <= answer.count("line ") <= 340


def test_recorded_answers_come_in_order_and_the_last_one_stays() -> None:
    answers = Recorded(["one", "two"])
    assert [answers(body()) for _ in range(3)] == ["one", "two", "two"]


def test_a_recorded_summary_is_matched_to_sections_where_a_schema_is_asked_for() -> None:
    summary = "## Primary Request and Intent\nBuild it.\n3. Pending Tasks:\n- lost\n**Current Work:**\n- The roof.\n1. Fix the door"
    assert edits(Recorded([summary])(structured())) == [
        Edit("User Intent", "replace", "Build it."),
        Edit("Active Work", "replace", "- The roof.\n1. Fix the door"),
    ]


def test_recorded_json_is_said_as_it_stands() -> None:
    assert Recorded(['{"edits": []}'])(structured()) == '{"edits": []}'


def test_what_a_schema_has_no_word_for_is_not_said() -> None:
    said = as_json([Edit("Files", "replace", "x"), Edit("User Intent", "append", "y")], SCHEMA)
    assert [edit.section for edit in edits(said)] == ["User Intent"]


def test_a_schema_of_another_shape_gets_the_least_that_fits() -> None:
    other = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "ok": {"type": "boolean"},
            "kind": {"enum": ["a", "b"]},
            "list": {"type": "array"},
        },
    }
    assert json.loads(Reworded()(structured(schema=other))) == {"n": 0, "ok": False, "kind": "a", "list": []}


def test_echo_and_fixed_say_what_they_are_told() -> None:
    assert echo(body("a", ("assistant", "b"), "c")) == "c"
    assert Fixed("x")(body()) == "x"
