"""`claude -p`, played by a script that prints what the real client prints: how it is called, and what is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from memcli.summarize.backends.claude import SYSTEM, call, is_one_shot
from memcli.summarize.backends.command import Command
from memcli.summarize.options import Options
from memcli.summarize.request import Failed, Request
from tests.summarize.scripts import REQUEST, executable

if TYPE_CHECKING:
    from pathlib import Path

RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": "It is mended.",
    "stop_reason": "end_turn",
    "total_cost_usd": 0.0125,
    "usage": {"input_tokens": 300, "cache_read_input_tokens": 20, "output_tokens": 50},
    "modelUsage": {"claude-haiku-5-5": {"outputTokens": 2}, "claude-sonnet-5-5": {"outputTokens": 50}},
}
PLAY = """
import json, os, sys
said = dict(argv=sys.argv[1:], stdin=sys.stdin.read(), env=dict(os.environ))
open(os.path.join(os.path.dirname(sys.argv[0]), "called"), "w").write(json.dumps(said))
print({output!r})
print("a warning about a model", file=sys.stderr)
sys.exit({code})
"""


def client(directory: Path, code: int = 0, **changes: Any) -> str:
    """A command line of a client that answers so."""
    return executable(directory, PLAY.format(output=json.dumps(RESULT | changes), code=code), "claude") + " -p"


def command(line: str, **options: Any) -> Command:
    return Command(Options(backend="command", command=line, **options))


def called(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "called").read_text(encoding="utf-8"))
    return found


def test_the_client_is_called_clean_and_told_the_system_prompt_apart(tmp_path: Path) -> None:
    command(client(tmp_path), model="claude-haiku-5-5").complete(REQUEST)
    found = called(tmp_path)

    assert found["argv"] == [
        "-p", "--tools", "", "--setting-sources", "", "--strict-mcp-config", "--no-session-persistence",
        "--output-format", "json", "--system-prompt", "Write well.", "--model", "claude-haiku-5-5",
    ]  # fmt: skip
    assert found["stdin"] == "The mill."
    wanted = {"MAX_THINKING_TOKENS": "0", "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "500", "CLAUDE_CODE_MAX_RETRIES": "2"}
    assert wanted.items() <= found["env"].items()


def test_what_the_user_wrote_stays(tmp_path: Path) -> None:
    line = client(tmp_path) + " --model=opus --tools Read --system-prompt 'Be brief.'"
    command(line, model="claude-haiku-5-5").complete(REQUEST)
    argv = called(tmp_path)["argv"]

    assert argv.count("--tools") == argv.count("--system-prompt") == 1
    assert "--model" not in argv
    assert called(tmp_path)["stdin"] == "Write well.\n\nThe mill."


def test_answer_usage_model_and_price_are_read(tmp_path: Path) -> None:
    reply = command(client(tmp_path)).complete(REQUEST)
    assert (reply.text, reply.model, reply.usage.cost) == ("It is mended.", "claude-sonnet-5-5", 0.0125)
    assert (reply.usage.input_tokens, reply.usage.cache_read_tokens, reply.usage.output_tokens) == (300, 20, 50)
    assert not reply.usage.estimated


def test_a_price_of_nothing_is_an_unknown_price(tmp_path: Path) -> None:
    assert command(client(tmp_path, total_cost_usd=0)).complete(REQUEST).usage.cost is None


@pytest.mark.parametrize(
    ("changes", "why", "permanent"),
    [
        ({"is_error": True, "api_error_status": 401, "result": "Invalid API key"}, "(401): Invalid API key", True),
        ({"is_error": True, "api_error_status": 529, "result": "Overloaded"}, "(529): Overloaded", False),
        ({"is_error": True, "subtype": "error_max_budget_usd", "result": None}, "error_max_budget_usd", True),
        ({"stop_reason": "max_tokens"}, "cut the answer off", False),
        ({"stop_reason": "refusal"}, "refused to answer", False),
        ({"result": " "}, "an empty answer", False),
    ],
)
def test_an_error_that_calls_itself_a_success_is_an_error(
    tmp_path: Path, changes: dict[str, Any], why: str, permanent: bool
) -> None:
    with pytest.raises(Failed) as caught:
        command(client(tmp_path, code=int("is_error" in changes), **changes)).complete(REQUEST)
    assert why in caught.value.failure.sentence
    assert caught.value.failure.permanent is permanent
    assert caught.value.usage
    assert caught.value.usage.output_tokens == 50


def test_a_call_that_reached_no_model_is_not_billed(tmp_path: Path) -> None:
    line = client(tmp_path, code=1, is_error=True, usage={"input_tokens": 0, "output_tokens": 0}, modelUsage={})
    with pytest.raises(Failed) as caught:
        command(line, model="haiku").complete(REQUEST)
    assert (caught.value.usage, caught.value.model) == (None, "haiku")


def test_a_client_that_prints_something_else_fails_with_its_last_word(tmp_path: Path) -> None:
    line = executable(tmp_path, "import sys; sys.exit('please log in')", "claude") + " -p"
    with pytest.raises(Failed, match="please log in"):
        command(line).complete(REQUEST)


def test_a_user_who_wants_text_gets_text(tmp_path: Path) -> None:
    line = executable(tmp_path, "print('It is mended.')", "claude") + " -p --output-format text"
    assert command(line).complete(REQUEST).text == "It is mended."


@pytest.mark.parametrize("line", ["claude -p", "/opt/bin/claude --print x", "npx -y @anthropic-ai/claude-code@2 -p"])
def test_the_client_is_known_by_its_name(line: str) -> None:
    assert is_one_shot(line.split())


@pytest.mark.parametrize("line", ["claude", "llm -p claude", "claude-wrapper -p", "ssh host claude.sh -p"])
def test_other_programs_are_not_taken_for_it(line: str) -> None:
    assert not is_one_shot(line.split())


def test_a_system_prompt_too_long_for_an_argument_goes_before_the_prompt() -> None:
    made = call(["claude", "-p"], Request("s" * 200_000, REQUEST.messages, 500), "")
    assert SYSTEM in made.argv
    assert made.stdin.startswith("sss")


def test_a_prompt_that_the_client_would_refuse_is_not_given_to_it() -> None:
    huge = Request("", ({"role": "user", "content": "x" * 10_000_001},), 500)
    with pytest.raises(Failed, match="at most 10,000,000 bytes"):
        call(["claude", "-p"], huge, "")
