"""`memcli chat` as people and scripts use it: processes, a model on loopback, a terminal of our own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from tests.agent.talks import is_valid, prompt, talk
from tests.builders import MARK, eventually, session_file
from tests.cli.command import Ran, fails, memcli
from tests.cli.hints import of
from tests.cli.offers import said
from tests.cli.terminal import CTRL_D, Terminal, needs_a_terminal
from tests.messages_api import COMPATIBLE, KEY_ONLY, Server
from tests.messages_api.answers import Talking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.offers import Person


RULED = ("--backend", "embedded")
"""The memory is written without a model."""


def meet(patch: pytest.MonkeyPatch, server: Server) -> None:
    """Address and key are in the environment of every process."""
    patch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
    patch.setenv("MEMCLI_DIALECT", "anthropic")
    patch.setenv("ANTHROPIC_BASE_URL", server.url)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Somebody to chat with."""
    with Server(Talking()) as server:
        meet(monkeypatch, server)
        yield server


class Chatted(NamedTuple):
    """What a chat printed, and the directory it was in."""

    ran: Ran
    room: Path


@pytest.fixture(scope="module")
def chatted(tmp_path_factory: pytest.TempPathFactory) -> Chatted:
    """One chat for the tests that only look at it: its file was not named."""
    room = tmp_path_factory.mktemp("chatted")
    lines = "mend the dam", "and the sluice", "/etc/hosts is wrong", "say \x1b[2J\x07 please"
    with pytest.MonkeyPatch.context() as patch, Server(Talking()) as server:
        meet(patch, server)
        patch.setenv("HOME", str(room / "home"))
        return Chatted(memcli("chat", stdin="".join(f"{line}\n" for line in lines).encode(), cwd=room), room)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "talk.jsonl"


def say(path: Path, *lines: str, options: tuple[str, ...] = ()) -> Ran:
    """A chat whose stdin is these lines."""
    return memcli("chat", path, *options, stdin="".join(f"{line}\n" for line in lines).encode())


def long(number: int) -> str:
    return str(prompt(number, 1_500)["content"])


def begun(path: Path, turns: int = 1) -> None:
    """Some turns of a chat were before."""
    path.write_text("".join(json.dumps(message) + "\n" for message in talk(turns)))


def messages(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# ------------------------------------------------------------------ through pipes


def test_each_line_is_a_prompt_and_stdout_holds_the_answers_alone(chatted: Chatted) -> None:
    assert chatted.ran.code == 0
    assert chatted.ran.out.splitlines()[:2] == [
        "Answer 1: I read that 'mend the dam' is to be done, and it is.",
        "Answer 2: I read that 'and the sluice' is to be done, and it is.",
    ]
    assert len(chatted.ran.out.splitlines()) == 4


def test_without_a_name_the_file_gets_one_here(chatted: Chatted) -> None:
    (found,) = chatted.room.glob("*.jsonl")
    assert re.fullmatch(r"chat-\d{8}-\d{6}\.jsonl", found.name)
    assert [message["role"] for message in messages(found)] == ["user", "assistant"] * 4
    assert messages(found)[1]["usage"]["input_tokens"] > 0
    assert f"kept in {found.name}" in chatted.ran.err


def test_what_only_looks_like_a_command_is_said(chatted: Chatted) -> None:
    assert "'/etc/hosts is wrong'" in chatted.ran.out


def test_an_answer_cannot_command_the_terminal(chatted: Chatted) -> None:
    assert "say [2J please" in chatted.ran.out.replace("\\x1b", "").replace("\\x07", "")
    assert "\x1b" not in chatted.ran.out


def test_a_chat_goes_on_with_all_that_was_said(path: Path, model: Server) -> None:
    begun(path)
    ran = say(path, "and the sluice")
    assert "2 messages, " in ran.err
    assert ran.out.startswith("Answer 2: ")
    assert "step 0 of the plan" in str(model.log.last().body["messages"][0])


def test_quiet_says_nothing_but_the_answers(path: Path, model: Server) -> None:
    ran = say(path, "mend the dam", options=("-q",))
    assert (ran.out[:8], ran.err) == ("Answer 1", "")


@pytest.mark.parametrize("strategy", ["instant", "cached", "traditional"])
def test_at_the_limit_it_is_compacted_in_each_way_and_the_wait_is_told(
    path: Path, model: Server, strategy: str
) -> None:
    lines = [long(number) for number in range(8)]
    ran = say(path, *lines, options=("--context-limit", "4000", "--strategy", strategy))
    assert (ran.code, len(ran.out.splitlines())) == (0, 8), ran.err
    assert "the context is full: 4," in ran.err
    found = re.search(rf"{strategy}: (\d+) -> (\d+) messages, .* waited \d+(\.\d)? m?s", ran.err)
    assert found is not None, ran.err
    assert int(found[2]) < int(found[1])
    chats = [one.body for one in model.log.asked() if "system" not in one.body]
    assert MARK in str(chats[-1]["messages"][0])
    assert "please do step 0 of the plan" in str(chats[-1]["messages"])
    assert is_valid(chats[-1]["messages"])


def test_commands_show_the_memory_compact_and_leave(path: Path, model: Server) -> None:
    ran = say(
        path, long(0), long(1), "/compact traditional", "/memory", "/nothing", "/quit", "never said", options=RULED
    )
    assert "traditional: 4 -> " in ran.err
    assert "## User Intent" in ran.out
    assert "there is no /nothing; there are /compact" in ran.err
    assert "never said" not in path.read_text()


@of("commands/chat.py: _failed()")
@pytest.mark.parametrize(
    ("fault", "code", "why"),
    [
        ("401", 1, "answered 401"),
        ("404", 1, "answered 404"),
        ("413", 1, "answered 413"),
        ("529*3", 75, "answered 529"),
        ("mid-stream", 75, "broke off"),
        ("cut", 75, ""),
    ],
)
def test_a_server_that_fails_is_a_sentence_the_conversation_is_kept_and_what_is_offered_goes_on(
    path: Path, model: Server, person: Person, fault: str, code: int, why: str
) -> None:
    path.write_text("".join(json.dumps(message) + "\n" for message in talk(2)))
    model.script(fault)
    options = ("--backend", "embedded", "--strategy", "traditional", "--base-url", model.url)
    ran = person.types(path.parent, "chat", path, "-q", *options, stdin="and the sluice\nand the wheel\n")
    sentence, hint = said(ran.err)
    assert (ran.code, why in sentence) == (code, True), ran.err
    assert [message["role"] for message in messages(path)] == ["user", "assistant"] * 2 + ["user"]
    hint = hint.replace("=...", "=k").replace("NAME", "claude-haiku-5-5").replace(" URL", f" {model.url}")
    again = person.pastes(path.parent, hint, stdin="\n")
    assert (again.code, "'and the sluice'" in again.out) == (0, True), (hint, again)
    assert "traditional memory" in again.err
    assert ("the context is full" in again.err) == (fault == "413")


def test_who_comes_back_after_a_failure_is_answered_when_they_press_enter(path: Path, model: Server) -> None:
    path.write_text(json.dumps({"role": "user", "content": "and the sluice"}) + "\n")
    again = say(path, "")
    assert "the last prompt has no answer yet" in again.err
    assert "'and the sluice'" in again.out


def test_without_a_key_it_says_so_before_anything_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = memcli("chat", path)
    assert fails(ran)[0] == 2
    assert "export ANTHROPIC_API_KEY" in ran.err
    assert not path.exists()


@pytest.mark.parametrize("house", [COMPATIBLE, KEY_ONLY], ids=["bearer", "x-api-key"])
def test_any_server_that_speaks_the_messages_api_will_do(
    path: Path, monkeypatch: pytest.MonkeyPatch, house: Any
) -> None:
    monkeypatch.setenv("MEMCLI_API_VERSION", "2023-06-01")
    with Server(Talking(), house) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "of-the-house")
        header = "x-api-key" if house is KEY_ONLY else "bearer"
        wanted = ("--base-url", server.url, "--model", "miller-7b", "--auth-header", header)
        ran = say(path, "mend the dam", "/compact traditional", options=wanted)
        assert ran.out.startswith("Answer 1: ")
        assert {one.body["model"] for one in server.log.asked()} == {"miller-7b"}
        assert "cache_control" not in str([one.body for one in server.log.asked()])


def test_the_memory_may_be_written_by_another_model(path: Path, model: Server) -> None:
    wanted = ("--model", "claude-sonnet-5-5", "--memory-model", "claude-haiku-5-5")
    say(path, long(0), long(1), "/compact traditional", options=wanted)
    asked = [(one.body["model"], "system" in one.body) for one in model.log.asked()]
    assert set(asked) == {("claude-sonnet-5-5", False), ("claude-haiku-5-5", True)}


def test_the_next_question_reads_the_prompt_cache(path: Path, model: Server) -> None:
    say(path, *[long(number) for number in range(4)], options=RULED)
    chats = [one for one in model.log.asked() if "system" not in one.body]
    assert "read" in chats[-1].cache or chats[-1].answer["usage"]["cache_read_input_tokens"] > 0


def test_a_transcript_of_another_format_is_not_written_into(path: Path, model: Server) -> None:
    session_file(path)
    before = path.read_bytes()
    ran = memcli("chat", path)
    assert fails(ran)[0] == 1
    assert "--to messages" in ran.err
    assert path.read_bytes() == before


# ------------------------------------------------------------------ in a terminal


def quits(chat: Terminal) -> int:
    """Press Ctrl-D where it asks: before, the terminal would not take it for one. The exit code."""
    assert chat.shows(r"(?:\n|\x1b\[\?2004h)> ")
    return chat.end(CTRL_D)


@pytest.fixture
def terminal(path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts chats on the transcript."""
    started = []

    def start(*options: object) -> Terminal:
        started.append(Terminal("chat", path, *options))
        assert started[-1].shows("> ")
        return started[-1]

    yield start
    for chat in started:
        chat.leave()


@needs_a_terminal
def test_ctrl_c_stops_an_answer_what_was_said_is_kept_and_ctrl_d_leaves(
    path: Path, model: Server, terminal: Callable[..., Terminal]
) -> None:
    model.script("stall")
    chat = terminal()
    chat.press("mend the dam\r")
    assert chat.shows("Answer 1: ")
    assert chat.interrupt("stopped")
    assert chat.shows("> ")
    kept = messages(path)[1]["content"][0]["text"]
    assert "Answer 1: I read".startswith(kept[:8])
    assert len(kept) < len("Answer 1: I read that 'mend the dam' is to be done, and it is.")
    chat.press("and the sluice\r")
    assert chat.shows("Answer 2: I read that 'and the sluice' is to be done")
    assert chat.shows("> ")
    assert chat.interrupt("Ctrl-D leaves")
    assert quits(chat) == 0
    assert "Traceback" not in chat.drawn


@needs_a_terminal
def test_after_a_failure_enter_asks_again(path: Path, model: Server, terminal: Callable[..., Terminal]) -> None:
    model.script("529*3")
    chat = terminal(*RULED)
    chat.press("mend the dam\r")
    assert chat.shows(r"Error: .* answered 529")
    assert chat.shows("Try: press Enter to ask again")
    assert chat.shows("> ")
    chat.press("\r")
    assert chat.shows("Answer 1: ")
    assert quits(chat) == 0
    assert len(messages(path)) == 2


@needs_a_terminal
def test_ctrl_c_stops_a_compaction_and_changes_nothing(
    path: Path, model: Server, terminal: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(path, 4)
    before = path.read_bytes()
    monkeypatch.setenv("MEMCLI_COMMAND", "sleep 600")  # who writes the memory
    chat = terminal("--strategy", "traditional")
    chat.press("/compact\r")
    assert chat.shows(r"compacting, traditional ... [1-9]")
    assert chat.interrupt("nothing was changed")
    assert quits(chat) == 0
    assert path.read_bytes() == before


@needs_a_terminal
def test_a_memory_that_is_ready_is_swapped_in_before_the_next_answer(
    path: Path, model: Server, terminal: Callable[..., Terminal]
) -> None:
    chat = terminal("--context-limit", "3000")
    for number in range(5):
        chat.press(long(number) + "\r")
        assert chat.shows(r"\d of 3,000 tokens, \$0\.0")
        assert chat.shows("> ")
        if number == 4:
            assert eventually(lambda: Store(Place.of(path)).head() is not None)
    chat.press(long(5) + "\r")
    assert chat.shows("the context is full")
    assert chat.shows(r"instant: \d+ -> \d messages")
    assert chat.shows(r"\d of 3,000 tokens")
    assert quits(chat) == 0
