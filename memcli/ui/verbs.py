"""The verbs as data: what the command line declares, read once for completions and manual pages alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from memcli.settings import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Option(NamedTuple):
    """An option by its names, or an argument (no names). `value` is what it is called in help texts, "" for a flag."""

    names: tuple[str, ...]
    value: str
    meaning: str
    choices: tuple[str, ...] = ()
    several: bool = False

    @property
    def kind(self) -> str:
        """What may stand there: "transcript", "file", "directory", "choice", or "" for anything else."""
        if self.choices:
            return "choice"
        return {"PATH": "transcript", "FILE": "file", "DIR": "directory"}.get(self.value, "")


class Verb(NamedTuple):
    """A verb, or a group of verbs. `words` are those after `memcli`; none for the program itself."""

    words: tuple[str, ...]
    says: str
    example: str
    after: str
    options: tuple[Option, ...]
    arguments: tuple[Option, ...]
    verbs: tuple[Verb, ...] = ()

    @property
    def name(self) -> str:
        """As it is typed, `memcli` included."""
        return " ".join(("memcli", *self.words))

    @property
    def summary(self) -> str:
        """The first sentence of what it says, without its point."""
        return self.says.partition(". ")[0].rstrip(".")


def tree(command: Any, words: tuple[str, ...] = ()) -> Verb:
    """What typer made of the declarations (`typer.main.get_command`); it has no public type."""
    says, _, example = (command.help or "").partition("Example: ")
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    options = [_option(param) for param in shown if param.param_type_name == "option"]
    if command.add_help_option:
        options.append(Option(("-h", "--help"), "", "Show this message and exit."))
    verbs = getattr(command, "commands", {})
    return Verb(
        words=words,
        says=" ".join(says.split()),
        example=example.strip(),
        after=" ".join((command.epilog or "").split()),
        options=tuple(options),
        arguments=tuple(_option(param) for param in shown if param.param_type_name == "argument"),
        verbs=tuple(tree(verb, (*words, name)) for name, verb in verbs.items() if not verb.hidden),
    )


def every(verb: Verb) -> Iterator[Verb]:
    """The verb, then all below it, in the order of the help texts."""
    yield verb
    for below in verb.verbs:
        yield from every(below)


def _option(param: Any) -> Option:
    is_option = param.param_type_name == "option"
    value = "" if is_option and param.is_flag else re.sub(r"[\[\].]", "", param.metavar or param.name.upper())
    known = KEYS[param.name].choices if is_option and param.name in KEYS else ()
    # A value in small letters is not the name of one but itself.
    choices = tuple(value.split("|")) if value and value == value.lower() else known
    names = (*sorted(param.opts, key=len), *param.secondary_opts) if is_option else ()
    return Option(names, value, param.help or "", choices, param.multiple or param.nargs == -1)
