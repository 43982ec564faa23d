"""`python -m memcli.summarize`: what the daemon starts. `memcli summarize` is the same program."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn, get_args, get_type_hints

from memcli.edge import run
from memcli.errors import Usage
from memcli.summarize.options import DEFAULT_MODEL, Options, checked

if TYPE_CHECKING:
    from collections.abc import Sequence

HINT = "memcli summarize --help"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve jobs, as the command line says (by default that of this process)."""
    return run(lambda: _serve(parsed(sys.argv[1:] if argv is None else argv)))


def _serve(options: Options) -> NoReturn:
    from memcli.summarize import child

    child.main(options)


def parsed(argv: Sequence[str]) -> Options:
    """The options of a command line. Raises Usage."""
    given = vars(_parser().parse_args(argv))
    if given["backend"] is None:
        given["backend"] = "program" if given["summarizer"] else "command" if given["command"] else "embedded"
    return checked(Options(**given))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="memcli summarize",
        description="The summarizer child: jobs as JSON lines on stdin, results on stdout. "
        "Example: memcli summarize < jobs.jsonl",
        epilog="Keys are taken from ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN alone.",
    )
    add = parser.add_argument
    add("--backend", choices=_choices("backend"), help="who writes [by the other options, else embedded]")
    add("--model", default="", help=f"the model to ask [of anthropic: {DEFAULT_MODEL}]")
    add("--base-url", default="", metavar="URL", help="a server that speaks the Messages API")
    add("--auth-header", default="", choices=_choices("auth_header"), help="where the server expects the key [bearer]")
    add("--api-version", default="", metavar="DATE", help="the version of the API to ask for")
    add("--dialect", default="", choices=_choices("dialect"), help="what the server understands [by its host]")
    add("--command", default="", metavar="CMD", help="a command: prompt on stdin, answer on stdout")
    add("--summarizer", default="", metavar="CMD", help="a program that speaks the protocol")
    add("--effort", default=Options().effort, help='how hard to think [%(default)s]; "" leaves it to the service')
    add("--cache-ttl", default="5m", choices=_choices("cache_ttl"), help="of cache marks [%(default)s]")
    add("--timeout", type=float, default=Options().timeout, metavar="SECONDS", help="of one question [%(default)g]")
    add("--prompt-file", default="", metavar="PATH", help="a prompt instead of ours")
    add("--jobs", type=int, default=Options().jobs, metavar="N", help="how many at a time [%(default)s]")
    return parser


def _choices(field: str) -> list[str]:
    return [choice for choice in get_args(get_type_hints(Options)[field]) if choice]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong the way every verb does."""

    def error(self, message: str) -> NoReturn:
        raise Usage(message, HINT)


if __name__ == "__main__":
    sys.exit(main())
