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
    from memcli.edge import run

    return run(_app)


def _app() -> int:
    from memcli.cli import app

    code = app(prog_name="memcli", standalone_mode=False)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
