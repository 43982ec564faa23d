"""Shown: how the memory spells what a session works with: turns, paths, commands, tools.

Paths and commands are told as one would type them in the project's root, so that they can be used as they stand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memcli.ledger.clean import ELISION, clip
from memcli.memory.quoting import shortened, spelled
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger

_ENTERED = pattern(r"^cd \S+(?: && |; | )")


def turn_mark(ledger: Ledger, index: int) -> str:
    """The number of the turn an event belongs to, as it stands before a line: what came first, what superseded it."""
    number = ledger.state.turns.at(index)
    return f"[t{number}] " if number else ""


def shown_path(path: str, root: str) -> str:
    """A path as the memory spells it: below the project's root without the root."""
    return path.removeprefix(root.rstrip("/") + "/") if root else path


def local(command: str, root: str) -> str:
    """A command as one would type it in the project's root; elsewhere in it the root is elided, not dropped."""
    if not root:
        return command
    command = re.sub(rf"^cd {re.escape(root)}/?(?: && |; | )", "", command)
    return command.replace(root.rstrip("/") + "/", "…/")


def shown_command(command: str, root: str, limit: int) -> str:
    """A command as code. Where it is too long it loses its middle: what was asked for often stands at its end; unless
    that would cost much more of it, as with an address in its midst.
    """
    line = entered(command, root, limit)
    head, both = clip(line, limit), shortened(line, limit)
    return spelled(both if len(both) + len(ELISION) * 3 >= len(head) else head, limit)


def entered(command: str, root: str, limit: int) -> str:
    """`local`, and where it is too long without the folder that it enters first, if enough is left to be shown."""
    line = local(command, root)
    rest = _ENTERED.sub("", line) if len(line) > limit else line
    return rest if len(clip(rest, limit)) >= min(len(line), limit) // 2 else line


def tool_of(kind: str, key: str) -> str:
    """The tool of a call whose input does not tell what it does, with a space behind it; `key` is that of a deed."""
    return f"{key.split(':', 2)[1]} " if kind == "other" and key.startswith("call:") else ""
