"""One update with a model: from a job to its result.

    the transcript's range ─► messages ─► a question ─► the backend ─► edits ─► the guard ─► prose ─► fitted

A model that fails is no error: the result then holds fresh facts and the prose as it stood, and says why nobody wrote.
An answer that the guard does not take is asked for once more, with the reason; after that the prose stays as it was.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from memcli.errors import Usage as BadUsage
from memcli.ledger.ledger import Ledger
from memcli.memory.fitting import fitted, rendered
from memcli.memory.guard import guard
from memcli.memory.jobs import Call, Failure, Job, Message, ProseEdit, Result, Usage
from memcli.memory.prose import Unreadable, edits_of, from_json
from memcli.memory.sections import Sections
from memcli.memory.seen import seen
from memcli.summarize import cached, conversation, prices
from memcli.summarize.backends.choose import choose
from memcli.summarize.chunks import CHUNK_TOKENS, PROMPT_TOKENS, chunks, tokens_at_most
from memcli.summarize.faults import one_line
from memcli.summarize.progress import say
from memcli.summarize.prompt import Prompts, correction, new_mark, request_of
from memcli.summarize.request import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memcli.summarize.options import Options
    from memcli.summarize.request import Backend, Request, Writer

BYTES_PER_TOKEN = 2
ATTEMPTS = 2
"""An answer, and one more if the first was not taken."""
LEAST_TOKENS = 10_000
"""Of conversation in one question, however large the memory is beside it."""


class Writing:
    """Answers jobs, several at a time. Raises Usage for options that cannot work."""

    def __init__(self, options: Options) -> None:
        self.backend = choose(options)
        self.prompts = Prompts(_own_prompt(options.prompt_file))
        self.ttl = options.cache_ttl
        self.hits = cached.Hits(options.cache_ttl)

    def answer(self, job: Job) -> Result:
        """The result of one job; never without the blocks of a whole memory."""
        if not job.write or job.source is None or self.backend is None:
            return rendered(job)
        update = _Update(job, self, self.backend)
        try:
            prose = update.written()
        except Failed as failed:
            return update.result(rendered(job), failed.failure)
        except OSError as error:
            return update.result(rendered(job), Failure(f"the transcript cannot be read: {error.strerror}", own=True))
        except Exception as error:  # noqa: BLE001  # a fault of ours: what was paid until then must be told all the same
            return update.result(rendered(job), Failure(one_line(f"{type(error).__name__}: {error}"), own=True))
        return update.result(msgspec.structs.replace(rendered(job, prose), written=prose), None)


class _Answer(NamedTuple):
    """What came back: the edits, or why they cannot be read; `text` is the answer as it was."""

    edits: tuple[ProseEdit, ...]
    text: str
    call: Call
    unreadable: str = ""


class _Update:
    """One job on its way: what is shown of it, what was asked, what it cost."""

    def __init__(self, job: Job, writing: Writing, backend: Backend | Writer) -> None:
        assert job.source is not None
        self._job, self._source = job, job.source
        self._writing, self._backend = writing, backend
        self._sections = Sections(job.sections)
        self._facts = fitted(Ledger.restore(job.ledger), job.budget, job.pins, job.opaque, {}, self._sections)
        self._calls: list[Call] = []
        self._notes: list[str] = []

    def written(self) -> dict[str, str]:
        """The prose that the model's answers lead to. Raises Failed, OSError."""
        if self._job.strategy == "cached":
            return self._cached()
        prose = {} if self._job.strategy == "traditional" else self._job.prose
        beside = tokens_at_most(self._question(prose, ()).text)
        room = max(LEAST_TOKENS, min(CHUNK_TOKENS, PROMPT_TOKENS - beside))
        pieces, omitted = chunks(conversation.read(self._source), tokens=room)
        if omitted:
            self._notes.append(f"{omitted} older messages were not shown: their facts are in the ledger")
        for number, piece in enumerate(pieces, 1):
            say(f"asking {self._backend.model or self._backend.name}, part {number} of {len(pieces)}")
            prose = self._accepted(prose, piece, self._question(prose, piece))
        return prose

    def result(self, base: Result, failure: Failure | None) -> Result:
        """What is told of the update: `base` holds the memory."""
        return msgspec.structs.replace(
            base,
            backend=self._backend.name if failure is None else base.backend,
            model=self._calls[-1].model if self._calls else self._backend.model,
            wrote=failure is None,
            failure=failure,
            calls=tuple(self._calls),
            notes=tuple(self._notes),
        )

    # ------------------------------------------------------------------ questions

    @property
    def _structured(self) -> bool:
        return getattr(self._backend, "structured", False)

    def _question(self, prose: Mapping[str, str], shown: Sequence[Message]) -> Request:
        return self._writing.prompts.question(
            self._job, shown, prose, self._facts, new_mark(), structured=self._structured
        )

    def _cached(self) -> dict[str, str]:
        """The whole conversation as real messages; in the incremental way where that cannot be, and saying so."""
        job = self._job
        whole = conversation.read(msgspec.structs.replace(self._source, start=0))
        new = sum(message.offset >= self._source.start for message in whole)
        mark = cached.lasting_mark(self._source.path)
        instruction = self._writing.prompts.instruction(
            job, new, job.prose, self._facts, mark, structured=self._structured
        )
        messages = cached.as_messages(whole, self._source.start, self._writing.ttl, mark, instruction)
        request = request_of(messages, job, structured=self._structured)
        why = ""
        if not getattr(self._backend, "caches", False):
            why = f"{self._backend.name} has no prompt cache"
        elif self._too_long(request):
            why = f"the conversation is longer than {PROMPT_TOKENS:,} tokens"
        if why:
            self._notes.append(f"not cached: {why}")
            self._job = msgspec.structs.replace(job, strategy="incremental")
            return self.written()
        say(f"asking {self._backend.model}, the conversation cached")
        blocks, began = len(whole), cached.now()
        try:
            return self._accepted(job.prose, whole, request)
        finally:
            for place, call in enumerate(self._calls):
                outcome = self._writing.hits.outcome(self._source, call.usage, blocks, began)
                self._calls[place] = msgspec.structs.replace(call, cache=outcome)

    def _too_long(self, request: Request) -> bool:
        """True if a prompt has too many tokens: by an estimate that never lies below, else counted by the service."""
        if tokens_at_most(request.text) <= PROMPT_TOKENS:
            return False
        return self._backend.count(request) > PROMPT_TOKENS  # type: ignore[union-attr]  # only a Backend caches

    # ------------------------------------------------------------------ answers

    def _accepted(self, prose: Mapping[str, str], shown: Sequence[Message], request: Request) -> dict[str, str]:
        """The prose after an answer that the guard took. Raises Failed if none of `ATTEMPTS` was."""
        reason = ""
        for _ in range(ATTEMPTS):
            self._afford(request)
            answer = self._ask(request, shown)
            reason = answer.unreadable
            if not reason:
                # Only now: a hundred jobs may wait for their answers, and none needs to hold what it is judged by.
                known = seen(shown, prose, self._facts, Ledger.restore(self._job.ledger))
                verdict = guard(prose, answer.edits, known, self._job.budget, self._sections)
                self._notes += verdict.notes
                reason = verdict.rejected
                if not reason:
                    self._calls.append(answer.call)
                    return verdict.prose
            self._calls.append(msgspec.structs.replace(answer.call, outcome=f"rejected: {reason}"))
            request = _corrected(request, answer.text, reason)
        raise Failed(Failure(f"the answer was not taken: {reason}", own=True))

    def _afford(self, request: Request) -> None:
        """Raises Failed if the question could cost more than is left."""
        limit = self._job.max_cost
        if limit is None:
            return
        cost = prices.cost(self._backend.model, self._most(request), _today())
        if cost is None:
            name = self._backend.model or self._backend.name
            raise Failed(Failure(f"no price is known for {name}, so no budget can be kept", permanent=True))
        most = cost + sum(call.cost or 0.0 for call in self._calls)
        if most > limit:
            short = f"an update may cost ${most:.4f}, and ${limit:.4f} is left of the hourly budget"
            raise Failed(Failure(short, own=True))
        say(f"it may cost ${most:.4f}", most)

    def _most(self, request: Request) -> Usage:
        """What a question can be billed for at most: no text has more tokens than half its bytes (but random ones)."""
        tokens = len(request.text.encode("utf-8", "replace")) // BYTES_PER_TOKEN
        if self._job.strategy != "cached":
            return Usage(input_tokens=tokens, output_tokens=request.max_tokens)
        if self._writing.ttl == "1h":
            return Usage(cache_write_1h_tokens=tokens, output_tokens=request.max_tokens)
        return Usage(cache_write_5m_tokens=tokens, output_tokens=request.max_tokens)

    def _ask(self, request: Request, shown: Sequence[Message]) -> _Answer:
        """One answer. Raises Failed; what was billed all the same is noted."""
        try:
            write = getattr(self._backend, "write", None)
            return self._written_by(write, request, shown) if write else self._completed(request)
        except Failed as failed:
            if failed.usage is not None:
                outcome = f"failed: {failed.failure.sentence}"
                self._calls.append(self._call(failed.usage, failed.model, 0, outcome))
            raise

    def _completed(self, request: Request) -> _Answer:
        reply = self._backend.complete(request)  # type: ignore[union-attr]  # told apart by `write`
        call = self._call(reply.usage, reply.model, reply.milliseconds)
        try:
            edits = from_json(reply.text) if request.schema is not None else edits_of(reply.text, self._sections)
        except Unreadable as error:
            return _Answer((), reply.text, call, str(error))
        return _Answer(edits, reply.text, call)

    def _written_by(self, write: Any, request: Request, shown: Sequence[Message]) -> _Answer:
        """The same of a program that speaks the protocol."""
        began = cached.now()
        result: Result = write(msgspec.structs.replace(self._job, prompt=request.text, messages=tuple(shown)))
        spent = round((cached.now() - began) * 1000)
        call = self._call(result.usage or Usage(estimated=True), result.model, spent)
        if result.edits:
            return _Answer(result.edits, msgspec.json.encode(result.edits).decode(), call)
        try:
            return _Answer(edits_of(result.text, self._sections), result.text, call)
        except Unreadable as error:
            return _Answer((), result.text, call, str(error))

    def _call(self, usage: Usage, model: str, milliseconds: int, outcome: str = "accepted") -> Call:
        model = model or self._backend.model
        cost = prices.cost(model, usage, _today())
        return Call(self._backend.name, model, usage, milliseconds, cost, prices.PRICED, outcome)


def _corrected(request: Request, text: str, reason: str) -> Request:
    """The same question with the answer that was not taken, and why."""
    said = (
        {"role": "assistant", "content": text.strip() or "(nothing)"},
        {"role": "user", "content": correction(reason)},
    )
    return msgspec.structs.replace(request, messages=(*request.messages, *said))


def _own_prompt(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise BadUsage(f"the prompt file {path} cannot be read: {reason}", f"ls -l {path}") from error


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
