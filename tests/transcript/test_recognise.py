from __future__ import annotations

import json
from typing import Any

import pytest

from memcli.errors import NoMessages, NotATranscript
from memcli.transcript.recognise import Election, recognise
from tests.transcript.scripts import FIXTURES


def jsonl(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def refused(data: bytes) -> str:
    with pytest.raises(NotATranscript) as caught:
        recognise(data, "x y")
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("claude-code", "claude-code"),
        ("dirt-claude-code", "claude-code"),
        ("codex", "codex"),
        ("pi", "pi"),
        ("pi-v1", "pi"),
        ("anthropic", "anthropic"),
        ("anthropic-batch", "anthropic"),
        ("openai", "openai"),
        ("openai-batch", "openai"),
    ],
)
def test_a_session_is_known_by_its_records(file: str, name: str) -> None:
    assert recognise((FIXTURES / f"{file}.jsonl").read_bytes()) == name


def test_bare_texts_are_anthropic_messages() -> None:
    assert recognise(jsonl({"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"})) == "anthropic"


def test_one_system_message_makes_bare_texts_openai_messages() -> None:
    texts = [{"role": "user", "content": "hi"}] * 9

    assert recognise(jsonl({"role": "system", "content": "be kind"}, *texts)) == "openai"


@pytest.mark.parametrize("kind", ["tool_use", "tool_result", "thinking", "redacted_thinking"])
def test_a_block_of_anthropic_decides_against_a_system_message(kind: str) -> None:
    message = {"role": "assistant", "content": [{"type": kind, "id": "t", "name": "f", "input": {}}]}

    assert recognise(jsonl({"role": "system", "content": "s"}, message)) == "anthropic"


def test_a_last_line_without_lf_counts_if_the_file_has_ended() -> None:
    data = b'{"role":"user","content":"hi"}'

    assert recognise(data) == "anthropic"


def test_a_head_without_a_whole_line_decides_nothing() -> None:
    assert recognise(b'{"type":"user","mess', ended=False) == ""


def test_a_format_is_known_before_its_first_message() -> None:
    assert recognise(jsonl({"type": "file-history-snapshot"}), ended=False) == "claude-code"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\x00\x00\n"])
def test_an_empty_file_holds_no_messages(data: bytes) -> None:
    with pytest.raises(NoMessages, match="is empty"):
        recognise(data)


def test_a_first_record_that_is_being_written_is_no_error_of_form() -> None:
    with pytest.raises(NoMessages, match="no complete record yet"):
        recognise(b'{"type":"user","mess')


@pytest.mark.parametrize(
    "record",
    [
        {"type": "mode", "mode": "normal"},
        {"type": "user", "isSidechain": True, "message": {"role": "user", "content": "x"}},
        {"type": "session_meta", "payload": {"id": "a"}},
    ],
)
def test_bookkeeping_alone_holds_no_messages(record: Any) -> None:
    with pytest.raises(NoMessages, match="only bookkeeping"):
        recognise(jsonl(record))


def test_pretty_printed_json_is_named_and_unfolded() -> None:
    document = json.dumps({"messages": [{"role": "user", "content": "x"}]}, indent=2).encode()

    assert "pretty-printed JSON" in refused(document)
    assert "Try: jq -c '.messages[]' 'x y' > chat.jsonl" in refused(document)
    assert "jq -c '.[]' 'x y'" in refused(b'[\n  {"role": "user"}\n]')


def test_an_array_on_one_line_is_unfolded() -> None:
    assert "one JSON array" in refused(b'[{"role":"user","content":"x"}]')


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"trajectory": [], "history": [], "info": {}}, "SWE-agent"),
        ({"sessionId": "s", "projectHash": "h", "messages": []}, "Gemini CLI"),
        ({"messages": [{"role": "user", "content": "x"}], "response": {}}, "one model call"),
    ],
)
def test_known_documents_are_named(document: Any, words: str) -> None:
    assert words in refused(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a binary file"),
        (b"\x28\xb5\x2f\xfd\x00\x01", "compressed with zstd"),
        (b"\x1f\x8b\x08\x00", "compressed with gzip"),
        (b"dear diary\nnothing happened\n", "holds no JSON lines"),
        (b"1\n2\n", "holds no JSON lines"),
        (b'{"level":"info"}\n{"level":"warn"}\n', "of no transcript format known"),
        (b'{"type":["user"],"message":{}}\n', "of no transcript format known"),
    ],
)
def test_what_is_no_transcript_is_said_plainly(data: bytes, words: str) -> None:
    assert words in refused(data)


def test_commands_that_help_quote_the_name() -> None:
    assert "Try: zstd -d 'x y'" in refused(b"\x28\xb5\x2f\xfd")


USER = {"role": "user", "content": "hi"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f"}}]}


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"role": "assistant", "content": [{"type": "tool_use", "id": "t"}]}, "anthropic"),
        ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}, "anthropic"),
        ({"role": "assistant", "content": [{"type": "thinking", "thinking": ""}]}, "anthropic"),
        ({"role": "assistant", "content": [{"type": "redacted_thinking", "data": ""}]}, "anthropic"),
        (CALL, "openai"),
        ({"role": "tool", "tool_call_id": "c", "content": "x"}, "openai"),
        ({"role": "developer", "content": "x"}, "openai"),
        ({"type": "event_msg", "payload": {"type": "user_message", "message": "x"}}, "codex"),
        ({"type": "user", "message": {"role": "user", "content": "x"}}, "claude-code"),
        ({"type": "message", "message": {"role": "user", "content": "x"}}, "pi"),
    ],
)
def test_one_telling_record_outweighs_many_bare_texts_wherever_it_stands(record: Any, name: str) -> None:
    for place in (0, 150):
        records = [USER] * 199
        records[place] = record
        assert recognise(jsonl(*records)) == name


@pytest.mark.parametrize("wrap", [lambda *messages: {"messages": list(messages)}], ids=["conversation"])
def test_the_messages_of_a_conversation_vote_too(wrap: Any) -> None:
    assert recognise(jsonl(wrap(USER, CALL))) == "openai"
    assert recognise(jsonl(wrap(USER, None, "x"))) == "anthropic"


def test_what_stands_behind_two_hundred_records_does_not_vote() -> None:
    assert recognise(jsonl(*[USER] * 200, CALL)) == "anthropic"
    assert recognise(jsonl(*[USER] * 199, CALL)) == "openai"


@pytest.mark.parametrize("file", ["anthropic", "openai", "dirt-claude-code", "pi-v1"])
def test_a_growing_file_is_ahead_in_what_its_beginning_would_be_taken_for(file: str) -> None:
    data = (FIXTURES / f"{file}.jsonl").read_bytes()
    election = Election()

    for start in range(0, len(data), 97):
        ahead = election.add(data[start : start + 97])
        assert ahead == recognised(data[: start + 97])
    assert election.position == len(data)


def recognised(head: bytes) -> str:
    """The format of a beginning; none while only unreadable lines stand there."""
    try:
        return recognise(head, ended=False)
    except NotATranscript:
        return ""


def test_an_election_is_over_when_all_records_that_count_have_voted() -> None:
    election = Election()
    election.add(jsonl(*[USER] * 199))
    assert not election.over

    assert election.add(jsonl(USER, CALL)) == "anthropic"
    assert election.over
    assert election.add(jsonl(CALL)) == "anthropic"


def test_unreadable_lines_do_not_vote_but_end_the_search() -> None:
    assert recognise(b"garbage\n" * 199 + jsonl(CALL)) == "openai"
    with pytest.raises(NotATranscript):
        recognise(b"garbage\n" * 200 + jsonl(CALL))


def test_bookkeeping_of_a_long_file_may_come_before_its_first_message() -> None:
    assert recognise(jsonl(*[{"type": "mode"}] * 200)) == "claude-code"
    with pytest.raises(NoMessages):
        recognise(jsonl(*[{"type": "mode"}] * 199))


@pytest.mark.parametrize(
    ("record", "speaks"),
    [
        ({"type": "assistant", "message": {"role": "assistant", "content": "x"}}, True),
        ({"type": "response_item", "payload": {"type": "message", "role": "assistant"}}, True),
        ({"type": "response_item", "payload": {"type": "message", "role": "user"}}, True),
        ({"type": "response_item", "payload": {"type": "message", "role": "developer"}}, False),
        ({"type": "event_msg", "payload": {"type": "token_count"}}, False),
        ({"type": "event_msg", "payload": {"type": "user_message"}}, True),
        ({"type": "api-request-blob", "message": {"role": "user"}}, False),
        ({"type": "attachment", "attachment": {}}, False),
        ({"type": "session", "id": "s"}, False),
        ({"role": "tool", "content": "x"}, True),
        ({"role": "system", "content": "x"}, False),
    ],
)
def test_only_a_message_makes_a_file_a_conversation(record: Any, speaks: bool) -> None:
    if speaks:
        assert recognise(jsonl(record))
    else:
        with pytest.raises(NoMessages):
            recognise(jsonl(record))
        assert recognise(jsonl(record), ended=False)


@pytest.mark.parametrize(
    "text",
    [
        '{\n  "messages": [\n    {"role": "user", "content": "x"}\n  ]\n}\n',
        '[\n  {"role": "user", "content": "x"},\n  {"role": "user", "content": "y"}\n]\n',
        '[\n  [\n{"role": "user", "content": "x"}\n]]\n',
    ],
)
def test_an_unfolded_value_is_refused_though_lines_of_it_are_messages(text: str) -> None:
    assert "pretty-printed" in refused(text.encode())


@pytest.mark.parametrize("document", ['{\n  "level": 1\n}', '{\n "messages": 5\n}'])
def test_other_pretty_printed_json_is_unfolded_as_a_whole(document: str) -> None:
    assert "jq -c . 'x y'" in refused(document.encode())


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"trajectory": [], "history": []}, True),
        ({"trajectory": [], "info": {}}, True),
        ({"trajectory": []}, False),
        ({"history": [], "info": {}}, False),
        ({"sessionId": "s", "messages": []}, False),
    ],
)
def test_a_known_document_is_known_by_all_its_marks(document: Any, named: bool) -> None:
    assert ("one JSON document" in refused(json.dumps(document).encode())) == named


def test_a_document_is_one_record_and_no_more() -> None:
    assert recognise(jsonl({"messages": [USER], "response": {}}, {"messages": [USER], "response": {}})) == "anthropic"


def test_a_text_with_a_few_control_characters_is_no_binary_file() -> None:
    assert "holds no JSON lines" in refused(b"\x1b[31mred\x1b[0m\tand \x01 " + b"words " * 20)
    assert "binary" in refused(b"ab\x01\x02\x03" * 9)
    assert "binary" in refused(b"ab\xff\xfe\xfd" * 9)


def test_a_first_line_still_being_written_decides_nothing_however_long_it_is() -> None:
    assert recognise(b'{"role":"user","content":"' + b"x" * 9000, ended=False) == ""
    assert recognise(jsonl(USER) + b'{"role":"tool"', ended=False) == "anthropic"


def test_padding_before_the_first_record_is_no_sign_of_anything() -> None:
    assert recognise(b"\xef\xbb\xbf\x00\r\n" + jsonl(CALL)) == "openai"
