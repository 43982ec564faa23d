"""The one place where a failure becomes a message and an exit code.

    MemcliError        its own code       Error: and Try: lines on stderr
    typer's own        2                  the same, with the help of the command that was meant
    OSError of a disk  1                  the same: a full disk or a missing permission is no bug
    SystemExit         as it says         nothing
    KeyboardInterrupt  130                nothing
    BrokenPipeError    141                nothing: `| head` has what it wanted
    SIGTERM            143                nothing, after every `finally` has run
    anything else      70                 one line, and a log that can be pasted into an issue

Nobody else prints a traceback or ends the process.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

from memcli import __version__
from memcli.errors import MemcliError, NotReadable, NotWritable, Usage

TYPE_CHECKING = False  # typing costs as much as a quarter of Python's start, and every verb comes this way
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import NoReturn

INTERNAL = 70
INTERRUPTED = 130
PIPE_CLOSED = 141
TERMINATED = 143

# What an environment does to a program that is right. Any other OSError at the edge is a bug of ours.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO, errno.ESTALE}


class Terminated(BaseException):
    """SIGTERM came; unwinds like KeyboardInterrupt, so that children and files are looked after."""


def run(main: Callable[[], int | None]) -> int:
    """Run `main` and return the exit code of the process. SIGTERM unwinds `main`, unless it handles it itself."""
    _fill()
    try:
        signal.signal(signal.SIGTERM, _terminate)
    except ValueError:
        pass  # not the main thread: a test, or somebody's embedding
    try:
        code = _guarded(main)
        code = _guarded(_flush) or code  # what was printed may only now turn out to have no room
    except BrokenPipeError:
        return _pipe_closed()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    return code


def _fill() -> None:
    """Give the streams that our caller closed (`>&-`) a place to go: nobody wants to hear us.

    Else a file of ours would be opened under the number of stdout, and be printed into.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - until the end


def _flush() -> int:
    """Write what stdout still holds. Raises OSError; then nothing is left for the interpreter to fail on at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:
        _discard()
        raise
    return 0


def _guarded(main: Callable[[], int | None]) -> int:
    try:
        return main() or 0
    except MemcliError as error:
        return report(error)
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):
            raise BrokenPipeError from error  # typer makes exit code 1 of it
        return _exit_code(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        known = expected(error)
        return report(known) if known else _internal(error)
    except Exception as error:  # noqa: BLE001 - this is the edge
        return _complaint(error) or _homeless(error) or _internal(error)


def _complaint(error: Exception) -> int:
    """Report what typer says of the command line, as ours; 0 if `error` is something else.

    Known by what it offers: typer carries its own copy of click, whose classes have no public name.
    """
    message = getattr(error, "format_message", None)
    if message is None:
        return 0
    text = message()
    if "\n" in text:
        _say(f"{text}\n")  # no arguments at all: the whole help
        return Usage.code
    context = getattr(error, "ctx", None)
    return report(Usage(text.rstrip("."), f"{context.command_path if context else 'memcli'} --help"))


def _homeless(error: Exception) -> int:
    """Report that nobody knows where the user's own files lie, as in a container of a user without a name; 0 if
    `error` is something else."""
    from shlex import join, quote

    if type(error) is not RuntimeError or os.path.isabs(os.path.expanduser("~")):  # no kind of it: those are bugs
        return 0
    again = f"export HOME={quote(os.getcwd())} && {join(['memcli', *sys.argv[1:]])}"
    return report(NotReadable("there is no home directory: HOME does not name one", again))


def report(error: MemcliError) -> int:
    """Print the two lines of an expected failure on stderr; its exit code."""
    _say(f"Error: {printable(error.sentence)}\nTry: {printable(error.hint)}\n")
    return error.code


def printable(text: str) -> str:
    """`text` on one line and without control characters: a file name can hold any."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def near(name: str) -> str:
    """The directory of a file, or the nearest above it that is there, as a shell wants it: to be looked at."""
    from shlex import quote

    where = os.path.dirname(name)
    while where and not os.path.isdir(where):
        where = os.path.dirname(where)
    return quote(where or os.curdir)


def expected(error: OSError) -> MemcliError | None:
    """An OSError that says something about the machine, as a sentence; None if it must be our bug."""
    from shlex import quote

    # Of a rename the user knows the place where it leads to.
    name = next((os.fsdecode(name) for name in (error.filename2, error.filename) if isinstance(name, str | bytes)), "")
    reason = (error.strerror or "failed").lower()
    where = near(name)
    if error.errno in _FULL:
        return NotWritable(f"cannot write{f' {name}' if name else ''}: {reason}", f"df -h {where}")
    if not name:
        return NotReadable("the current directory was removed", "cd ~") if _is_nowhere() else None
    if error.errno in _FORBIDDEN:
        there = f" {quote(name)}" if os.path.lexists(name) else ""
        return NotReadable(f"no access to {name}: {reason}", f"ls -ld {where}{there}")
    if error.errno in _ABSENT:
        return NotReadable(f"cannot use {name}: {reason}", f"ls -ld {where}")
    return None


def _is_nowhere() -> bool:
    """True if the directory that we were started in is not there any more."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _exit_code(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    _say(f"{error.code}\n")
    return 1


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise Terminated


def _pipe_closed() -> int:
    _discard()
    return PIPE_CLOSED


def _discard() -> None:
    """The interpreter flushes stdout once more at its end; what is left must have a place to go."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass


def _internal(error: BaseException) -> int:
    from shlex import quote

    log = _write_log(error)
    kind = f"{type(error).__name__}: {error}".partition("\n")[0]
    _say(f"Error: memcli has a bug: {printable(kind)[:200]}\n")
    _say(f"Try: cat {quote(str(log))}  # and send what it shows\n" if log else _trace(error))
    return INTERNAL


def _write_log(error: BaseException) -> Path | None:
    """A log of a bug, ready to be pasted: no environment, no transcript text, the home directory as `~`."""
    import platform
    import shlex
    import time

    from memcli.userdirs import state_dir

    home = os.path.expanduser("~").rstrip("/")  # "~" for a user without one, "" for one who lives at the root
    lines = (
        f"memcli {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"command: {shlex.join(sys.argv)}",
        "",
        _trace(error),
    )
    try:
        path = state_dir() / "log" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("\n".join(lines).replace(home or "~", "~"), encoding="utf-8", errors="backslashreplace")
    except (OSError, RuntimeError):  # the latter where nobody knows of a home
        return None
    return path


def _trace(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


def _say(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # whoever closed stderr does not want to hear it, and the exit code is still right
