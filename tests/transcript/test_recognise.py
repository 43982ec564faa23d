from __future__ import annotations

import json
from typing import Any

import pytest

from memcli.errors import NoMessages, NotATranscript
from memcli.transcript.recognise import recognise
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


def test_a_tool_decides_against_a_system_message() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {}}

    assert (
        recognise(jsonl({"role": "system", "content": "s"}, {"role": "assistant", "content": [block]})) == "anthropic"
    )


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
