"""Manual pages in the man(7) language, made of the verbs: memcli(1), and a page for each verb, memcli-compact(1) and
so on."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from memcli import __version__
from memcli.settings import KEYS
from memcli.ui.verbs import every

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.ui.verbs import Option, Verb

LONGEST = 66
"""Characters of a line, before what must be escaped in it gets longer; people look at the sources, too."""

_FILES = (
    ("session-memory.md", "the memory, beside the transcript; `memcli where` tells its name"),
    (".memcli/", "what memcli keeps of the transcripts in the same directory"),
    ("memcli.toml", "settings of a project; or [tool.memcli] in pyproject.toml"),
    ("~/.config/memcli/config.toml", "settings of the user, where the system keeps such files"),
)


def pages(program: Verb, day: str) -> Iterator[tuple[str, str]]:
    """The name of each page as a file, and its text. `day` is the date that stands at its foot."""
    verbs = list(every(program))
    for verb in verbs:
        yield f"{_name(verb)}.1", page(verb, verbs, day)


def page(verb: Verb, verbs: list[Verb], day: str) -> str:
    """The page of one verb; `verbs` are all that have one."""
    root = verbs[0]
    parts = [
        f'.TH {_text(_name(verb).upper())} 1 "{day}" "memcli {__version__}" "memcli manual"',
        _section("NAME", f"{_text(_name(verb))} \\-\n{_line(verb.summary[:1].lower() + verb.summary[1:])}"),
        _section("SYNOPSIS", _synopsis(verb)),
        _section("DESCRIPTION", _line(verb.says)),
    ]
    if verb.verbs:
        parts.append(_section("COMMANDS", *(_item(below.words[-1], below.summary) for below in verb.verbs)))
    parts.append(_section("OPTIONS", *map(_option, (*verb.arguments, *verb.options))))
    if verb is root:
        parts.append(_section("EXIT STATUS", _line(verb.after.removeprefix("Exit codes: "))))
        parts.append(_section("ENVIRONMENT", *map(_variable, KEYS)))
        parts.append(_section("FILES", *(_item(name, meaning) for name, meaning in _FILES)))
    if verb.example:
        parts.append(_section("EXAMPLE", f".EX\n{_text(verb.example)}\n.EE"))
    parts.append(_section("SEE ALSO", _others(verb, verbs)))
    return "\n".join(parts) + "\n"


def _name(verb: Verb) -> str:
    return "-".join(("memcli", *verb.words))


def _section(title: str, *body: str) -> str:
    return "\n".join((f".SH {title}", *body))


def _synopsis(verb: Verb) -> str:
    what = ["[OPTIONS]"] if verb.options else []
    what += [f"[{one.value}]{'...' if one.several else ''}" for one in verb.arguments]
    what += ["COMMAND ..."] if verb.verbs else []
    return f".B {_text(verb.name)}\n{_line(' '.join(what))}"


def _option(option: Option) -> str:
    value = f" \\fI{_text(option.value)}\\fR" if option.value else ""
    names = ", ".join(f"\\fB{_text(name)}\\fR{value}" for name in option.names) or value.strip()
    return f".TP\n{names}\n{_line(option.meaning or option.value)}"


def _item(name: str, meaning: str) -> str:
    return f".TP\n\\fB{_text(name)}\\fR\n{_line(meaning)}"


def _variable(key: str) -> str:
    return _item(f"MEMCLI_{key.upper()}", KEYS[key].meaning)


def _others(verb: Verb, verbs: list[Verb]) -> str:
    near = verb.verbs or [one for one in verbs if one.words[:-1] in ((), verb.words[:-1])]
    names = sorted({_name(one) for one in (verbs[0], *near)} - {_name(verb)})
    return "\n".join(f".BR {_text(name)} (1){',' if name != names[-1] else ''}" for name in names)


def _line(text: str) -> str:
    """A paragraph, in short lines: a word at the beginning of one that would be a request is none."""
    lines = map(_text, textwrap.wrap(text, LONGEST, break_long_words=False, break_on_hyphens=False))
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in lines)


def _text(text: str) -> str:
    return (
        text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("~", "\\(ti").replace("^", "\\(ha")
    )
