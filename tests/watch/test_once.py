"""One update without a daemon, with summarizers of every temper."""

from __future__ import annotations

import time

import pytest

from memcli.errors import NoMessages, NotATranscript
from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.watch.keeper import Keeper
from memcli.watch.once import read_to_end, update_once
from tests.builders import FORMATS, LIMITS, Script, session, session_file
from tests.commands.states import edit, grown, rested
from tests.e2e.swaps import memory_of
from tests.watch.programs import BABBLES, CRASHES, DIES_ONCE, FAILS, SPEAKS, program


@pytest.fixture
def keep(tmp_path):
    """A keeper of these bytes, closed with the test. The file has rested."""
    opened = []

    def start(data: bytes, triggers: Triggers = Triggers()) -> Keeper:  # noqa: B008 - frozen
        path = tmp_path / "run.jsonl"
        path.write_bytes(data)
        keeper = Keeper(Place.of(rested(path)), triggers)
        keeper.open("update", 0.0)
        opened.append(keeper)
        return keeper

    yield start
    for keeper in opened:
        keeper.close()


@pytest.mark.parametrize("format", FORMATS)
def test_the_first_update_covers_all_there_is(keep, format):
    keeper = keep(session(format))
    done = update_once(keeper)
    assert (done.generation.n, done.warnings) == (1, ())
    assert keeper.head.covered == len(session(format))


def test_an_update_of_what_is_current_asks_no_summarizer(keep, tmp_path):
    keeper = keep(session("pi"))
    update_once(keeper)
    done = update_once(keeper, program("note(sys.argv[1], 'asked')", tmp_path / "asked"))
    assert done == (None, ())
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("body", "reason"),
    [(CRASHES, "the summarizer ended"), (BABBLES, "the summarizer ended"), (FAILS, "no ink")],
    ids=["crashes", "babbles", "fails"],
)
def test_a_summarizer_that_fails_is_told_and_the_memory_made_without_it(keep, tmp_path, body, reason):
    keeper = keep(session("codex"))
    done = update_once(keeper, program(body))
    assert len(done.warnings) == 1
    assert reason in done.warnings[0]
    other = session_file(tmp_path / "other.jsonl", "codex")
    assert keeper.place.memory.read_text() == memory_of(other)


def test_a_summarizer_that_cannot_be_started_is_told_by_its_name(keep):
    done = update_once(keep(session("pi")), ["/no/such/program"])
    assert "cannot start /no/such/program" in done.warnings[0]
    assert done.generation.n == 1


def test_a_summarizer_that_dies_once_is_asked_again_and_nobody_is_bothered(keep, tmp_path):
    done = update_once(keep(session("pi")), program(DIES_ONCE, tmp_path / "died"))
    assert (done.generation.n, done.warnings) == (1, ())
    assert (tmp_path / "died").read_text() == "died\n"


def test_a_model_that_takes_longer_than_patience_is_waited_for_while_it_speaks(keep):
    keeper = keep(session("pi"), Triggers(write=True))

    def waited_for(seconds: float) -> bool:
        said: list[str] = []
        grown(keeper.place.transcript, "pi")
        done = update_once(keeper, program(SPEAKS, seconds), patience=seconds, progress=said.append)
        return (bool(done.generation), done.warnings, said) == (True, (), ["thinking"] * 20)

    assert any(map(waited_for, LIMITS))


def test_an_open_round_is_left_and_the_rest_covered(keep):
    script = Script("anthropic").turn(0)
    before = len(script.data)
    script.prompt("and now").call("Looking.", "ls")
    keeper = keep(script.data)
    update_once(keeper)
    assert keeper.head.covered == before


def test_where_nothing_can_be_covered_yet_nothing_is_made(keep):
    keeper = keep(Script("anthropic").prompt("mend the dam").data)
    assert update_once(keeper) == (None, ())
    assert keeper.head is None


def test_an_edit_of_the_markdown_is_reason_enough_for_an_update(keep):
    keeper = keep(session("pi"))
    update_once(keeper)
    edit(keeper.place.transcript, "User Intent", "- never push to main")
    assert update_once(keeper).generation.n == 2
    assert "never push to main" in keeper.place.memory.read_text()


@pytest.mark.parametrize(
    ("data", "error"), [(b"", NoMessages), (b"hello\n", NotATranscript), (b"{}\n", NotATranscript)]
)
def test_what_holds_no_conversation_is_refused_before_anybody_is_asked(keep, tmp_path, data, error):
    with pytest.raises(error):
        update_once(keep(data), program("note(sys.argv[1], 'asked')", tmp_path / "asked"))
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("just_written", [False, True])
def test_a_file_that_has_rested_counts_as_quiet_at_once(keep, just_written):
    """Then its end is a place to cut without any waiting; a client may still be at work on the other."""
    keeper, before = keep(session("pi")), time.monotonic()
    if just_written:
        keeper.place.transcript.touch()
    read_to_end(keeper)
    keeper.session.ask()
    assert bool(keeper.tick(before if just_written else time.monotonic(), 0.0)) != just_written
