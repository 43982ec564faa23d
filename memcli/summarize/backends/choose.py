"""Which backend the options ask for. Each is imported only here and only if it is asked for: the embedded one needs
neither processes nor the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.errors import Usage

if TYPE_CHECKING:
    from memcli.summarize.options import Options
    from memcli.summarize.request import Backend, Writer


def choose(options: Options) -> Backend | Writer | None:
    """Who writes; None for "embedded": nobody does. Raises Usage for a command line that is none."""
    match options.backend:
        case "embedded":
            return None
        case "anthropic":
            from memcli.summarize.backends.anthropic import Anthropic

            return Anthropic(options)
        case "command":
            return _command(options)
        case "program":
            return _program(options)


def _command(options: Options) -> Backend:
    from memcli.summarize.backends.command import Command

    try:
        return Command(options)
    except ValueError as error:
        raise Usage(f"--command is no command: {error}", "memcli watch --command 'claude -p'") from error


def _program(options: Options) -> Writer:
    from memcli.summarize.backends.program import Program

    try:
        return Program(options)
    except ValueError as error:
        raise Usage(f"--summarizer is no command: {error}", "memcli watch --summarizer ./summarizer.py") from error
