"""`memcli install claude-code` and `memcli uninstall claude-code`: our hooks in the client's settings, and out again.

The change is printed as a diff before anything is written; then the person is asked, unless they said `--yes`. With
`--json` nobody is asked: a program says `--yes`, or `--dry-run`.
"""

from __future__ import annotations

import difflib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memcli.edge import printable
from memcli.errors import TryAgain, Usage
from memcli.hosts import claude_code
from memcli.hosts.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.hosts.installation import Change, Plan


class Wish(NamedTuple):
    """What the command line asks for: the user's settings, unless `project`."""

    host: str
    project: bool = False
    user: bool = False
    dry_run: bool = False
    yes: bool = False
    quiet: bool = False
    as_json: bool = False


def install(wish: Wish) -> int:
    """Exit code 0 when the hooks stand there, or were only shown; 1 if the person said no. Raises Usage."""
    installation = Installation(_place(wish, "install"))
    plan = installation.to_install()
    if not plan.changes:
        _say(wish, f"the hooks stand in {installation.settings} already")
        return _reported(wish, installation, plan)
    code = _carry_out(wish, "install", installation, plan)
    if not code and not wish.dry_run:
        _say(wish, "the next session of the client starts a watcher; `memcli status` tells what it does")
    return code


def uninstall(wish: Wish) -> int:
    """Exit code 0 when nothing of ours is left, or it was only shown; 1 if the person said no. Raises Usage."""
    installation = Installation(_place(wish, "uninstall"))
    plan = installation.to_uninstall()
    if not plan.changes:
        _say(wish, f"nothing of memcli stands in {installation.settings}")
        installation.carry_out(plan)
        return _reported(wish, installation, plan)
    return _carry_out(wish, "uninstall", installation, plan)


def _place(wish: Wish, verb: str) -> Path:
    if wish.host != claude_code.NAME:
        raise Usage(f"there is nothing to {verb} for {wish.host}", f"memcli {verb} {claude_code.NAME} --dry-run")
    if wish.project and wish.user:
        raise Usage("--project and --user name two places", f"memcli {verb} {claude_code.NAME} --project --dry-run")
    return Path.cwd() / ".claude" if wish.project else claude_code.config_dir()


def _carry_out(wish: Wish, verb: str, installation: Installation, plan: Plan) -> int:
    for line in (line for change in plan.changes for line in _diff(change) if not wish.as_json):
        print(line)
    if wish.dry_run:
        return _reported(wish, installation, plan)
    if not wish.yes and not _asked(wish, verb):
        _say(wish, "nothing was changed")
        return 1
    try:
        installation.carry_out(plan)
    except TryAgain as error:
        error.hint = f"memcli {verb} {wish.host}{' --project' if wish.project else ''} --dry-run"
        raise
    for change in plan.changes:
        _say(wish, f"{'removed' if change.after is None else 'wrote'} {shlex.quote(str(change.path))}")
    return _reported(wish, installation, plan, written=True)


def _reported(wish: Wish, installation: Installation, plan: Plan, *, written: bool = False) -> int:
    """Exit code 0, after the report if one is asked for."""
    if wish.as_json:
        from memcli.commands.reports import FileChange, Install

        changes = tuple(FileChange(str(change.path), change.kind, "\n".join(_diff(change))) for change in plan.changes)
        report = Install(host=wish.host, settings=str(installation.settings), written=written, changes=changes)
        print(report.to_line())
    return 0


def _diff(change: Change) -> Iterator[str]:
    """A unified diff, line by line, without control characters."""
    before, after = ((text or "").splitlines() for text in (change.before, change.after))
    was, becomes = (str(change.path) if text is not None else "/dev/null" for text in (change.before, change.after))
    for line in difflib.unified_diff(before, after, was, becomes, lineterm=""):
        yield line[:1] + printable(line[1:].replace("\t", "    "))


def _asked(wish: Wish, verb: str) -> bool:
    if wish.as_json or not sys.stdin.isatty():
        more = (" --project" if wish.project else "") + (" --json" if wish.as_json else "")
        raise Usage("nobody is there to say yes to this change", f"memcli {verb} {wish.host}{more} --yes")
    sys.stderr.write("Write this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say(wish: Wish, sentence: str) -> None:
    if not (wish.quiet or wish.as_json):
        print(f"memcli: {sentence}", file=sys.stderr)
