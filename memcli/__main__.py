"""The door: the lean routes first, else the app. Nothing heavier than `os` and `sys` may be imported before a lean
route has declined (`memcli.lean`), and the app's command line (typer) only for words that `lean` does not know."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memcli.lean import Options


def main() -> int:
    """Run `memcli` with the arguments of this process; the exit code. Does not return from a plain `compact`: all is
    written then, and to take the interpreter apart would cost more than the swap."""
    if sys.argv[1:2] == ["compact"]:
        from memcli import lean

        options = lean.options_of(sys.argv[1:])
        if options:
            os._exit(_compacted(options))
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
    from memcli.cli import app

    code = app(prog_name="memcli", standalone_mode=False)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
