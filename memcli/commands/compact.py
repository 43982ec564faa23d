"""`memcli compact`, the slow route: everything that the instant one (`memcli.lean`) declined.

a transcript           what `memcli.watch.taking` takes of it, in the form and at the place that were asked for
`-`                    stdin, spooled to a private file; no sidecar is written
a batch of messages    each line is a conversation of its own, compacted by itself
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memcli.commands import packed, source
from memcli.commands.target import first_transcript, target, transcripts_in
from memcli.errors import IsDirectory, Usage
from memcli.making.maker import maker
from memcli.sidecar import backups, files
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.transcript import encode
from memcli.watch.taking import taken, taken_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memcli.hosts.host import Host
    from memcli.watch.taking import Maker, Taken

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

    @property
    def longer(self) -> str:
        """What is typed to keep more: the default if a tail was asked for, else a whole turn."""
        return "" if self.keep else " --keep-turns 1"


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
        inside = first_transcript(transcripts_in(transcript))
        hint = f"memcli compact {shlex.quote(str(inside))}" if inside else "memcli compact --help"
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
    host = _host(transcript) if wish.in_place else None
    if host:
        require_files(host, transcript)
    started = time.perf_counter()
    found = _taken(transcript, wish, made_by, stream=stream)
    lines = _in_form(found, wish)
    if wish.in_place:
        content = b"".join(lines)
        if host:
            _check_host(host, transcript, content, wish)
        _replace(transcript, content, found.size, wish)
    else:
        _emit(lines, wish.output)
    _tell(wish, found, time.perf_counter() - started, None if stream else transcript)


def _taken(transcript: Path, wish: Wish, made_by: Maker, *, stream: bool) -> Taken:
    if stream:
        return taken_from(transcript, Place.of(Path.cwd() / "stdin"), "stdin", made_by, wish.keep)
    say = (lambda _: None) if wish.quiet else (lambda sentence: print(f"memcli: {sentence}", file=sys.stderr))
    another = wish.budget is not None
    return taken(transcript, made_by, wish.keep, fresh=wish.fresh, anew=another, wait=wish.wait or 0.0, say=say)


# ------------------------------------------------------------------ the output


def _in_form(found: Taken, wish: Wish) -> list[bytes]:
    """The lines in the form that is asked for."""
    if wish.to is None:
        return found.lines
    from memcli.transcript.encode.to_messages import to_messages

    messages, left_open = to_messages(found.lines, encode.module(found.head.format).said)
    if left_open and not wish.quiet:
        why = "a request cannot hold it" if wish.to == "messages" else "it has no result yet"
        print(f"memcli: left out the open round ({', '.join(left_open)}): {why}", file=sys.stderr)
    if wish.to == "markdown":
        from memcli.commands.handover import handover

        return [handover([json.loads(line) for line in messages])]
    return messages


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
            name = f"{transcript} line {number}"
            found = taken_from(Path(spool.name), Place.of(transcript), name, made_by, wish.keep)
        messages = [json.loads(line) for line in _in_form(found, wish)]
        lines.append(json.dumps({"messages": messages}, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        _tell(wish, found, 0, transcript, number)
    return lines


def _tell(wish: Wish, found: Taken, seconds: float, transcript: Path | None, line: int | None = None) -> None:
    age, report = max(0.0, time.time() - found.head.made), found.report
    if wish.as_json:
        from memcli.commands.reports import Change, Compact

        told = Compact(
            transcript=str(transcript) if transcript else None,
            line=line,
            memory=found.how,
            memory_age=age,
            generation=found.head.generation,
            messages=Change(report.messages, report.messages_after),
            tokens=Change(report.tokens, report.tokens_after),
            kept_messages=report.kept,
            behind_tokens=report.behind,
            seconds=seconds,
            problems=dict(report.problems),
        ).to_line()
        print(told, file=sys.stderr)
    elif not wish.quiet:
        sentence = report.line(age, seconds, found.how)
        sys.stderr.write(sentence.replace("memcli: ", f"memcli: line {line}: ", 1) if line else sentence)


def require_files(host: Host, transcript: Path) -> None:
    """Raises Usage where the client keeps its sessions in no files: it would pass over a compacted one in silence."""
    if why := host.kept_elsewhere():
        raise Usage(why, f"memcli compact {shlex.quote(str(transcript))} --to markdown")


def _host(transcript: Path) -> Host | None:
    from memcli.hosts import known  # here, not above: stdin is nobody's

    return known.host_of(transcript)


def _check_host(host: Host, transcript: Path, content: bytes, wish: Wish) -> None:
    """Raises Usage where the client whose session it is would not go on in this."""
    if why := host.refuses(content):
        raise Usage(why, f"memcli compact {shlex.quote(str(transcript))} --in-place{wish.longer}")


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
    import signal
    import tempfile

    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # whoever dies before the file is anybody's would leave it behind
    try:
        with tempfile.NamedTemporaryFile(prefix="memcli-", suffix=".jsonl") as spool:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
            while block := sys.stdin.buffer.read(_SPOOL_BLOCK):
                spool.write(block)
            spool.flush()
            yield Path(spool.name)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
