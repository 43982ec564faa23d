"""Bytes to a file descriptor: ours by write, those of a file by the kernel where it can."""

import os
import sys

_BLOCK = 1 << 20
_MANY = 1 << 22  # from so many bytes on, a wide pipe is worth asking for
_F_SETPIPE_SZ = 1031  # of Linux


def write(out: int, data: bytes) -> None:
    """All of `data`, also where a caller made `out` non-blocking. Raises OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(out, view) :]
        except BlockingIOError:
            os.set_blocking(out, True)


def copy(source: int, offset: int, end: int, out: int) -> None:
    """Bytes `offset`..`end` of the file `source`. Raises OSError.

    The kernel copies; it cannot into a file opened to append, a terminal, and on macOS into anything but a socket.
    Then blocks are read and written.
    """
    if end - offset > _MANY:
        _widen(out)
    offset = _sent(source, offset, end, out)
    while offset < end:
        piece = os.pread(source, min(_BLOCK, end - offset), offset)
        if not piece:
            raise OSError("the transcript was cut while it was copied")
        write(out, piece)
        offset += len(piece)


def _sent(source: int, offset: int, end: int, out: int) -> int:
    """How far the kernel came."""
    while offset < end:
        try:
            sent = os.sendfile(out, source, offset, min(end - offset, 1 << 30))
        except BrokenPipeError:
            raise
        except BlockingIOError:
            os.set_blocking(out, True)
            continue
        except (AttributeError, OSError):
            break
        if not sent:
            break
        offset += sent
    return offset


def _widen(out: int) -> None:
    """Ask for a pipe that holds a megabyte: each turn between writer and reader then moves sixteen times as much."""
    if sys.platform != "linux":
        return
    import fcntl

    try:  # noqa: SIM105 - no `contextlib` on this road
        fcntl.fcntl(out, _F_SETPIPE_SZ, _BLOCK)
    except OSError:
        pass  # no pipe, or more than this user may have
