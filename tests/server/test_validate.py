"""The server refuses what the real service refuses, with its sentences, and nothing else."""

from __future__ import annotations

import pytest

from tests.messages_api.house import ANTHROPIC, COMPATIBLE, KEY_ONLY, greet
from tests.messages_api.model import model_named
from tests.messages_api.refused import Refused
from tests.messages_api.thought import signature
from tests.server.asking import HOUR, MARK, TOOLS, body, call, refusal, result, text

OLD, SONNET, OPUS = "claude-haiku-4-5", "claude-sonnet-5-5", "claude-opus-5-5"
PNG = {"type": "base64", "media_type": "image/png", "data": "aGk="}
IMAGE = {"type": "image", "source": PNG}
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
CITED = text("a") | {"citations": [{"type": "char_location"}]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def schema(**fields: object) -> dict:
    return {"format": {"type": "json_schema", "schema": SCHEMA | fields}}


def images(count: int) -> tuple[str, list[dict]]:
    return "user", [IMAGE] * count


VALID = {
    "a string": body("hello"),
    "blocks": body(("user", [text("a"), text("b")])),
    "two of one role": body("a", "b", ("assistant", "c"), ("assistant", "d"), "e"),
    "an assistant that said nothing": body("a", ("assistant", ""), "b", ("assistant", []), "c"),
    "white space beside a text": body(("user", [text("a"), text(" ")])),
    "a call and its result": body("a", call("t1"), result("t1"), tools=TOOLS),
    "results over two messages": body("a", call("t1", "t2"), result("t1"), result("t2"), tools=TOOLS),
    "text behind results": body("a", call("t1"), ("user", [*result("t1")[1], text("b")]), tools=TOOLS),
    "a result without content": body(
        "a", call("t1"), ("user", [{"type": "tool_result", "tool_use_id": "t1"}]), tools=TOOLS
    ),
    "white space beside a call": body("a", ("assistant", [text("\n\n"), *call("t1")[1]]), result("t1"), tools=TOOLS),
    "an empty system": body(system=""),
    "a system of blocks": body(system=[text("a", MARK)]),
    "four marks": body(("user", [text("a", HOUR), text("b", HOUR), text("c", MARK)]), system=[text("s", HOUR)]),
    "a mark for the whole": body(cache_control=MARK),
    "low effort": body(output_config={"effort": "low"}),
    "a schema": body(output_config=schema()),
    "nothing wanted": body(max_tokens=0),
    "an image": body(images(1)),
    "a document": body(("user", [DOCUMENT])),
    "a system turn": body("a", ("system", "b"), model=OPUS),
    "a prefill of an older model": body("a", ("assistant", "{"), model=OLD),
    "a dated model": body(model="claude-haiku-4-5-20251001"),
    "thinking of an older model": body(model=OLD, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000),
}
INVALID = {
    "no list": ([], "not a valid JSON object"),
    "no model": (body(model=None), "model: Field required"),
    "no max_tokens": (body(max_tokens=None), "max_tokens: Field required"),
    "no messages": (body() | {"messages": []}, "at least one message is required"),
    "max_tokens below 0": (body(max_tokens=-1), "max_tokens: Input should be greater than or equal to 0"),
    "max_tokens too high": (body(max_tokens=128_001), "128001 > 128000, which is the maximum allowed number of output tokens"),
    "an unknown model": (body(model="gpt"), "model: gpt"),
    "an unknown field": (body(top="x"), "top: Extra inputs are not permitted"),
    "a role of its own": (body(("tool", "a")), "messages.0.role: Input should be"),
    "a field in a message": (body() | {"messages": [{"role": "user", "content": "a", "id": "1"}]}, "messages.0.id: Extra inputs"),
    "a field in a block": (body(("user", [text("a") | {"uuid": "1"}])), "messages.0.content.0.text.uuid: Extra inputs are not permitted"),
    "an unknown block": (body(("user", [{"type": "input_text", "text": "a"}])), "Input tag 'input_text' found using 'type'"),
    "half a surrogate pair": (body("a\ud800"), "no low surrogate in string"),
    "an assistant first": (body(("assistant", "a"), "b"), 'first message must use the "user" role'),
    "a prefill": (body("a", ("assistant", "{")), "does not support assistant message prefill. The conversation must end with a user message."),
    "a prefill that ends in space": (body("a", ("assistant", "b "), model=OLD), "final assistant content cannot end with trailing whitespace"),
    "an empty string": (body(""), "messages.0: user messages must have non-empty content"),
    "no blocks": (body(("user", [])), "messages.0: user messages must have non-empty content"),
    "only white space": (body("\n"), "messages: text content blocks must contain non-whitespace text"),
    "an assistant's white space": (body("a", ("assistant", [text(" ")]), "b"), "messages: text content blocks must contain non-whitespace text"),
    "an empty text": (body(("user", [text("a"), text("")])), "messages: text content blocks must be non-empty"),
    "an empty text in a result": (body("a", call("t1"), ("user", [{"type": "tool_result", "tool_use_id": "t1", "content": [text("")]}]), tools=TOOLS), "text content blocks must be non-empty"),
    "a mark on an empty text": (body(("user", [text("", MARK)])), "cache_control cannot be set for empty text blocks"),
    "an empty system block": (body(system=[text("")]), "system: text content blocks must be non-empty"),
    "a system of white space": (body(system="  "), "system: text content blocks must contain non-whitespace text"),
    "a call without result": (body("a", call("t1"), "b", tools=TOOLS), "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1. Each `tool_use` block must"),
    "one of two results": (body("a", call("t1", "t2"), result("t1"), tools=TOOLS), "without `tool_result` blocks immediately after: t2."),
    "a message between": (body("a", call("t1"), "b", ("assistant", "c"), result("t1"), tools=TOOLS), "immediately after: t1"),
    "text before results": (body("a", call("t1"), result("t1", first=text("b")), tools=TOOLS), "messages.2: Did not find 1 `tool_result` block(s) at the beginning of this message."),
    "text of an own message before": (body("a", call("t1"), "b", result("t1"), tools=TOOLS), "Did not find 1 `tool_result` block(s) at the beginning"),
    "a result without call": (body("a", ("assistant", "b"), result("t1"), tools=TOOLS), "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t1."),
    "a call id twice": (body("a", call("t1"), result("t1"), call("t1"), result("t1"), tools=TOOLS), "messages.3.content.0: `tool_use` ids must be unique"),
    "two results for one call": (body("a", call("t1"), result("t1", "t1"), tools=TOOLS), "each tool_use must have a single result"),
    "a bad call id": (body("a", call("t 1"), result("t 1"), tools=TOOLS), "String should match pattern"),
    "no tools": (body("a", call("t1"), result("t1")), "Requests which include tool_use or tool_result blocks must define tools."),
    "a call by the user": (body(("user", call("t1")[1])), "`tool_use` blocks can only be in `assistant` messages"),
    "an image of the assistant": (body("a", ("assistant", [IMAGE]), "b"), "`image` blocks are not permitted in assistant messages"),
    "a document of the assistant": (body("a", ("assistant", [DOCUMENT]), "b"), "`document` blocks are not permitted in assistant messages"),
    "citations of the user": (body(("user", [CITED])), "citations are not permitted in user messages"),
    "a bitmap": (body(("user", [{"type": "image", "source": PNG | {"media_type": "image/bmp"}}])), "media_type: Input should be 'image/jpeg'"),
    "too many images": (body(images(101), model=OLD), "too many images: 101 > 100"),
    "a system turn of a model without": (body("a", ("system", "b")), "does not support system messages"),
    "a system turn first": (body(("system", "b"), "a", model=OPUS), 'must use the "user" role'),
    "a system turn before a user": (body("a", ("system", "b"), "c", model=OPUS), "must follow a user message and be last or before assistant"),
    "five marks": (body(("user", [text(str(number), MARK) for number in range(5)])), "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    "five marks with that for the whole": (body(("user", [*(text(str(number), MARK) for number in range(4)), text("5")]), cache_control=MARK), "Found 5."),
    "the shorter first": (body(("user", [text("a", MARK), text("b", HOUR)])), "must not come after"),
    "two ttls on one block": (body(("user", [text("a", MARK)]), cache_control=HOUR), "differ in ttl"),
    "an unknown ttl": (body(("user", [text("a", MARK | {"ttl": "2h"})])), "Input should be '5m' or '1h'"),
    "a mark on a thought": (body("a", ("assistant", [{"type": "thinking", "thinking": "", "signature": "s", "cache_control": MARK}]), "b"), "thinking.cache_control: Extra inputs are not permitted"),
    "temperature": (body(temperature=1), "temperature: sampling parameters are not supported"),
    "top_p": (body(top_p=1, model=OLD), "top_p: sampling parameters"),
    "top_k": (body(top_k=1), "top_k: sampling parameters"),
    "an unknown output_config": (body(output_config={"style": "x"}), "output_config.style: Extra inputs are not permitted"),
    "an unknown effort": (body(output_config={"effort": "none"}), "output_config.effort: Input should be"),
    "an effort of an older model": (body(output_config={"effort": "low"}, model=OLD), "does not support the effort parameter"),
    "an open schema": (body(output_config=schema(additionalProperties=True)), "'additionalProperties' must be explicitly set to false"),
    "a schema with lengths": (body(output_config=schema(properties={"a": {"type": "string", "maxLength": 9}})), "property 'maxLength' is not supported"),
    "a budget for thinking": (body(thinking={"type": "enabled", "budget_tokens": 2000}), "'enabled' is not supported"),
    "no thinking": (body(thinking={"type": "disabled"}, model=SONNET), "'disabled' is not supported"),
    "adaptive thinking of an older model": (body(thinking={"type": "adaptive"}, model=OLD), "'adaptive' is not supported"),
    "a forced tool": (body(tools=TOOLS, tool_choice={"type": "any"}, model=SONNET), "forced tool use is not supported"),
    "a thought without signature": (body("a", ("assistant", [{"type": "thinking", "thinking": "x"}]), "b"), "thinking.signature: Field required"),
    "a thought of somebody else": (body("a", ("assistant", [{"type": "thinking", "thinking": "x", "signature": "abc"}]), "b"), "Invalid `signature` in `thinking` block"),
    "too long a prompt": (body("a" * 900_000, model=OLD), "prompt is too long: 225004 tokens > 200000 maximum"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALID)
def test_what_the_service_takes_is_valid(name: str) -> None:
    assert refusal(VALID[name]) == ""


@pytest.mark.parametrize("name", INVALID)
def test_what_the_service_refuses_is_refused_in_its_words(name: str) -> None:
    request, words = INVALID[name]
    assert words in refusal(request)


def thought(behind: str, words: str = "hm", signed: str = "hm") -> dict:
    """A conversation with a thinking block that was written behind a message."""
    sign = signature(body(behind), signed)
    return body("a", ("assistant", [{"type": "thinking", "thinking": words, "signature": sign}, text("b")]), "c")


def test_a_thought_may_return_to_its_own_conversation_only() -> None:
    assert refusal(thought("a")) == ""
    assert "The block is bound to a different conversation" in refusal(thought("another beginning"))


def test_models_that_do_not_bind_their_thoughts_take_them_anywhere() -> None:
    assert refusal(thought("another beginning") | {"model": "claude-sonnet-5"}) == ""


def test_a_thought_that_was_altered_is_told_from_one_that_was_moved() -> None:
    assert "cannot be modified" in refusal(thought("a", words="hm, no"))


@pytest.mark.parametrize("name", ["output_config", "thinking", "diagnostics", "cache_control", "service_tier"])
def test_a_compatible_server_refuses_the_parameters_of_the_real_one(name: str) -> None:
    assert refusal(body(**{name: {}}), COMPATIBLE) == f"{name}: Extra inputs are not permitted"


def test_a_compatible_server_takes_any_model_and_marks_on_blocks() -> None:
    assert refusal(body(("user", [text("a", MARK)]), model="qwen", temperature=0), COMPATIBLE) == ""


def test_some_servers_hold_fewer_rules() -> None:
    lax = COMPATIBLE._replace(first_user=False, needs_tools=False)
    assert refusal(body(("assistant", "a"), "b", call("t1"), result("t1")), lax) == ""


def greeting(house, **headers: str) -> int:
    """The status a caller is greeted with."""
    try:
        greet({name.replace("_", "-"): value for name, value in headers.items()}, house)
    except Refused as error:
        return error.status
    return 200


def test_the_service_wants_a_bearer_and_its_newest_version() -> None:
    now, old = "2026-10-21", "2023-06-01"
    assert greeting(ANTHROPIC, authorization="Bearer k", anthropic_version=now) == 200
    assert greeting(ANTHROPIC, authorization="Bearer k", anthropic_version=now, anthropic_beta="b") == 200
    assert greeting(ANTHROPIC, x_api_key="k", anthropic_version=now) == 401
    assert greeting(ANTHROPIC, authorization="Bearer k", anthropic_version=old) == 400
    assert greeting(ANTHROPIC, authorization="Bearer k") == 400


def test_some_gateways_read_x_api_key_and_know_the_old_version_only() -> None:
    assert greeting(KEY_ONLY, x_api_key="k", anthropic_version="2023-06-01") == 200
    assert greeting(KEY_ONLY, authorization="Bearer k", anthropic_version="2023-06-01") == 401
    assert greeting(KEY_ONLY, x_api_key="k", anthropic_version="2026-10-21") == 400


def test_a_compatible_server_takes_either_key_and_no_beta() -> None:
    assert greeting(COMPATIBLE, x_api_key="k") == greeting(COMPATIBLE, authorization="Bearer k") == 200
    assert greeting(COMPATIBLE, x_api_key="k", anthropic_beta="b") == 400
    assert greeting(COMPATIBLE._replace(key="other"), x_api_key="k") == 401


def test_a_model_nobody_knows_is_not_found_but_a_dated_name_is() -> None:
    assert model_named("claude-haiku-5-5-20261007", known_only=True).name == "claude-haiku-5-5"
    with pytest.raises(Refused) as caught:
        model_named("claude-haiku-5-5-turbo", known_only=True)
    assert caught.value.status == 404
