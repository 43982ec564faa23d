"""The command line: one thin function a verb. What a verb does stands in `memcli.commands`, imported when it runs."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from memcli import __version__


class _Verbs(typer.Typer):
    """Builds no verb but the one that is asked for: typer would build all of them, with all their options, at every
    start. Where none is named, or none of ours, all are there, for the help and for what to suggest.
    """

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Run what the command line says."""
        verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        everything = commands, groups = self.registered_commands, self.registered_groups
        self.registered_commands = [one for one in commands if one.callback and one.callback.__name__ == verb]
        self.registered_groups = [one for one in groups if one.name == verb]
        if not (self.registered_commands or self.registered_groups):
            self.registered_commands, self.registered_groups = everything
        try:
            built = typer.main.get_command(self)
        finally:
            self.registered_commands, self.registered_groups = everything
        return built(*args, **named)


app = _Verbs(
    name="memcli",
    help="Keeps a session memory beside an agent's transcript, and compacts the conversation in an instant.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 nothing there, 4 memory stale or foreign, 5 already watched, "
    "70 internal error, 75 try again later, 130 interrupted, 141 pipe closed, 143 terminated.",
    no_args_is_help=True,
    add_completion=False,  # `completion` prints scripts that start no program at a press of Tab
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
config = typer.Typer(help="Settings and where they come from.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config, name="config")
service = typer.Typer(
    help="Keep `memcli watch` running as a service of yours.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(service, name="service")

Transcript = Annotated[
    Path | None,
    typer.Argument(metavar="[PATH]", help="The transcript; may be left out where only one can be meant."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing on stderr unless something is wrong.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more on stderr.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; `memcli schema` tells its form.")]
Backend = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who writes: auto, anthropic, command or embedded. [default: auto]"),
]
Command = Annotated[
    str | None, typer.Option(metavar="CMD", help="A command that reads a prompt on stdin and prints text.")
]
Summarizer = Annotated[str | None, typer.Option(metavar="CMD", help="A program that speaks the summarizer protocol.")]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="The model that writes. [default: claude-haiku-5-5]")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="A server that speaks the Messages API.")]
AuthHeader = Annotated[
    str | None, typer.Option(metavar="NAME", help="How the key is sent: bearer or x-api-key. [default: bearer]")
]
Strategy = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What a model sees: incremental, cached, traditional. [default: incremental]"),
]
MaxCost = Annotated[float | None, typer.Option(metavar="USD", help="What models may cost in an hour.")]
PromptFile = Annotated[str | None, typer.Option(metavar="FILE", help="A prompt of your own.")]
Budget = Annotated[int | None, typer.Option(metavar="TOKENS", help="Size of the whole memory. [default: 4000]")]
Line = Annotated[int | None, typer.Option(metavar="N", help="Which line of a file with one whole conversation a line.")]
Wait = Annotated[float | None, typer.Option(metavar="SECONDS", help="How long to wait for an update in flight.")]
KeepTurns = Annotated[
    int | None, typer.Option(metavar="N", help="Keep the last N turns verbatim; 0 is the bare swap. [default: 1]")
]
KeepTokens = Annotated[
    int | None, typer.Option(metavar="N", help="Keep whole rounds of at most N covered tokens. [default: 4000]")
]


def _given(context: typer.Context) -> dict[str, object]:
    """The settings on the command line: parameters that are named like one. A flag that is not there says nothing."""
    from memcli.settings import KEYS

    return {name: value for name, value in context.params.items() if name in KEYS and value is not False}


def _meant(path: Path | None, verb: str, *, quiet: bool = False) -> Path:
    """The transcript a verb is to work on, before its module is imported: what is wrong with it is said at once."""
    from memcli.commands.target import target

    return target(path, verb, quiet=quiet)


def _version(wanted: bool) -> None:  # typer calls it so
    if wanted:
        typer.echo(f"memcli {__version__}")
        raise typer.Exit


@app.callback()
def memcli(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Keeps a session memory beside an agent's transcript, and compacts the conversation in an instant."""
    gc.freeze()  # all of the command line, which no verb leaves behind
    gc.enable()


# One parameter an option: typer reads the signature, so this function is longer than it does anything.
@app.command()
def watch(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Transcripts, or directories of them."),
    ] = None,
    backend: Backend = None,
    command: Command = None,
    summarizer: Summarizer = None,
    model: Model = None,
    base_url: BaseUrl = None,
    auth_header: AuthHeader = None,
    strategy: Strategy = None,
    max_cost_per_hour: MaxCost = None,
    prompt_file: PromptFile = None,
    budget: Budget = None,
    init_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Context size of the first memory. [default: 10000]")
    ] = None,
    update_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Growth that asks for an update. [default: 5000]")
    ] = None,
    update_tool_calls: Annotated[
        int | None, typer.Option(metavar="N", help="Tool calls that ask for an update. [default: 3]")
    ] = None,
    min_update_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", help="No update before so much growth. [default: 1500; embedded 0]"),
    ] = None,
    every_turn: Annotated[bool, typer.Option("--every-turn", help="Update after every turn.")] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Updates in flight, all transcripts. [default: 4]")
    ] = None,
    context_limit: Annotated[
        int | None, typer.Option(metavar="N", help="At this context size write STEM.compacted.jsonl.")
    ] = None,
    on_limit: Annotated[str | None, typer.Option(metavar="CMD", help="Then run this command.")] = None,
    claude_code: Annotated[
        bool, typer.Option("--claude-code", help="Follow Claude Code's live sessions of this directory's project.")
    ] = False,
    codex: Annotated[bool, typer.Option("--codex", help="The same of Codex.")] = False,
    pi: Annotated[bool, typer.Option("--pi", help="The same of pi.")] = False,
    project: Annotated[Path | None, typer.Option(metavar="DIR", help="Those of another project.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those of all projects.")] = False,
    from_hook: Annotated[bool, typer.Option("--from-hook", hidden=True)] = False,
    metrics: Annotated[
        str, typer.Option(metavar="WHERE", help="Metrics for Prometheus: in FILE.prom, or at PORT or HOST:PORT.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what happens as lines of JSON.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Follow transcripts as they grow and keep session-memory.md beside them.

    Example: memcli watch run.jsonl --context-limit 150000
    """
    from memcli.commands.watch import Live
    from memcli.commands.watch import watch as run

    asked = {"claude-code": claude_code, "codex": codex, "pi": pi}
    live = Live(tuple(host for host, wanted in asked.items() if wanted), project, everything, from_hook)
    code = run(paths or [], _given(context), live, metrics=metrics, as_json=as_json, quiet=quiet, verbose=verbose)
    raise typer.Exit(code)


@app.command()
def stop(path: Transcript = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Stop the daemon that watches a transcript.

    Example: memcli stop run.jsonl
    """
    from memcli.commands.stop import stop as run

    raise typer.Exit(run(path, as_json=as_json, quiet=quiet))


@app.command()
def compact(
    context: typer.Context,
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="The transcript, or - for stdin.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here instead of stdout.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="FORM", help="Print messages (Anthropic Messages JSONL) or markdown (to paste) instead."),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Replace the transcript itself; a backup is kept for `memcli undo`.")
    ] = False,
    session: Annotated[
        bool, typer.Option("--session", help="Write it as a new session of its agent; print how to resume it.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="The same, and resume it at once.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make the memory anew from everything, and wait for it.")
    ] = False,
    keep_turns: KeepTurns = None,
    keep_tokens: KeepTokens = None,
    backend: Backend = None,
    command: Command = None,
    summarizer: Summarizer = None,
    model: Model = None,
    base_url: BaseUrl = None,
    budget: Budget = None,
    wait: Wait = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell on stderr as JSON what was done.")] = False,
    quiet: Quiet = False,
) -> None:
    """Print the compacted transcript at once: the memory, then the messages it does not cover.

    At a terminal, without PATH, in a directory with sessions of an agent: as --session.

    Example: memcli compact run.jsonl > small.jsonl
    """
    from memcli.commands.compact import Wish
    from memcli.commands.compact import compact as run

    wish = Wish(
        output=output,
        to=to,
        in_place=in_place,
        fresh=fresh,
        keep_turns=keep_turns,
        keep_tokens=keep_tokens,
        budget=budget,
        wait=wait,
        settings=_given(context),
        as_json=as_json,
        quiet=quiet,
    )
    from memcli.commands.session_file import session_file, wanted

    found = wanted(path, wish)
    if session or resume or found:
        raise typer.Exit(session_file(found or (Path(path) if path else None), wish, resume=resume))
    raise typer.Exit(run(path, wish))


@app.command()
def update(
    context: typer.Context,
    path: Transcript = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 0 if the memory is current, 4 if not.")
    ] = False,
    backend: Backend = None,
    command: Command = None,
    summarizer: Summarizer = None,
    model: Model = None,
    base_url: BaseUrl = None,
    auth_header: AuthHeader = None,
    strategy: Strategy = None,
    max_cost_per_hour: MaxCost = None,
    prompt_file: PromptFile = None,
    budget: Budget = None,
    wait: Wait = None,
    line: Line = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Bring the memory up to date once, and exit.

    Example: memcli update run.jsonl
    """
    path = _meant(path, "update", quiet=quiet)
    from memcli.commands.update import update as run

    raise typer.Exit(run(path, _given(context), check=check, line=line, as_json=as_json, quiet=quiet, verbose=verbose))


@app.command()
def status(
    path: Transcript = None,
    cost: Annotated[bool, typer.Option("--cost", help="Tell what models were paid for this memory.")] = False,
    line: Annotated[
        bool, typer.Option("--line", help="One short line for a status bar; with - of what Claude Code says on stdin.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell how current the memory is, how full the context, and who watches.

    Example: memcli status run.jsonl --json
    """
    if line:
        from memcli.commands.status_line import status_line

        raise typer.Exit(status_line(path))
    path = _meant(path, "status")
    from memcli.commands.status import status as run

    raise typer.Exit(run(path, cost=cost, as_json=as_json))


@app.command()
def compare(
    context: typer.Context,
    path: Transcript = None,
    backend: Backend = None,
    command: Command = None,
    summarizer: Summarizer = None,
    model: Model = None,
    base_url: BaseUrl = None,
    auth_header: AuthHeader = None,
    max_cost_per_hour: MaxCost = None,
    prompt_file: PromptFile = None,
    budget: Budget = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Replay a transcript and compact it in three ways: waits, tokens, dollars and cache hits side by side.

    Example: memcli compare run.jsonl --model claude-haiku-5-5
    """
    path = _meant(path, "compare", quiet=quiet)
    from memcli.commands.compare import compare as run

    raise typer.Exit(run(path, _given(context), as_json=as_json, quiet=quiet))


@app.command()
def chat(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The transcript to begin or go on with. [default: a new one here]"),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model to talk to. [default: claude-haiku-5-5]")
    ] = None,
    base_url: BaseUrl = None,
    auth_header: AuthHeader = None,
    context_limit: Annotated[
        int | None, typer.Option(metavar="N", help="Compact at this context size. [default: 100000]")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="How: instant, cached, traditional. [default: instant]")
    ] = None,
    memory_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model that writes the memory. [default: the same]")
    ] = None,
    backend: Backend = None,
    budget: Budget = None,
    max_cost_per_hour: MaxCost = None,
    quiet: Quiet = False,
) -> None:
    """Talk to a model; the conversation is kept in FILE, and compacted before its context is full.

    Example: memcli chat notes.jsonl --model claude-haiku-5-5
    """
    from memcli.commands.chat import chat as run

    raise typer.Exit(run(path, _given(context), strategy=strategy, memory_model=memory_model, quiet=quiet))


@app.command()
def show(path: Transcript = None, as_json: AsJson = False) -> None:
    """Print the session memory.

    Example: memcli show run.jsonl
    """
    path = _meant(path, "show")
    from memcli.commands.show import show as run

    raise typer.Exit(run(path, as_json=as_json))


@app.command()
def history(path: Transcript = None, as_json: AsJson = False) -> None:
    """List the generations of the memory, oldest first.

    Example: memcli history run.jsonl
    """
    path = _meant(path, "history")
    from memcli.commands.history import history as run

    raise typer.Exit(run(path, as_json=as_json))


@app.command()
def undo(path: Transcript = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Bring back the transcript as it was before the last `compact --in-place`.

    Example: memcli undo run.jsonl
    """
    path = _meant(path, "undo", quiet=quiet)
    from memcli.commands.undo import undo as run

    raise typer.Exit(run(path, as_json=as_json, quiet=quiet))


@app.command()
def where(path: Transcript = None, as_json: AsJson = False) -> None:
    """Print where the memory of a transcript lies.

    Example: cat "$(memcli where run.jsonl)"
    """
    path = _meant(path, "where")
    from memcli.commands.where import where as run

    raise typer.Exit(run(path, as_json=as_json))


HostName = Annotated[str, typer.Argument(metavar="HOST", help="The client: claude-code.")]
OfProject = Annotated[bool, typer.Option("--project", help="In the settings of the current directory's project.")]
OfUser = Annotated[bool, typer.Option("--user", help="In the user's own settings. This is the default.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the change.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def install(
    host: HostName,
    project: OfProject = False,
    user: OfUser = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Put hooks into a client's settings, so that its sessions are watched and compactions lose nothing.

    Example: memcli install claude-code --dry-run
    """
    from memcli.commands.install import Wish
    from memcli.commands.install import install as run

    raise typer.Exit(run(Wish(host, project, user, dry_run, yes, quiet)))


@app.command()
def uninstall(
    host: HostName,
    project: OfProject = False,
    user: OfUser = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Take those hooks out again, and nothing else.

    Example: memcli uninstall claude-code --dry-run
    """
    from memcli.commands.install import Wish
    from memcli.commands.install import uninstall as run

    raise typer.Exit(run(Wish(host, project, user, dry_run, yes, quiet)))


@app.command()
def hook(
    event: Annotated[str | None, typer.Argument(metavar="EVENT", help="session-start or pre-compact.")] = None,
) -> None:
    """What a client's hooks run, with the facts of the event as JSON on stdin. It never fails, and says little.

    Example: memcli hook session-start < event.json
    """
    from memcli.commands.hook import hook as run

    raise typer.Exit(run(event))


@app.command()
def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A verb that has --json; without one all are listed.")
    ] = None,
) -> None:
    """Print the JSON Schema of what a verb prints with --json.

    Example: memcli schema status
    """
    from memcli.commands.schema import schema as run

    raise typer.Exit(run(name))


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell to complete in.")],
) -> None:
    """Print the completion script of a shell.

    It goes where the shell looks for it: ~/.local/share/bash-completion/completions/memcli, a directory of $fpath as
    _memcli, or ~/.config/fish/completions/memcli.fish. Or it is evaluated in the shell's startup file.

    Example: eval "$(memcli completion bash)"
    """
    from memcli.commands.completion import completion as run

    raise typer.Exit(run(shell, typer.main.get_command(app)))


@app.command()
def man(
    verb: Annotated[
        list[str] | None, typer.Argument(metavar="[VERB]...", help="The verb; without one, memcli itself.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write all pages into this directory.")
    ] = None,
) -> None:
    """Print a manual page.

    Example: memcli man compact | man -l -
    """
    from memcli.commands.man import man as run

    raise typer.Exit(run(verb or [], output, typer.main.get_command(app)))


# The child reads its options itself: the daemon starts it without typer.
@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def summarize(context: typer.Context) -> None:
    """The summarizer child: jobs as JSON lines on stdin, results on stdout. Started by the daemon.

    Example: memcli summarize < jobs.jsonl
    """
    from memcli.summarize.__main__ import main

    raise typer.Exit(main(context.args))


@config.command("show")
def config_show(as_json: AsJson = False) -> None:
    """Print every setting, its value and where it comes from.

    Example: memcli config show
    """
    from memcli.commands.config_show import config_show as run

    raise typer.Exit(run(as_json=as_json))


# What is no option of ours is one of `watch`, and is checked as such before anything is written.
@service.command("install", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def service_install(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the file that would be written.")] = False,
    no_start: Annotated[bool, typer.Option("--no-start", help="Only write it.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a unit for systemd (a property list for launchd) and start it; without PATHs for all of Claude Code.

    All else that stands here goes to `memcli watch`.

    Example: memcli service install ~/agents --context-limit 150000
    """
    from memcli.commands.service import Wish
    from memcli.commands.service import install as run

    _watch_takes(context.args)
    raise typer.Exit(run(Wish(tuple(context.args), dry_run, no_start, quiet)))


@service.command("uninstall")
def service_uninstall(quiet: Quiet = False) -> None:
    """Stop the service and remove its file, and nothing else.

    Example: memcli service uninstall
    """
    from memcli.commands.service import uninstall as run

    raise typer.Exit(run(quiet=quiet))


@service.command("status")
def service_status(as_json: AsJson = False) -> None:
    """Tell whether the service runs: exit code 0 if so, 3 if none is installed, else 1.

    Example: memcli service status --json
    """
    from memcli.commands.service import status as run

    raise typer.Exit(run(as_json=as_json))


def _watch_takes(words: list[str]) -> None:
    """Raises what typer raises for a command line of `watch` that is wrong."""
    program = typer.main.get_command(app)
    program.commands["watch"].make_context("memcli watch", list(words))  # type: ignore[attr-defined]  # a group
