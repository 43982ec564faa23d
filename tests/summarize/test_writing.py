"""One update: what is asked, what is taken, what it may cost, and what is told of it when it fails."""

from __future__ import annotations

import json

import msgspec
import pytest

from memcli.memory.jobs import Failure, Job, ProseEdit, Result, Source, Usage
from memcli.memory.prose import END
from memcli.summarize import prices
from memcli.summarize.options import Options
from memcli.summarize.progress import heard
from memcli.summarize.request import Failed, Reply, Request
from memcli.summarize.writing import ATTEMPTS, Writing
from tests.builders import Script
from tests.session.driver import Driver

GOOD = "The wheel of the mill was made step by step, and step 1 is done."
MODEL = "claude-haiku-5-5"
BILLED = Usage(1000, output_tokens=100)


class Playing:
    """A backend that plays its part: texts to answer, or failures to raise."""

    name, model, structured, caches = "anthropic", MODEL, True, True

    def __init__(self, *parts: str | Exception, usage: Usage = BILLED) -> None:
        self.parts, self.usage = list(parts), usage
        self.asked: list[Request] = []

    def complete(self, request: Request) -> Reply:
        self.asked.append(request)
        part = self.parts.pop(0) if len(self.parts) > 1 else self.parts[0]
        if isinstance(part, Exception):
            raise part
        return Reply(part, self.model, self.usage, 7, "end_turn")


def edits(text: str = GOOD, section: str = "Active Work") -> str:
    return json.dumps({"edits": [{"section": section, "op": "replace", "item": "", "text": text}]})


@pytest.fixture
def job(tmp_path) -> Job:
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("anthropic").turn(0).turn(1).data)
    driver = Driver("anthropic")
    driver.hold = True
    made = driver.feed(path.read_bytes(), quiet=1.0).jobs[-1]
    return msgspec.structs.replace(
        made,
        write=True,
        source=Source(str(path), "anthropic", 0, path.stat().st_size),
        prose={"Active Work": "It began."},
    )


def answered(job: Job, playing: object, **options: object) -> Result:
    writing = Writing(Options(**options))
    writing.backend = playing
    return writing.answer(job)


def outcomes(result: Result) -> list[str]:
    return [call.outcome.split(":")[0] for call in result.calls]


def test_an_answer_that_passes_is_the_new_prose(job):
    result = answered(job, Playing(edits()))
    assert (result.wrote, result.failure, result.backend, result.model) == (True, None, "anthropic", MODEL)
    assert result.prose == {"Active Work": GOOD}
    assert outcomes(result) == ["accepted"]
    assert "step 1 of the plan" in result.blocks["User Intent"]


def test_an_answer_that_does_not_pass_is_asked_for_once_more_with_the_reason(job):
    playing = Playing("no json at all", edits())
    result = answered(job, playing)
    assert outcomes(result) == ["rejected", "accepted"]
    said = playing.asked[1].messages
    assert said[-2] == {"role": "assistant", "content": "no json at all"}
    assert result.calls[0].outcome.removeprefix("rejected: ") in said[-1]["content"]


@pytest.mark.parametrize("text", ["", "{", "null", '{"edits": 7}', "I cannot help with that.", edits("x" * 300_000)])
def test_an_answer_that_never_passes_leaves_prose_and_facts_and_says_why(job, text):
    playing = Playing(text)
    result = answered(job, playing)
    assert len(playing.asked) <= ATTEMPTS
    assert result.prose == job.prose
    assert "step 1 of the plan" in result.blocks["User Intent"]
    assert not result.wrote
    assert result.failure.sentence.startswith("the answer was not taken: ")
    assert result.failure.own


@pytest.mark.parametrize("usage", [None, Usage(900, output_tokens=3)])
def test_a_failure_is_asked_once_and_what_was_billed_is_told(job, usage):
    failed = Failed(Failure("no ink", permanent=True, retry_after=9.0), usage, MODEL)
    playing = Playing(failed)
    result = answered(job, playing)
    assert len(playing.asked) == 1
    assert (result.failure, result.backend, result.wrote) == (failed.failure, "embedded", False)
    assert outcomes(result) == ["failed"] * (usage is not None)


def test_a_fault_of_ours_is_a_failure_and_what_was_paid_before_it_is_told(job):
    result = answered(job, Playing("no json at all", ZeroDivisionError("of ours")))
    assert result.failure.sentence == "ZeroDivisionError: of ours"
    assert outcomes(result) == ["rejected"]
    assert result.prose == job.prose


def test_a_transcript_that_is_gone_is_a_failure_and_nobody_is_asked(job):
    playing = Playing(edits())
    gone = msgspec.structs.replace(job, source=Source("/no/such/file", "anthropic", 0, 9))
    assert answered(gone, playing).failure.sentence == "the transcript cannot be read: No such file or directory"
    assert playing.asked == []


def test_a_job_for_no_model_asks_none(job):
    playing = Playing(edits())
    assert not answered(msgspec.structs.replace(job, write=False), playing).wrote
    assert playing.asked == []


def test_where_nothing_is_new_nobody_is_asked(job):
    source = msgspec.structs.replace(job.source, start=job.source.end)
    playing = Playing(edits())
    result = answered(msgspec.structs.replace(job, source=source), playing)
    assert (playing.asked, result.prose, result.failure) == ([], job.prose, None)


def test_the_traditional_way_begins_from_nothing(job):
    playing = Playing(edits())
    answered(msgspec.structs.replace(job, strategy="traditional"), playing)
    assert "It began." not in playing.asked[0].text


def test_text_is_read_where_a_backend_knows_no_schema(job):
    playing = Playing(f"## Active Work\n{GOOD}\n{END}\n")
    playing.structured = False
    result = answered(job, playing)
    assert (playing.asked[0].schema, result.prose) == (None, {"Active Work": GOOD})


def test_the_cached_way_falls_back_where_there_is_no_cache_and_says_so(job):
    playing = Playing(edits())
    playing.caches = False
    result = answered(msgspec.structs.replace(job, strategy="cached"), playing)
    assert result.wrote
    assert result.notes[0] == "not cached: anthropic has no prompt cache"


# ------------------------------------------------------------------ money


def on_a_budget(job: Job, dollars: float, playing: Playing, **options: object) -> tuple[Result, list[float]]:
    """The result, and what the child said it may cost at most, each time."""
    told: list[float] = []
    with heard(lambda _, most: told.append(most) if most is not None else None):
        result = answered(msgspec.structs.replace(job, max_cost=dollars), playing, **options)
    return result, told


def test_what_it_may_cost_is_told_before_each_question_and_is_never_less_than_it_costs(job):
    result, told = on_a_budget(job, 1.0, Playing("no json at all", edits()))
    first, second = (call.cost for call in result.calls)
    assert len(told) == 2
    assert told[0] >= first
    assert told[1] >= first + second


@pytest.mark.parametrize("strategy", ["incremental", "cached"])
@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_no_prompt_is_billed_for_more_than_was_said_whatever_the_cache_does(job, strategy, ttl):
    """Every byte of it a token of its own kind, two bytes each, written to the cache."""
    playing = Playing(edits())
    wish = msgspec.structs.replace(job, strategy=strategy)
    _, told = on_a_budget(wish, 1.0, playing, cache_ttl=ttl)
    request = playing.asked[0]
    tokens = len(request.text.encode()) // 2
    kind = {"incremental": "input_tokens", "cached": f"cache_write_{ttl}_tokens"}[strategy]
    worst = Usage(**{kind: tokens}, output_tokens=request.max_tokens)
    assert told[0] == pytest.approx(prices.cost(MODEL, worst, prices_day()))


def prices_day():
    import datetime as dt

    return dt.datetime.now(dt.UTC).date()


def test_a_question_that_may_cost_too_much_is_not_asked(job):
    playing = Playing(edits())
    result, told = on_a_budget(job, 0.0001, playing)
    assert (playing.asked, told, result.calls) == ([], [], ())
    assert "and $0.0001 is left of the hourly budget" in result.failure.sentence
    assert not result.failure.permanent


def test_a_correction_that_is_not_in_the_budget_is_not_asked_for(job):
    enough = on_a_budget(job, 1.0, Playing(edits()))[1][0]
    playing = Playing("no json at all", edits(), usage=Usage(10_000, output_tokens=5000))
    result, _ = on_a_budget(job, enough, playing)
    assert len(playing.asked) == 1
    assert outcomes(result) == ["rejected"]
    assert "is left of the hourly budget" in result.failure.sentence


def test_without_a_known_price_no_budget_can_be_kept(job):
    playing = Playing(edits())
    playing.model = "claude-sphinx-9"
    result, _ = on_a_budget(job, 99.0, playing)
    assert playing.asked == []
    assert result.failure == Failure("no price is known for claude-sphinx-9, so no budget can be kept", permanent=True)


def test_an_unknown_price_is_none_and_not_nothing(job):
    playing = Playing(edits())
    playing.model = "claude-sphinx-9"
    assert [call.cost for call in answered(job, playing).calls] == [None]


# ------------------------------------------------------------------ a program that writes on its own


class Program:
    name, model = "program", "writes.py"

    def __init__(self, result: Result) -> None:
        self.result, self.asked = result, []

    def write(self, job: Job) -> Result:
        self.asked.append(job)
        return self.result


@pytest.mark.parametrize(
    "said",
    [
        {"edits": (ProseEdit("Active Work", "replace", GOOD),)},
        {"text": f"## Active Work\n{GOOD}\n{END}\n"},
    ],
)
def test_a_program_may_answer_edits_or_text(job, said):
    program = Program(Result(job.job, **said))
    result = answered(job, program)
    assert (result.wrote, result.prose) == (True, {"Active Work": GOOD})
    assert result.calls[0].usage.estimated
    (asked,) = program.asked
    assert asked.messages[0].text == "please do step 0 of the plan"
    assert asked.prompt
