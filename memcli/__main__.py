"""The door: the lean routes first, else the app. Nothing heavier than `os` and `sys` may be imported before a lean
route has declined (`memcli.swap`)."""

import sys


def main() -> int:
    """Run `memcli` with the arguments of this process; the exit code."""
    if sys.argv[1:2] == ["compact"]:
        from memcli.swap import lean

        code = lean(sys.argv[1:])
        if code is not None:
            return code
    if sys.argv[1:2] == ["summarize"]:  # reads its options itself
        from memcli.summarize.__main__ import main as summarize

        return summarize(sys.argv[2:])
    from memcli.edge import run

    return run(_app)


def _app() -> int:
    import gc

    gc.disable()  # what typer and pydantic make stays to the end; `memcli.cli` lets it work again before the verb does
    try:
        from memcli.cli import app

        code = app(prog_name="memcli", standalone_mode=False)
    finally:
        gc.enable()
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
