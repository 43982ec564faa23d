"""Which backend the options ask for. Each is imported only here and only if it is asked for: the embedded one needs
neither processes nor the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memcli.summarize.options import Options
    from memcli.summarize.request import Backend, Writer


def choose(options: Options) -> Backend | Writer | None:
    """Who writes; None for "embedded": nobody does."""
    match options.backend:
        case "embedded":
            return None
        case "anthropic":
            from memcli.summarize.backends.anthropic import Anthropic

            return Anthropic(options)
        case "command":
            from memcli.summarize.backends.command import Command

            return Command(options)
        case "program":
            from memcli.summarize.backends.program import Program

            return Program(options)
