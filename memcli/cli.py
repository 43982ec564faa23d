"""The command line: one thin function a verb. What a verb does stands in `memcli.commands`, imported when it runs."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memcli import __version__, options

if TYPE_CHECKING:
    from memcli.commands.watch import Live


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


@app.command(cls=options.Verb)
def watch(
    context: typer.Context,
    paths: options.Paths = None,
    backend: options.Backend = None,
    command: options.Command = None,
    summarizer: options.Summarizer = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    auth_header: options.AuthHeader = None,
    strategy: options.Strategy = None,
    max_cost_per_hour: options.MaxCost = None,
    prompt_file: options.PromptFile = None,
    budget: options.Budget = None,
    init_tokens: options.InitTokens = None,
    update_tokens: options.UpdateTokens = None,
    update_tool_calls: options.UpdateToolCalls = None,
    min_update_tokens: options.MinUpdateTokens = None,
    every_turn: options.EveryTurn = False,
    jobs: options.Jobs = None,
    context_limit: options.ContextLimit = None,
    on_limit: options.OnLimit = None,
    claude_code: options.ClaudeCode = False,
    codex: options.Codex = False,
    pi: options.Pi = False,
    openclaw: options.OpenClaw = False,
    project: options.Project = None,
    everything: options.All = False,
    from_hook: options.FromHook = False,
    metrics: options.Metrics = None,
    as_json: options.AsLines = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Follow transcripts as they grow and keep session-memory.md beside them.

    Example: memcli watch run.jsonl --context-limit 150000
    """
    from memcli.commands.watch import watch as run

    live = _live(context.params)
    code = run(paths or [], _given(context), live, metrics=metrics, as_json=as_json, quiet=quiet, verbose=verbose)
    raise typer.Exit(code)


@app.command(cls=options.Verb)
def stop(
    path: options.Transcript = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Stop the daemon that watches a transcript.

    Example: memcli stop run.jsonl
    """
    from memcli.commands.stop import stop as run

    raise typer.Exit(run(path, as_json=as_json, quiet=quiet))


@app.command(cls=options.Verb)
def compact(
    context: typer.Context,
    path: options.Source = None,
    output: options.Output = None,
    to: options.Form = None,
    in_place: options.InPlace = False,
    session: options.AsSession = False,
    resume: options.Resume = False,
    fresh: options.Fresh = False,
    keep_turns: options.KeepTurns = None,
    keep_tokens: options.KeepTokens = None,
    backend: options.Backend = None,
    command: options.Command = None,
    summarizer: options.Summarizer = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    budget: options.Budget = None,
    wait: options.Wait = None,
    as_json: options.OnStderr = False,
    quiet: options.Quiet = False,
) -> None:
    """Print the compacted transcript at once: the memory, then the messages it does not cover.

    At a terminal, without PATH, in a directory with sessions of an agent: as --session.

    Example: memcli compact run.jsonl > small.jsonl
    """
    from memcli.commands.compact import Wish
    from memcli.commands.compact import compact as run

    wish = Wish(
        output=None if str(output) == "-" else output,
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


@app.command(cls=options.Verb)
def update(
    context: typer.Context,
    path: options.Transcript = None,
    check: options.Check = False,
    backend: options.Backend = None,
    command: options.Command = None,
    summarizer: options.Summarizer = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    auth_header: options.AuthHeader = None,
    strategy: options.Strategy = None,
    max_cost_per_hour: options.MaxCost = None,
    prompt_file: options.PromptFile = None,
    budget: options.Budget = None,
    wait: options.Wait = None,
    line: options.Line = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Bring the memory up to date once, and exit.

    Example: memcli update run.jsonl
    """
    path = _meant(path, "update", quiet=quiet)
    from memcli.commands.update import update as run

    raise typer.Exit(run(path, _given(context), check=check, line=line, as_json=as_json, quiet=quiet, verbose=verbose))


@app.command(cls=options.Verb)
def status(
    path: options.Transcript = None,
    cost: options.Cost = False,
    line: options.StatusLine = False,
    as_json: options.AsJson = False,
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


@app.command(cls=options.Verb)
def compare(
    context: typer.Context,
    path: options.Transcript = None,
    backend: options.Backend = None,
    command: options.Command = None,
    summarizer: options.Summarizer = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    auth_header: options.AuthHeader = None,
    max_cost_per_hour: options.MaxCost = None,
    prompt_file: options.PromptFile = None,
    budget: options.Budget = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Replay a transcript and compact it in three ways: waits, tokens, dollars and cache hits side by side.

    Example: memcli compare run.jsonl --model claude-haiku-5-5
    """
    path = _meant(path, "compare", quiet=quiet)
    from memcli.commands.compare import compare as run

    raise typer.Exit(run(path, _given(context), as_json=as_json, quiet=quiet))


@app.command(cls=options.Verb)
def chat(
    context: typer.Context,
    path: options.Conversation = None,
    model: options.TalksTo = None,
    base_url: options.BaseUrl = None,
    auth_header: options.AuthHeader = None,
    context_limit: options.CompactAt = None,
    strategy: options.Way = None,
    memory_model: options.MemoryModel = None,
    backend: options.MemoryBackend = None,
    budget: options.Budget = None,
    max_cost_per_hour: options.MaxCost = None,
    quiet: options.Quiet = False,
) -> None:
    """Talk to a model; the conversation is kept in FILE, and compacted before its context is full.

    Example: memcli chat notes.jsonl --model claude-haiku-5-5
    """
    from memcli.commands.chat import chat as run

    raise typer.Exit(run(path, _given(context), strategy=strategy, memory_model=memory_model, quiet=quiet))


@app.command(cls=options.Verb)
def show(path: options.Transcript = None, as_json: options.AsJson = False) -> None:
    """Print the session memory.

    Example: memcli show run.jsonl
    """
    path = _meant(path, "show")
    from memcli.commands.show import show as run

    raise typer.Exit(run(path, as_json=as_json))


@app.command(cls=options.Verb)
def history(path: options.Transcript = None, as_json: options.AsJson = False) -> None:
    """List the generations of the memory, oldest first.

    Example: memcli history run.jsonl
    """
    path = _meant(path, "history")
    from memcli.commands.history import history as run

    raise typer.Exit(run(path, as_json=as_json))


@app.command(cls=options.Verb)
def undo(
    path: options.Transcript = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Bring back the transcript as it was before the last `compact --in-place`.

    Example: memcli undo run.jsonl
    """
    path = _meant(path, "undo", quiet=quiet)
    from memcli.commands.undo import undo as run

    raise typer.Exit(run(path, as_json=as_json, quiet=quiet))


@app.command(cls=options.Verb)
def where(path: options.Transcript = None, as_json: options.AsJson = False) -> None:
    """Print where the memory of a transcript lies.

    Example: cat "$(memcli where run.jsonl)"
    """
    path = _meant(path, "where")
    from memcli.commands.where import where as run

    raise typer.Exit(run(path, as_json=as_json))


@app.command(cls=options.Verb)
def install(
    host: options.Host,
    project: options.OfProject = False,
    user: options.OfUser = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Put hooks into a client's settings, so that its sessions are watched and compactions lose nothing.

    Example: memcli install claude-code --dry-run
    """
    from memcli.commands.install import Wish
    from memcli.commands.install import install as run

    raise typer.Exit(run(Wish(host, project, user, dry_run, yes, quiet, as_json)))


@app.command(cls=options.Verb)
def uninstall(
    host: options.Host,
    project: options.OfProject = False,
    user: options.OfUser = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Take those hooks out again, and nothing else.

    Example: memcli uninstall claude-code --dry-run
    """
    from memcli.commands.install import Wish
    from memcli.commands.install import uninstall as run

    raise typer.Exit(run(Wish(host, project, user, dry_run, yes, quiet, as_json)))


@app.command(cls=options.Verb)
def hook(event: options.Event = None) -> None:
    """What a client's hooks run, with the facts of the event as JSON on stdin. It never fails, and says little.

    Example: memcli hook session-start < event.json
    """
    from memcli.commands.hook import hook as run

    raise typer.Exit(run(event))


@app.command(cls=options.Verb)
def schema(name: options.ReportName = None) -> None:
    """Print the JSON Schema of what a verb prints with --json.

    Example: memcli schema status
    """
    from memcli.commands.schema import schema as run

    raise typer.Exit(run(" ".join(name or [])))


@app.command(cls=options.Verb)
def completion(shell: options.Shell) -> None:
    """Print the completion script of a shell.

    It goes where the shell looks for it: ~/.local/share/bash-completion/completions/memcli, a directory of $fpath as
    _memcli, or ~/.config/fish/completions/memcli.fish. Or it is evaluated in the shell's startup file.

    Example: eval "$(memcli completion bash)"
    """
    from memcli.commands.completion import completion as run

    raise typer.Exit(run(shell, typer.main.get_command(app)))


@app.command(cls=options.Verb)
def man(verb: options.PageOf = None, output: options.PagesIn = None) -> None:
    """Print a manual page.

    Example: memcli man compact | man -l -
    """
    from memcli.commands.man import man as run

    raise typer.Exit(run(verb or [], output, typer.main.get_command(app)))


# The child reads its options itself: the daemon starts it without typer.
@app.command(
    cls=options.Verb, add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def summarize(context: typer.Context) -> None:
    """The summarizer child: jobs as JSON lines on stdin, results on stdout. Started by the daemon.

    Example: memcli summarize < jobs.jsonl
    """
    from memcli.summarize.__main__ import main

    raise typer.Exit(main(context.args))


@config.command("show", cls=options.Verb)
def config_show(as_json: options.AsJson = False) -> None:
    """Print every setting, its value and where it comes from.

    Example: memcli config show
    """
    from memcli.commands.config_show import config_show as run

    raise typer.Exit(run(as_json=as_json))


# What is no option of ours is one of `watch`, and is checked as such before anything is written.
@service.command("install", cls=options.Verb, context_settings={"ignore_unknown_options": True})
def service_install(
    words: options.Watched = None,
    dry_run: options.UnitOnly = False,
    no_start: options.NoStart = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a unit for systemd (a property list for launchd) and start it; without PATHs for all of Claude Code.

    Example: memcli service install ~/agents --context-limit 150000
    """
    from memcli.commands.service import Wish
    from memcli.commands.service import install as run

    raise typer.Exit(run(Wish(_watched(words) if words else (), dry_run, no_start, quiet, as_json)))


@service.command("uninstall", cls=options.Verb)
def service_uninstall(as_json: options.AsJson = False, quiet: options.Quiet = False) -> None:
    """Stop the service and remove its file, and nothing else.

    Example: memcli service uninstall
    """
    from memcli.commands.service import uninstall as run

    raise typer.Exit(run(as_json=as_json, quiet=quiet))


@service.command("status", cls=options.Verb)
def service_status(as_json: options.AsJson = False) -> None:
    """Tell whether the service runs: exit code 0 if so, 3 if none is installed, else 1.

    Example: memcli service status --json
    """
    from memcli.commands.service import status as run

    raise typer.Exit(run(as_json=as_json))


def _watched(words: list[str]) -> tuple[str, ...]:
    """The words of `watch`; where they name no sessions, those that name the default ones stand before them.

    Raises what typer, and `watch`, raise for words that are wrong.
    """
    from memcli.commands.service import DEFAULT
    from memcli.commands.watch import checked
    from memcli.making import setup

    program = typer.main.get_command(app)
    context = program.commands["watch"].make_context("memcli watch", list(words))  # type: ignore[attr-defined]  # a group
    paths, live = context.params["paths"] or [], _live(context.params)
    if not (paths or live.hosts or live.project or live.all):
        return _watched([*DEFAULT, *words])
    checked(paths, live)
    setup.load(_given(context), quiet=True)
    return tuple(words)


def _live(said: dict[str, Any]) -> Live:
    """Which live sessions `watch` was told to follow."""
    from memcli.commands.watch import Live

    hosts = {"claude-code": "claude_code", "codex": "codex", "pi": "pi", "openclaw": "openclaw"}
    asked = tuple(host for host, name in hosts.items() if said[name])
    return Live(asked, said["project"], said["everything"], said["from_hook"])
