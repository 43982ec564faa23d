"""The door: the lean routes first, else the app. Nothing heavier than `os` and `sys` may be imported before a lean
route has declined (`memcli.lean`), and the app's command line (typer) only for words that `lean` does not know."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memcli.lean import Options


def door() -> None:
    """Run `memcli` with the arguments of this process, and end it. After a plain `compact` at once: all is written, and
    to take the interpreter apart would cost more than the swap."""
    code = _plainly_compacted()
    if code is not None:
        os._exit(code)
    sys.exit(_run())


def main() -> int:
    """The same for a caller who goes on: the exit code."""
    code = _plainly_compacted()
    return _run() if code is None else code


def _plainly_compacted() -> int | None:
    """The exit code of a `compact` in plain words; None for all else."""
    if sys.argv[1:2] != ["compact"]:
        return None
    from memcli import lean

    options = lean.options_of(sys.argv[1:])
    return _compacted(options) if options else None


def _run() -> int:
    if sys.argv[1:2] == ["hook"] and len(sys.argv) > 2 and sys.argv[2][:1] != "-":
        from memcli.hosts import hook

        return hook.run(sys.argv[2:])
    if sys.argv[1:2] == ["summarize"]:  # reads its options itself
        from memcli.summarize.__main__ import main as summarize

        return summarize(sys.argv[2:])
    from memcli.edge import run

    return run(_app)


def _compacted(options: "Options") -> int:
    from memcli import lean

    try:
        code = lean.answer(options)
    except KeyboardInterrupt:
        return 130
    if code is not None:
        return code
    from memcli.edge import run

    return run(lambda: _compact(options))


def _compact(options: "Options") -> int:
    from pathlib import Path

    from memcli.commands.compact import Wish, compact

    keep = dict([options.keep] if options.keep else [])
    output = Path(options.out) if options.out else None
    wish = Wish(output, keep_turns=keep.get("turns"), keep_tokens=keep.get("tokens"), quiet=options.quiet)
    return compact(options.path, wish)


def _app() -> int:
    match sys.argv[1:]:  # a status bar asks often: without typer, in a third of the time
        case ["status", "--line", *path] if not path or path == ["-"] or (len(path) == 1 and path[0][:1] != "-"):
            from memcli.commands.status_line import status_line

            return status_line(*path)
    import gc

    gc.disable()  # what typer and pydantic make stays to the end; `memcli.cli` lets it work again before the verb does
    try:
        from memcli.cli import app

        code = app(prog_name="memcli", standalone_mode=False)
    finally:
        gc.enable()
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    door()
