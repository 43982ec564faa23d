"""Updates of a whole session: a recorded transcript grows again, and the suite's own server answers by its rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memcli.ledger.ledger import Ledger
from memcli.memory.document import Block, Document
from memcli.memory.fitting import rendered
from memcli.memory.jobs import Job, Source
from memcli.memory.prose import apply, edits_of, from_json, items, schema
from memcli.memory.sections import DEFAULT
from memcli.session import Triggers
from memcli.summarize.options import Options
from memcli.summarize.writing import Writing
from memcli.watch.replay import replay
from tests.memory.test_fitting import facts_held
from tests.messages_api import Server
from tests.messages_api.answers import Fixed
from tests.messages_api.edit import Edit, as_json
from tests.messages_api.tokens import text_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.memory.jobs import ProseEdit, Result

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded" / "claude-code-2.1.330-shelfmark.jsonl"
RULES = Triggers(write=True, min_update_tokens=1_500)
CACHED = Triggers(write=True, min_update_tokens=6_000, strategy="cached")


class Told:
    """Answers jobs with a model, and keeps what was asked, answered and said."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.writing = Writing(Options(backend="anthropic", base_url=server.url, dialect="anthropic"))
        self.jobs: list[tuple[Job, Result]] = []

    def answer(self, job: Job) -> Result:
        result = self.writing.answer(job)
        self.jobs.append((job, result))
        return result

    @property
    def edits(self) -> list[tuple[ProseEdit, ...]]:
        """The edits of each answer."""
        said = [json.loads(line)["answer"]["content"][-1]["text"] for line in self.server.log.lines()]
        return [from_json(text) for text in said]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A session of some twenty updates, each answered with edits and taken."""
    with pytest.MonkeyPatch.context() as patch, Server() as server:
        patch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
        told = Told(server)
        replay(RECORDED, tmp_path_factory.mktemp("session"), RULES, told.answer, finish=False)
        assert all(result.wrote for _, result in told.jobs)
        assert len(told.jobs) > 15
        return told


def test_a_block_that_no_edit_names_keeps_its_bytes(told: Told) -> None:
    alike = 0
    for (job, result), edits in zip(told.jobs, told.edits, strict=True):
        for section in set(job.prose) - {edit.section for edit in edits}:
            assert result.written[section] == job.prose[section]
            alike += 1
    assert alike > 10


def test_of_a_section_that_is_added_to_no_item_is_written_again(told: Told) -> None:
    """Items may go for want of room, whole; what stands is what stood, or was in the answer."""
    seen = 0
    for (job, result), edits in zip(told.jobs, told.edits, strict=True):
        for edit in edits:
            if edit.op == "append" and [one.section for one in edits].count(edit.section) == 1:
                stood = set(map(str.strip, items(job.prose[edit.section])))
                now = set(map(str.strip, items(result.written[edit.section])))
                assert len(now - stood) <= len(items(edit.text))
                seen += len(now & stood)
    assert seen > 10


def test_edits_cost_half_of_what_the_same_change_costs_as_whole_sections(told: Told) -> None:
    edited = rewritten = 0
    for (job, _), edits in zip(told.jobs, told.edits, strict=True):
        after = apply(job.prose, edits)
        if job.prose and after != job.prose:
            whole = _whole_sections(job.prose, after)
            assert apply(job.prose, edits_of(whole)) == after
            edited += text_tokens(json.dumps({"edits": [_plain(edit) for edit in edits]}, ensure_ascii=False))
            rewritten += text_tokens(whole)
    assert edited <= 0.5 * rewritten


def test_facts_do_not_decay_over_the_generations(told: Told) -> None:
    """Of the last ones as of the first: each holds the facts that its ledger alone would show."""
    for job, result in told.jobs[:3] + told.jobs[-6:]:
        ledger = Ledger.restore(job.ledger)
        alone, written = (
            Document(tuple(Block(*pair) for pair in one.blocks.items())) for one in (rendered(job, {}), result)
        )
        assert facts_held(ledger, alone, job.budget) <= facts_held(ledger, written, job.budget) != set()


def test_a_cached_update_may_speak_of_all_that_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
    names = ", ".join(f"`{name}_of_old`" for name in ("mill", "dam", "wheel", "race", "gate"))
    said = [
        ("user", f"Mind {names} first."),
        ("assistant", "I do."),
        ("user", "And now go on."),
        ("assistant", "Done."),
    ]
    lines = [json.dumps({"role": role, "content": text}).encode() + b"\n" for role, text in said]
    (tmp_path / "run.jsonl").write_bytes(b"".join(lines))
    source = Source(str(tmp_path / "run.jsonl"), "anthropic", len(lines[0] + lines[1]), sum(map(len, lines)))
    note = f"- The first part was about {names}."
    with Server(Fixed(as_json([Edit("Active Work", "append", note)], schema()))) as server:
        job = Job("1", 4_000, Ledger().snapshot(), write=True, strategy="cached", source=source)
        assert Told(server).answer(job).written == {"Active Work": note}


def test_what_became_of_the_cache_is_told_as_the_service_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, messages_api: Server
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
    told = Told(messages_api)
    replay(RECORDED, tmp_path, CACHED, told.answer)
    assert [result.failure for _, result in told.jobs] == [None] * len(told.jobs)
    notes = [json.loads(line)["cache"] for line in messages_api.log.lines()]
    assert [call.cache for _, result in told.jobs for call in result.calls] == notes
    assert notes.count("hit") == len(notes) - 1 > 3


def _whole_sections(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    changed = [section for section in DEFAULT.writable if after.get(section) != before.get(section)]
    return "\n\n".join([*(f"## {section}\n{after[section]}" for section in changed), "<!-- end -->"])


def _plain(edit: ProseEdit) -> dict[str, str]:
    return {"section": edit.section, "op": edit.op, "item": edit.item, "text": edit.text}
