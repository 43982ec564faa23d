"""From a memory that is ready to a head that can be committed: the message made, the tail proved.

The default tail is encoded here once, in the background, so that the swap need not think: whether it may be copied as
it is, and how many conversation messages it holds that the memory covers already (`covered` of the mark). That number
is counted with the reader that will read the swapped transcript, so both always agree. Every other tail that has to be
written anew is counted when it is written: what a tail begins with may change how its records are written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from memcli import head as heads
from memcli import unseen
from memcli.memory import message
from memcli.transcript import encode, formats
from memcli.transcript.encode import common
from memcli.transcript.lines import LineBuffer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from memcli.effects import Publication, Seen
    from memcli.transcript.encode.common import Out, Pieces

_CONTEXT_BYTES = 1024 * 1024

_PROVED_BYTES = 16 * 1024 * 1024
"""More than this that came at once, or while a round is open, is not proved to be clean before the next memory."""


class Signed(NamedTuple):
    """What a generation is called: its id, and the digest that proves it ours ("" signs nothing)."""

    generation: str
    digest: str
    source: str = ""
    """Where the full transcript lies, told to the model that continues; "" for a stream."""
    edit_key: str = ""
    """What signs an edit of it by the user (`lineage.Keys.edit_key`)."""


def make_head(publication: Publication, format: str, signed: Signed, transcript: BinaryIO, made: float) -> heads.Head:
    """The head of a publication over an open transcript; its fields about session-memory.md are left to the store."""
    envelope = _envelope(publication, format, transcript)
    pieces = _message(publication, format, signed, envelope)
    ahead, _, behind = message.split(publication.markdown)
    plan = common.Plan(
        session=signed.generation[:16],
        generation=signed.generation,
        end=publication.end,
        skip=publication.skip,
        words=publication.words,
        envelope=envelope,
    )
    raw = _lines(transcript, publication.tail.offset, publication.end)
    out = list(encode.module(format).tail(raw, plan))
    copy = encode.module(format).COPIES and _is_copy(raw, out)
    tokens = round(publication.chars / publication.ratio)
    return heads.Head(
        format=format,
        session=plan.session,
        generation=signed.generation,
        made=made,
        route="copy" if copy else "rewrite",
        covered=publication.boundary.offset,
        tail=publication.tail.offset,
        end=publication.end,
        fingerprint=fingerprint(transcript, publication.boundary.offset, publication.end),
        messages=publication.messages,
        tokens=tokens,
        first=publication.first,
        open_calls=publication.open_calls,
        tail_messages=publication.messages - publication.boundary.messages,
        tail_tokens=round((publication.chars - publication.boundary.chars) / publication.ratio),
        memory_tokens=round(len(publication.markdown) / publication.ratio),
        envelope=_envelope_text(envelope),
        skip=publication.skip,
        words=publication.words,
        cuts=_cuts(publication, _counts(format, pieces, out), copy=copy),
        fills=pieces.fills,
        before=pieces.before,
        state=pieces.state,
        after=pieces.after,
        opening=len(pieces.before) - len(common.inner(ahead)),
        closing=len(pieces.after) - len(common.inner(behind.rstrip())),
        room=publication.room,
        edit_key=signed.edit_key,
    )


def renewed(head: heads.Head, seen: Seen, state: bytes, transcript: BinaryIO) -> heads.Head | None:
    """The head of the same memory now that more of the transcript was seen; None if it must stay as it is.

    None where that would need too much of it at once: then the swap looks at it itself.
    """
    copies = _still_copies(head, seen, transcript)
    if copies is None:
        return None
    lines = _lines(transcript, max(head.end, seen.end - _CONTEXT_BYTES), seen.end)
    if seen.end - head.end > _CONTEXT_BYTES:
        lines = lines[1:]  # the first one may be half a line
    last = [raw for offset, raw in lines if not _is_in(offset, seen.skip)]
    envelope = encode.module(head.format).context((), last, json.loads(head.envelope))
    tokens = round(seen.chars / seen.ratio)
    tail_messages = head.tail_messages + seen.messages - head.messages
    return heads.renewed(
        head,
        route="copy" if copies else "rewrite",
        end=seen.end,
        fingerprint=fingerprint(transcript, head.covered, seen.end),
        messages=seen.messages,
        tokens=tokens,
        tail_messages=tail_messages,
        tail_tokens=max(0, tokens - head.tokens + head.tail_tokens),
        envelope=_envelope_text(envelope),
        open_calls=seen.open_calls,
        skip=seen.skip,
        words=seen.words,
        # What comes later may change how the covered part of a tail is written: then the swap counts.
        cuts=head.cuts if copies else tuple((offset, what, tokens, -1) for offset, what, tokens, _ in head.cuts),
        state=state,
    )


def _still_copies(head: heads.Head, seen: Seen, transcript: BinaryIO) -> bool | None:
    """True if the tail may still be copied as it is; None if that was not looked at: too much of it is new.

    Only what is new is looked at; calls that were open at its start belong to it, so then it is the whole tail.
    """
    if head.route != "copy" or seen.skip or seen.words:
        return False
    if not head.open_calls and unseen.messages(transcript.fileno(), head.end, seen.end, head.format) >= 0:
        return True
    start = head.tail if head.open_calls else head.end
    if seen.end - start > _PROVED_BYTES:
        return None
    raw = _lines(transcript, start, seen.end)
    plan = common.Plan(end=seen.end, envelope=json.loads(head.envelope))
    return _is_copy(raw, list(encode.module(head.format).tail(raw, plan)))


def fingerprint(transcript: BinaryIO, covered: int, end: int) -> int:
    """The number that tells this transcript from another (`head.fingerprint`)."""
    parts = []
    for start, stop in heads.spans(covered, end):
        transcript.seek(start)
        parts.append(transcript.read(stop - start))
    return heads.fingerprint((parts[0], parts[1], parts[2]))


def state_bytes(state_markdown: str) -> bytes:
    """A Current State section as it stands inside the ready message."""
    return common.inner(state_markdown)


def _message(publication: Publication, format: str, signed: Signed, envelope: common.Record) -> Pieces:
    mark = common.mark(signed.generation, signed.digest)
    text = message.pieces(mark, publication.markdown, signed.source)
    tokens, memory = round(publication.chars / publication.ratio), round(len(str(text)) / publication.ratio)
    return encode.module(format).message(text.before, text.state, text.after, envelope, tokens, memory)


def _envelope(publication: Publication, format: str, transcript: BinaryIO) -> common.Record:
    """What the encoder must know of the prologue and of the last records before the end."""
    beginning = [raw for _, raw in _lines(transcript, 0, min(publication.first, _CONTEXT_BYTES))]
    start = max(publication.first, publication.end - _CONTEXT_BYTES)
    lines = _lines(transcript, start, publication.end)[start > publication.first :]
    # The next record hangs on the last one that lives, not on a copy.
    last = [raw for offset, raw in lines if not _is_in(offset, publication.skip)]
    return encode.module(format).context(beginning, last)


def _is_in(offset: int, ranges: Iterable[heads.Range]) -> bool:
    return any(begin <= offset < stop for begin, stop in ranges)


def _envelope_text(envelope: common.Record) -> str:
    return json.dumps(envelope, ensure_ascii=True, separators=(",", ":"))


def _lines(transcript: BinaryIO, start: int, end: int) -> list[tuple[int, bytes]]:
    """(offset, bytes) of the physical lines between two offsets; the last may lack its line end."""
    transcript.seek(start)
    buffer = LineBuffer(start)
    lines = buffer.feed(transcript.read(end - start))
    rest = buffer.rest
    return [(line.offset, line.data) for line in ([*lines, rest] if rest else lines)]


def _counts(format: str, pieces: Pieces, out: list[Out]) -> list[tuple[int, int]]:
    """(offset, conversation messages) of each line of the output, as its reader will see them."""
    reader = formats.open_reader(format)
    buffer = LineBuffer()
    for line in buffer.feed(pieces.before + pieces.state + pieces.after):
        reader.read(line)
    counted = []
    for item in out:
        entries = [entry for line in buffer.feed(item.data) for entry in reader.read(line)]
        counted.append((item.offset, sum(entry.role in ("user", "assistant", "tool") for entry in entries)))
    return counted


def _cuts(publication: Publication, counts: list[tuple[int, int]], *, copy: bool) -> tuple[heads.Cut, ...]:
    """Every place where a tail may begin. How many messages one holds that are covered is -1 where the swap counts."""
    covered, tail = publication.boundary, publication.tail
    places = {cut.offset: cut for cut in (tail, covered, *publication.cuts)}  # the last ones know where turns begin
    found = []
    for offset, cut in sorted(places.items()):
        known = offset >= tail.offset if copy else offset in (tail.offset, covered.offset)
        messages = sum(count for at, count in counts if offset <= at < covered.offset)
        tokens = round((covered.chars - cut.chars) / publication.ratio)
        found.append((offset, "t" if cut.turn else "r", tokens, messages if known else -1))
    return tuple(found)


def _is_copy(raw: list[tuple[int, bytes]], out: list[Out]) -> bool:
    """True if the encoder changed nothing."""
    before = b"".join(data for _, data in raw)
    after = b"".join(item.data for item in out)
    return before == after or before + b"\n" == after
