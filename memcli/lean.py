"""`memcli compact PATH` at once: from the words of a command line to the output, without the command line's program.

Whatever is in doubt is declined before a byte is written, and then the program does it. `time` is not counted among
the imports: the interpreter itself loads it. No `__future__` here for the same reason as in `memcli.head`.
"""

import os
import time

from memcli import swap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memcli.swap import Ready

PIPE_CLOSED = 141


class Options:
    """What of the command line is known here."""

    __slots__ = ("keep", "out", "path", "quiet")

    def __init__(self) -> None:
        self.path = ""
        self.out = ""
        self.quiet = False
        self.keep: tuple[str, int] | None = None


def options_of(argv: list[str]) -> Options | None:
    """The options of `compact PATH [-q] [-o FILE] [--keep-turns N] [--keep-tokens N]`; None for any other words."""
    if not argv or argv[0] != "compact":
        return None
    found = Options()
    words = iter(argv[1:])
    for word in words:
        if word in ("-q", "--quiet"):
            found.quiet = True
        elif word in ("-o", "--output") and not found.out:
            found.out = next(words, "")
            if not found.out or found.out[0] == "-":
                return None
        elif word in ("--keep-turns", "--keep-tokens") and found.keep is None:
            number = next(words, "")
            if not (number.isascii() and number.isdecimal() and len(number) < 10):
                return None
            found.keep = (word[7:], int(number))
        elif word[:1] not in ("", "-") and not found.path:
            found.path = word
        else:
            return None
    return found if found.path else None


def answer(options: Options) -> int | None:
    """Writes the compacted transcript and returns the exit code; None, with nothing written, where anything is in
    doubt."""
    started = time.perf_counter()
    try:
        source = os.open(options.path, os.O_RDONLY)
    except OSError:
        return None
    try:
        # A low number is that of a standard stream which our caller closed: the program knows what to do.
        return _answer(options, source, started) if source > 2 else None
    finally:
        os.close(source)


def _answer(options: Options, source: int, started: float) -> int | None:
    directory, name = os.path.split(os.path.realpath(options.path))
    try:
        sidecar = f"{directory}/.memcli/{name}"
        head = swap.committed(sidecar, directory, source)
        if not swap.knows(head, options.keep):
            return None
        end = swap.whole_end(source, head.end, os.fstat(source).st_size)
        ready = swap.prepare(head, source, end, options.keep, sidecar)
        out = Target(options.out, source) if options.out else None
    except (OSError, ValueError):
        return None
    try:
        if out:
            out.fill(ready, source)
        else:
            ready.write(source, 1)
    except BrokenPipeError:
        return PIPE_CLOSED
    except OSError as error:
        where = os.path.dirname(options.out).replace("'", "'\\''") or "."
        _say(f"Error: the output cannot be written: {error.strerror or error}\nTry: df -h '{where}'\n")
        return 1
    if not options.quiet:
        _say(ready.report.line(time.time() - head.made, time.perf_counter() - started))
    return 0


def _say(text: str) -> None:
    try:  # noqa: SIM105 - no `contextlib` on this road
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # whoever closed stderr does not want to hear it, and the exit code is still right


class Target:
    """The file of `-o`: filled under another name and then renamed, so that it is whole or as it was.

    Raises ValueError for what must be looked at more closely: no plain file, or the transcript itself, or
    a directory that may not be written to.
    """

    __slots__ = ("mode", "path", "spare")

    def __init__(self, path: str, source: int) -> None:
        self.path = os.path.realpath(path)
        self.spare = f"{self.path}.{os.getpid()}.tmp"
        self.mode = 0o600
        if not os.access(f"{os.path.dirname(self.path)}/", os.W_OK | os.X_OK):
            raise ValueError("no directory, or none that may be written to")
        if os.path.lexists(self.path):
            stat = os.stat(self.path)
            if not os.path.isfile(self.path) or os.path.samestat(stat, os.fstat(source)):
                raise ValueError("no plain file, or the transcript itself")
            self.mode = stat.st_mode & 0o777

    def fill(self, ready: "Ready", source: int) -> None:
        """Dying before the rename leaves the old file and a spare one; after it, the new file."""
        file = os.open(self.spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
        try:
            ready.write(source, file)
            os.replace(self.spare, self.path)
        except BaseException:
            os.unlink(self.spare)
            raise
        finally:
            os.close(file)
