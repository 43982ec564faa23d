"""The door: the lean routes first, else the app. Nothing heavier than `os` and `sys` may be imported before a lean
route has declined (`memcli.lean`)."""

import os
import sys


def main() -> int:
    """Run `memcli` with the arguments of this process; the exit code."""
    if sys.argv[1:2] == ["compact"]:
        from memcli.lean import lean

        try:
            code = lean(sys.argv[1:])
        except KeyboardInterrupt:
            code = 130
        if code is not None:
            os._exit(code)  # all is written: to take the interpreter apart would cost more than the swap
    if sys.argv[1:2] == ["hook"] and len(sys.argv) > 2 and sys.argv[2][:1] != "-":
        from memcli.hosts import hook

        return hook.run(sys.argv[2:])
    if sys.argv[1:2] == ["summarize"]:  # reads its options itself
        from memcli.summarize.__main__ import main as summarize

        return summarize(sys.argv[2:])
    from memcli.edge import run

    return run(_app)


def _app() -> int:
    match sys.argv[1:]:  # a status bar asks often: without typer, in a third of the time
        case ["status", "--line", *path] if not path or path == ["-"] or (len(path) == 1 and path[0][:1] != "-"):
            from memcli.commands.status_line import status_line

            return status_line(*path)
    from memcli.cli import app

    code = app(prog_name="memcli", standalone_mode=False)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
