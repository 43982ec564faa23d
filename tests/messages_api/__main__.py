"""The server as a program: prints its address, serves until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.messages_api.answers import Damaged, Fixed, Recorded, Reworded, Talking, echo
from tests.messages_api.clock import Clock
from tests.messages_api.house import ANTHROPIC, COMPATIBLE, KEY_ONLY
from tests.messages_api.server import Server

if TYPE_CHECKING:
    from tests.messages_api.answers import Answers

_HOUSES = {"anthropic": ANTHROPIC, "compatible": COMPATIBLE, "key-only": KEY_ONLY}


def main() -> int:
    """0 at the end; a bug of our own is raised."""
    options = _parser().parse_args()
    # Blocked before any thread begins, so that all of them leave the signals to the wait below.
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    clock = Clock(options.clock_rate)
    server = Server(
        _answers(options),
        _HOUSES[options.house],
        port=options.port,
        delay=options.delay,
        clock=clock,
        log_path=options.log,
    )
    server.script(*options.faults)
    with server:
        print(server.url, flush=True)  # noqa: T201  # whoever started us reads it
        signal.sigwait(ends)
    return 0


def _answers(options: argparse.Namespace) -> Answers:
    texts = [path.read_text(encoding="utf-8") for path in options.texts]
    match options.answers:
        case "recorded":
            return Recorded(texts)
        case "damaged":
            return Damaged(options.seed, texts)
        case "talking":
            return Talking()
        case "echo":
            return echo
        case "fixed":
            return Fixed(texts[0]) if texts else Fixed()
    return Reworded()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.messages_api", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="before each answer of a model")
    parser.add_argument(
        "--answers", default="reworded", choices=["recorded", "reworded", "damaged", "talking", "echo", "fixed"]
    )
    parser.add_argument(
        "--texts", type=Path, nargs="+", default=[], metavar="FILE", help="for recorded, damaged, fixed"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the damage")
    parser.add_argument("--house", default="anthropic", choices=sorted(_HOUSES), help="whose rules hold")
    parser.add_argument(
        "--faults", nargs="+", default=[], metavar="FAULT", help="what the first requests meet: fault.py"
    )
    parser.add_argument("--clock-rate", type=float, default=1.0, help="seconds the cache ages in a second")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write every exchange here, as JSON lines")
    return parser


if __name__ == "__main__":
    sys.exit(main())
