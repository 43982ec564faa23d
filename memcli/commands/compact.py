"""`memcli compact`, the slow route: everything that the instant one (`memcli.lean`) declined.

a head that holds      swap, with the options the instant route does not know
none, or in doubt      make a memory now: published if nobody else owns the sidecar, else in memory only
`-`                    spool stdin to a private file, make the memory in one pass, write no sidecar
a batch of messages    each line is a conversation of its own, compacted by itself
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memcli import swap
from memcli.commands import packed, setup, source
from memcli.commands.maker import maker
from memcli.commands.reports import Change, Compact
from memcli.commands.target import target, transcripts_in
from memcli.errors import AlreadyWatched, IsDirectory, MemcliError, NotWritable, TryAgain, Usage
from memcli.sidecar import backups, files
from memcli.sidecar.lock import Lock, freed
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.transcript import encode
from memcli.watch import spot
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memcli.commands.maker import Maker
    from memcli.head import Head

_SPOOL_BLOCK = 1024 * 1024


class Wish(NamedTuple):
    """What the command line asks for."""

    output: Path | None = None
    to: str | None = None
    in_place: bool = False
    fresh: bool = False
    keep_turns: int | None = None
    keep_tokens: int | None = None
    budget: int | None = None
    wait: float | None = None
    settings: Mapping[str, object] = {}  # never changed
    as_json: bool = False
    quiet: bool = False

    @property
    def keep(self) -> tuple[str, int] | None:
        """The tail that is asked for, as `swap` takes it."""
        if self.keep_turns is not None:
            return "turns", self.keep_turns
        return ("tokens", self.keep_tokens) if self.keep_tokens is not None else None


class _Made(NamedTuple):
    """A head, where its transcript lies, and how it came about (for stderr)."""

    head: Head
    path: Path
    how: str


def compact(path: str | None, wish: Wish) -> int:
    """Print the compacted transcript; exit code 0. Raises MemcliError."""
    _check(path, wish)
    wish = wish._replace(quiet=wish.quiet or wish.as_json)  # stderr then holds the report and nothing else
    overrides = {"budget": wish.budget, **wish.settings}
    if path == "-":
        with _spooled() as spool:
            _swap_any(spool, wish, maker(overrides, None, fresh=wish.fresh, quiet=wish.quiet), stream=True)
        return 0
    transcript = target(Path(path) if path else None, "compact", quiet=wish.quiet)
    if transcript.is_dir():
        inside = transcripts_in(transcript)
        hint = f"memcli compact {shlex.quote(str(inside[0]))}" if inside else "memcli compact --help"
        raise IsDirectory(f"{transcript} is a directory", hint)
    made_by = maker(overrides, Place.of(transcript).sidecar, fresh=wish.fresh, quiet=wish.quiet)
    _swap_any(transcript, wish, made_by, stream=False)
    return 0


def _check(path: str | None, wish: Wish) -> None:
    again = f"memcli compact {shlex.quote(path)}" if path else "memcli compact"
    if wish.to not in (None, "messages", "markdown"):
        raise Usage(f"--to {wish.to}: there are `messages` and `markdown`", f"{again} --to messages")
    if wish.keep_turns is not None and wish.keep_tokens is not None:
        raise Usage("--keep-turns and --keep-tokens ask for two different tails", f"{again} --keep-turns 2")
    if wish.keep is not None and wish.keep[1] < 0:
        raise Usage(f"--keep-{wish.keep[0]} {wish.keep[1]}: a tail has no negative size", "memcli compact --help")
    if wish.in_place and (path == "-" or wish.output or wish.to):
        hint = "memcli compact --help" if path == "-" else f"{again} --in-place"
        raise Usage("--in-place goes with a transcript's own format and place", hint)
    if wish.in_place and path and packed.is_packed(Path(path)):
        raise Usage(f"{path} is compressed: it is read, never written", again)


def _swap_any(transcript: Path, wish: Wish, made_by: Maker, *, stream: bool) -> None:
    name = shlex.quote(str(transcript))
    if wish.output and wish.output.exists() and transcript.samefile(wish.output):
        raise Usage(f"-o {wish.output} is the transcript itself", f"memcli compact {name} --in-place")
    if source.is_batch(transcript):
        if wish.in_place or wish.to == "markdown":
            hint = f"memcli compact {name} -o {shlex.quote(str(transcript.with_suffix('.compacted.jsonl')))}"
            raise Usage(f"{transcript} holds one conversation a line, no transcript", hint)
        _emit(_batch(transcript, wish, made_by), wish.output)
        return
    started = time.perf_counter()
    made = _streamed(transcript, made_by) if stream else _made(transcript, wish, made_by)
    try:
        pieces, report, size = _swapped(made, wish)
    except ValueError:  # what came after the head was made asks for another reading
        store = None if stream else Store(Place.of(transcript))  # the successor must find where it comes from
        follower = Follower(str(made.path), Place.of(transcript), made_by.triggers)
        made = made._replace(head=spot.head_now(follower, store if store and store.id else None))
        try:
            pieces, report, size = _swapped(made, wish, grown=False)
        except ValueError as error:
            raise TryAgain(f"{transcript} is being replaced: {error}", f"memcli compact {name}") from error
    if wish.in_place:
        _replace(made.path, b"".join(pieces), size, wish)
    else:
        _emit(pieces, wish.output)
    _tell(wish, report, made, time.perf_counter() - started, None if stream else transcript)


# ------------------------------------------------------------------ the head


def _made(transcript: Path, wish: Wish, made_by: Maker) -> _Made:
    """The head that is committed if it holds, else one made now."""
    place = Place.of(transcript)
    if not wish.fresh and wish.budget is None and (head := _committed(place, transcript)):
        return _Made(head, transcript, "was ready")
    setup.announce(place, quiet=wish.quiet)
    keeper = Keeper(place, made_by.triggers)
    try:
        keeper.open("compact", time.time())
    except AlreadyWatched as error:
        return _beside_daemon(place, error, transcript, wish, made_by)
    except NotWritable:
        return _Made(_head_now(transcript, place, made_by), transcript, "made now")
    try:
        if wish.fresh or wish.budget is not None:
            keeper.forget()
        spot.publish_now(keeper, made_by.answer)
        head = keeper.head or _head_now(transcript, place, made_by, keeper.store)
    finally:
        keeper.close()
    return _Made(head, transcript, _how(wish, made_by))


def _how(wish: Wish, made_by: Maker) -> str:
    if made_by.asks:
        return "written now"
    return "refolded now without a model" if wish.fresh else "made now"


def _head_now(transcript: Path, place: Place, made_by: Maker, store: Store | None = None) -> Head:
    return spot.head_now(Follower(str(transcript), place, made_by.triggers), store, made_by.answer)


def _committed(place: Place, transcript: Path) -> Head | None:
    """The committed head, if it is of this transcript, and proves the tail that stands there now."""
    with transcript.open("rb") as file:
        source = file.fileno()
        try:
            head = swap.committed(str(place.sidecar), str(place.transcript.parent), source)
            swap.prepare(head, source, swap.whole_end(source, head.end, os.fstat(source).st_size))
        except (OSError, ValueError):
            return None
    return head


def _beside_daemon(place: Place, owner: AlreadyWatched, transcript: Path, wish: Wish, made_by: Maker) -> _Made:
    """A daemon owns the sidecar, or another verb for a moment: wait for it if the user allows, else make a head of
    our own and say so."""
    if wish.wait and owner.pid:
        print("memcli: waiting for the update in flight", file=sys.stderr)
        if owner.daemon:
            from memcli.watch import ask

            with suppress(TryAgain):  # the user's patience is over: answer with what can be made now
                ask.ask(place.sidecar, owner.pid, wish.wait, transcript)
        else:
            freed(place.lock, wish.wait)
        if head := _committed(place, transcript):
            return _Made(head, transcript, "was ready")
    follower = Follower(str(transcript), place, made_by.triggers)
    store = Store(place)
    return _Made(
        spot.head_now(follower, store if store.id else None, made_by.answer), transcript, "made now beside the daemon"
    )


def _streamed(spool: Path, made_by: Maker) -> _Made:
    follower = Follower(str(spool), Place.of(Path.cwd() / "stdin"), made_by.triggers, "stdin")
    try:
        return _Made(spot.head_now(follower, answer=made_by.answer), spool, "made now")
    except MemcliError as error:
        error.hint = "memcli compact --help"  # what helps a file has no name to work on
        raise


# ------------------------------------------------------------------ the output


def _swapped(made: _Made, wish: Wish, *, grown: bool = True) -> tuple[list[bytes], swap.Report, int]:
    """The output, what is said of it, and the size of the transcript that is all in it. `grown`: with what came after
    the head was made. Raises ValueError where that asks for another head.
    """
    descriptor = os.open(made.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        whole = swap.whole_end(descriptor, made.head.end, size)
        end = whole if grown else made.head.end
        return *_pieces(made.head, descriptor, end, wish), size if end == whole else end
    finally:
        os.close(descriptor)


def _pieces(head: Head, descriptor: int, end: int, wish: Wish) -> tuple[list[bytes], swap.Report]:
    pieces, report = swap.rewritten(head, descriptor, end, wish.keep)
    if wish.to is None:
        return pieces, report
    from memcli.transcript.encode.to_messages import to_messages

    encoder = encode.module(head.format)
    messages, left_open = to_messages(
        [line for piece in pieces for line in piece.splitlines(keepends=True)], encoder.said
    )
    if left_open and not wish.quiet:
        why = "a request cannot hold it" if wish.to == "messages" else "it has no result yet"
        print(f"memcli: left out the open round ({', '.join(left_open)}): {why}", file=sys.stderr)
    if wish.to == "markdown":
        from memcli.commands.handover import handover

        return [handover([json.loads(line) for line in messages])], report
    return messages, report


def _emit(pieces: list[bytes], output: Path | None) -> None:
    if output is None:
        sys.stdout.flush()
        _write(pieces, 1)
        return
    real = Path(os.path.realpath(output))
    if real.exists() and not real.is_file():  # a device or a pipe is written to, never replaced
        with real.open("wb", buffering=0) as file:
            _write(pieces, file.fileno())
        return
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o600
    files.write_atomic(real, b"".join(pieces), mode=mode)


def _write(pieces: list[bytes], descriptor: int) -> None:
    os.set_blocking(descriptor, True)  # a caller may have made our stdout another one
    for piece in pieces:
        files.write_all(descriptor, piece)


def _batch(transcript: Path, wish: Wish, made_by: Maker) -> list[bytes]:
    """Each conversation of a file compacted by itself, in memory."""
    import tempfile

    lines: list[bytes] = []
    for number, text in source.conversations(transcript):
        if not text:
            print(f"memcli: line {number} holds no conversation and is left out", file=sys.stderr)
            continue
        with tempfile.NamedTemporaryFile(prefix="memcli-", suffix=".jsonl") as spool:
            spool.write(text)
            spool.flush()
            follower = Follower(spool.name, Place.of(transcript), made_by.triggers, f"{transcript} line {number}")
            head = spot.head_now(follower, answer=made_by.answer)
            pieces, report = _pieces(head, spool.fileno(), len(text), wish)
        messages = [json.loads(line) for piece in pieces for line in piece.splitlines()]
        lines.append(json.dumps({"messages": messages}, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        _tell(wish, report, _Made(head, transcript, "made now"), 0, transcript, number)
    return lines


def _tell(
    wish: Wish, report: swap.Report, made: _Made, seconds: float, transcript: Path | None, line: int | None = None
) -> None:
    age = max(0.0, time.time() - made.head.made)
    if wish.as_json:
        found = Compact(
            transcript=str(transcript) if transcript else None,
            line=line,
            memory=made.how,
            memory_age=age,
            generation=made.head.generation,
            messages=Change(report.messages, report.messages_after),
            tokens=Change(report.tokens, report.tokens_after),
            kept_messages=report.kept,
            behind_tokens=report.behind,
            seconds=seconds,
            problems=dict(report.problems),
        )
        print(found.to_line(), file=sys.stderr)
    elif not wish.quiet:
        told = report.line(age, seconds, made.how)
        sys.stderr.write(told.replace("memcli: ", f"memcli: line {line}: ", 1) if line else told)


def _replace(transcript: Path, content: bytes, expected: int, wish: Wish) -> None:
    """`--in-place`: backup first, then an atomic replace. Refused while a daemon follows the file."""
    place = Place.of(transcript).claim()
    with Lock.acquire(place.lock, "compact --in-place", time.time()):
        replaced = backups.replace(place, content, expected)
        Store(place).forget()
    if not wish.quiet:
        print(f"memcli: the transcript as it was: {replaced.backup}", file=sys.stderr)
        if replaced.late:
            print(f"memcli: {replaced.late:,} bytes came late and are only there", file=sys.stderr)


@contextmanager
def _spooled() -> Iterator[Path]:
    """Stdin in a private file that is gone afterwards."""
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="memcli-", suffix=".jsonl") as spool:
        while block := sys.stdin.buffer.read(_SPOOL_BLOCK):
            spool.write(block)
        spool.flush()
        yield Path(spool.name)
