"""The options and arguments of the command line, each declared once; and the help that shows them.

An option stands under its heading in the help of a verb that has many. Those that are settings have the same headings
as in `memcli config show`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = "What is done"
FOLLOWED = "What is watched"
WRITER = "Who writes"
WRITTEN = "What is written"
WHEN = "When"
LIMIT = "At the limit"
OUTPUT = "Output"
HEADINGS = (ASKED, FOLLOWED, WRITER, WRITTEN, WHEN, LIMIT, OUTPUT)

FEW = 12
"""So many options need no headings."""


class Verb(TyperCommand):
    """A verb whose help shows many options under headings, which typer does where it prints with rich alone."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then options, heading by heading."""
        params = [param for param in self.get_params(ctx) if param.get_help_record(ctx)]
        options = [param for param in params if param.param_type_name == "option"]
        self._list(ctx, formatter, "Arguments", [param for param in params if param not in options])
        if len(options) <= FEW:
            self._list(ctx, formatter, "Options", options)
            return
        for heading in HEADINGS:
            here = [one for one in options if (getattr(one, "rich_help_panel", None) or OUTPUT) == heading]
            self._list(ctx, formatter, heading, here)

    def _list(self, ctx: Any, formatter: Any, heading: str, params: list[Any]) -> None:
        if params:
            with formatter.section(heading):
                formatter.write_dl(list(self._rows(ctx, params)))

    def _rows(self, ctx: Any, params: list[Any]) -> Iterator[tuple[str, str]]:
        for param in params:
            name, meaning = param.get_help_record(ctx)
            yield name.partition(" <")[0], meaning  # the type that typer puts behind the name of an argument


def _option(meaning: str, *names: str, value: str | None = None, under: str | None = None) -> Any:
    """An option; without `names` it is called as its parameter is. `value`: what stands for its value in the help."""
    return typer.Option(*names, metavar=value, rich_help_panel=under, help=meaning)


# ------------------------------------------------------------------ of many verbs

Transcript = Annotated[
    Path | None, typer.Argument(metavar="PATH", help="The transcript; may be left out where only one can be meant.")
]
Quiet = Annotated[bool, _option("Say nothing on stderr unless something is wrong.", "-q", "--quiet", under=OUTPUT)]
Verbose = Annotated[bool, _option("Say more on stderr.", "-v", "--verbose", under=OUTPUT)]
AsJson = Annotated[bool, _option("Print JSON; `memcli schema` tells its form.", "--json", under=OUTPUT)]
DryRun = Annotated[bool, _option("Only show the change.", "--dry-run")]

# ------------------------------------------------------------------ settings

Backend = Annotated[
    str | None, _option("Who writes: auto, anthropic, command or embedded. [default: auto]", value="NAME", under=WRITER)
]
Command = Annotated[
    str | None, _option("A command that reads a prompt on stdin and prints text.", value="CMD", under=WRITER)
]
Summarizer = Annotated[str | None, _option("A program that speaks the summarizer protocol.", value="CMD", under=WRITER)]
Model = Annotated[str | None, _option("The model that writes. [default: claude-haiku-5-5]", value="NAME", under=WRITER)]
BaseUrl = Annotated[str | None, _option("A server that speaks the Messages API.", value="URL", under=WRITER)]
AuthHeader = Annotated[
    str | None, _option("How the key is sent: bearer or x-api-key. [default: bearer]", value="NAME", under=WRITER)
]
MaxCost = Annotated[float | None, _option("What models may cost in an hour.", value="USD", under=WRITER)]
Strategy = Annotated[
    str | None,
    _option("What a model sees: incremental, cached, traditional. [default: incremental]", value="NAME", under=WRITTEN),
]
PromptFile = Annotated[str | None, _option("A prompt of your own.", value="FILE", under=WRITTEN)]
Budget = Annotated[int | None, _option("Size of the whole memory. [default: 4000]", value="TOKENS", under=WRITTEN)]
InitTokens = Annotated[int | None, _option("Context size of the first memory. [default: 10000]", value="N", under=WHEN)]
UpdateTokens = Annotated[int | None, _option("Growth that asks for an update. [default: 5000]", value="N", under=WHEN)]
UpdateToolCalls = Annotated[
    int | None, _option("Tool calls that ask for an update. [default: 3]", value="N", under=WHEN)
]
MinUpdateTokens = Annotated[
    int | None, _option("No update before so much growth. [default: 1500; embedded 0]", value="N", under=WHEN)
]
EveryTurn = Annotated[bool, _option("Update after every turn.", "--every-turn", under=WHEN)]
Jobs = Annotated[int | None, _option("Updates in flight, all transcripts. [default: 4]", value="N", under=WHEN)]
Wait = Annotated[float | None, _option("How long to wait for an update in flight.", value="SECONDS", under=WHEN)]
ContextLimit = Annotated[
    int | None, _option("At this context size write STEM.compacted.jsonl.", value="N", under=LIMIT)
]
OnLimit = Annotated[str | None, _option("Then run this command.", value="CMD", under=LIMIT)]

# ------------------------------------------------------------------ watch

Paths = Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Transcripts, or directories of them.")]
ClaudeCode = Annotated[
    bool, _option("Follow Claude Code's live sessions of this directory's project.", "--claude-code", under=FOLLOWED)
]
Codex = Annotated[bool, _option("The same of Codex.", "--codex", under=FOLLOWED)]
Pi = Annotated[bool, _option("The same of pi.", "--pi", under=FOLLOWED)]
OpenClaw = Annotated[bool, _option("The same of OpenClaw.", "--openclaw", under=FOLLOWED)]
Project = Annotated[Path | None, _option("Those of another project.", value="DIR", under=FOLLOWED)]
All = Annotated[bool, _option("Those of all projects.", "--all", under=FOLLOWED)]
FromHook = Annotated[bool, typer.Option("--from-hook", hidden=True)]
Metrics = Annotated[
    str | None, _option("Metrics for Prometheus: in FILE.prom, or at PORT or HOST:PORT.", value="WHERE", under=OUTPUT)
]
AsLines = Annotated[bool, _option("Print what happens as lines of JSON.", "--json", under=OUTPUT)]

# ------------------------------------------------------------------ compact, update, status

Source = Annotated[
    str | None, typer.Argument(metavar="PATH", help="The transcript, or - for stdin.", show_default=False)
]
Output = Annotated[Path | None, _option("Write here instead of stdout.", "-o", "--output", value="FILE", under=ASKED)]
Form = Annotated[
    str | None,
    _option("Print messages (Anthropic Messages JSONL) or markdown (to paste) instead.", value="FORM", under=ASKED),
]
InPlace = Annotated[
    bool, _option("Replace the transcript itself; a backup is kept for `memcli undo`.", "--in-place", under=ASKED)
]
AsSession = Annotated[
    bool, _option("Write it as a new session of its agent; print how to resume it.", "--session", under=ASKED)
]
Resume = Annotated[bool, _option("The same, and resume it at once.", "--resume", under=ASKED)]
Fresh = Annotated[bool, _option("Make the memory anew from everything, and wait for it.", "--fresh", under=ASKED)]
KeepTurns = Annotated[
    int | None, _option("Keep the last N turns verbatim; 0 is the bare swap. [default: 1]", value="N", under=ASKED)
]
KeepTokens = Annotated[
    int | None, _option("Keep whole rounds of at most N covered tokens. [default: 4000]", value="N", under=ASKED)
]
OnStderr = Annotated[bool, _option("Tell on stderr as JSON what was done.", "--json", under=OUTPUT)]
Check = Annotated[bool, _option("Change nothing; exit 0 if the memory is current, 4 if not.", "--check", under=ASKED)]
Line = Annotated[
    int | None, _option("Which line of a file with one whole conversation a line.", value="N", under=ASKED)
]
Cost = Annotated[bool, _option("Tell what models were paid for this memory.", "--cost")]
StatusLine = Annotated[
    bool, _option("One short line for a status bar; with - of what Claude Code says on stdin.", "--line")
]

# ------------------------------------------------------------------ chat

Conversation = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The transcript to begin or go on with. [default: a new one here]")
]
TalksTo = Annotated[str | None, _option("The model to talk to. [default: claude-haiku-5-5]", value="NAME")]
CompactAt = Annotated[int | None, _option("Compact at this context size. [default: 100000]", value="N")]
Way = Annotated[str | None, _option("How: instant, cached, traditional. [default: instant]", value="NAME")]
MemoryBackend = Annotated[
    str | None, _option("Who writes the memory: auto, anthropic, command or embedded. [default: auto]", value="NAME")
]
MemoryModel = Annotated[str | None, _option("The model that writes the memory. [default: the same]", value="NAME")]

# ------------------------------------------------------------------ install, service

Host = Annotated[str, typer.Argument(metavar="HOST", help="The client: claude-code.")]
OfProject = Annotated[bool, _option("In the settings of the current directory's project.", "--project")]
OfUser = Annotated[bool, _option("In the user's own settings. This is the default.", "--user")]
Yes = Annotated[bool, _option("Do not ask.", "--yes")]
Watched = Annotated[
    list[str] | None, typer.Argument(metavar="PATH", help="What is watched; and any other option of `memcli watch`.")
]
UnitOnly = Annotated[bool, _option("Only show the file that would be written.", "--dry-run")]
NoStart = Annotated[bool, _option("Only write it.", "--no-start")]

# ------------------------------------------------------------------ what shells and readers ask for

Event = Annotated[str | None, typer.Argument(metavar="EVENT", help="session-start or pre-compact.")]
ReportName = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="A verb that has --json; without one all are listed.")
]
Shell = Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell to complete in.")]
PageOf = Annotated[list[str] | None, typer.Argument(metavar="VERB", help="The verb; without one, memcli itself.")]
PagesIn = Annotated[Path | None, _option("Write all pages into this directory.", "-o", "--output", value="DIR")]
