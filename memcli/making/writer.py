"""Who writes: from the settings and the environment to the summarizer's options, its accounts, and what to say of it.

auto        a program or command if one is named, else a model if a key is there, else nobody: the memory is embedded
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from memcli.edge import near
from memcli.errors import Usage
from memcli.summarize.options import DEFAULT_MODEL, Options, checked
from memcli.watch.accounts import Accounts
from memcli.watch.children import DEADLINE_SECONDS, command

if TYPE_CHECKING:
    from memcli.settings import Settings

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
HOME = "https://api.anthropic.com"

_ATTEMPTS = 3
"""Questions' time without a sign of life, after which the child itself is taken for dead: its own limit is lower."""


class Writer(msgspec.Struct, frozen=True):
    """A summarizer chosen: its options, what people call it, where it sends the conversation, its hourly budget."""

    options: Options
    name: str = "embedded"
    sends: str = "nothing leaves this machine"
    max_cost_per_hour: float | None = None

    @property
    def writes(self) -> bool:
        """False for the embedded backend: the ledger alone."""
        return self.options.backend != "embedded"

    @property
    def argv(self) -> list[str]:
        """The child's command line. No secret stands in it: keys come from the environment."""
        given = msgspec.structs.asdict(self.options)
        plain = msgspec.structs.asdict(Options())
        flags = [(name, value) for name, value in given.items() if value != plain[name]]
        return command([part for name, value in flags for part in (f"--{name.replace('_', '-')}", str(value))])

    @property
    def patience(self) -> float:
        """Seconds after which a child that says nothing is taken for dead."""
        return self.options.timeout * _ATTEMPTS if self.writes else DEADLINE_SECONDS

    @property
    def account(self) -> str:
        """What its accounts are kept under; "" where nothing is asked."""
        if not self.writes:
            return ""
        who = self.options
        return f"{who.backend}\n{who.model}\n{who.base_url}\n{who.command}\n{who.summarizer}"

    @property
    def accounts(self) -> Accounts | None:
        """What it costs and how it is; None where nothing is asked."""
        return Accounts(self.account, self.max_cost_per_hour) if self.account else None


class _Choice(NamedTuple):
    backend: str
    name: str
    sends: str


def chosen(settings: Settings, verb: str = "update") -> Writer:
    """The writer of these settings. Raises Usage for one that cannot work: no key, no command, no prompt file; `verb`
    is for what it says to try."""
    choice = _choice(settings)
    _check_prompt(settings.prompt_file)
    options = Options(
        backend=choice.backend,  # type: ignore[arg-type]  # one of its four
        model=settings.model or (DEFAULT_MODEL if choice.backend == "anthropic" else ""),
        base_url=_base_url(settings) if choice.backend == "anthropic" else "",
        auth_header=settings.auth_header or "",  # type: ignore[arg-type]
        api_version=settings.api_version or "",
        dialect=settings.dialect or "",  # type: ignore[arg-type]
        command=settings.command or "" if choice.backend == "command" else "",
        summarizer=settings.summarizer or "" if choice.backend == "program" else "",
        effort=settings.effort or "low",
        cache_ttl=settings.cache_ttl,  # type: ignore[arg-type]
        timeout=settings.timeout,
        prompt_file=settings.prompt_file or "",
        jobs=settings.jobs,
    )
    limit = settings.max_cost_per_hour if choice.backend != "embedded" else None
    return Writer(checked(options, verb), choice.name, choice.sends, limit)


def _choice(settings: Settings) -> _Choice:
    backend = settings.backend
    if backend == "embedded":
        return _Choice("embedded", "embedded", "nothing leaves this machine")
    if settings.summarizer and backend == "auto":
        return _Choice("program", settings.summarizer, f"to the program {settings.summarizer}")
    if settings.command and backend in ("auto", "command"):
        return _Choice("command", settings.command, f"to the command {settings.command}")
    if backend == "command":
        raise Usage("--backend command needs a command", "memcli update --backend command --command 'llm -m MODEL'")
    # A server of one's own may want no key.
    if any(os.environ.get(key) for key in KEYS) or (backend == "anthropic" and settings.base_url):
        model = settings.model or DEFAULT_MODEL
        return _Choice("anthropic", f"anthropic {model}", f"to {_base_url(settings) or HOME}")
    if backend == "anthropic":
        raise Usage("no key for the anthropic backend is in the environment", "export ANTHROPIC_API_KEY=...")
    return _Choice("embedded", "embedded", "nothing leaves this machine")


def _check_prompt(path: str | None) -> None:
    if path and not os.access(os.path.expanduser(path), os.R_OK):
        raise Usage(f"the prompt file {path} cannot be read", f"ls -l {near(path)}")


def _base_url(settings: Settings) -> str:
    return settings.base_url or os.environ.get("ANTHROPIC_BASE_URL", "")
