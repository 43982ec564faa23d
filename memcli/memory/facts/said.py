"""Said: how words of the person are told, with what they answer, and which of them are served first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.answers import joined
from memcli.ledger.prose import telling
from memcli.memory.quoting import quoted, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memcli.ledger.requests import Request

ANSWERED = 120  # characters of what a request answers


def command(one: Request) -> str:
    """The slash command with which words were given, with a space behind it."""
    return f"{spelled(one.about)} " if one.via == "command" and one.about else ""


def answering(one: Request) -> str:
    """What a short request answers, so that it can be understood."""
    return f" (answers the agent's {quoted(joined(one.answers, ANSWERED))})" if one.answers else ""


def distinct(requests: Iterable[Request]) -> list[Request]:
    """Without earlier copies of the same words ("continue", "yes") to the same thing."""
    return sorted({(one.text.lower(), *one.answers): one for one in requests}.values(), key=lambda one: one.index)


def served(requests: list[Request], limit: int) -> list[Request]:
    """The order in which words of the person are served: the latest, then those that stand whole, newest first; what
    had to be cut comes after them, so that no long paste pushes out a short rule, and last what says nothing ("ok").
    """
    latest = max((one.index for one in requests), default=0)
    return sorted(
        requests, key=lambda one: (one.index != latest, _says_nothing(one), len(one.text) > limit, -one.index)
    )


def _says_nothing(one: Request) -> bool:
    """True for a bare nod: nothing of it can be followed later, and nobody can tell what it answers."""
    return not (telling(one.text) or one.answers or one.steering)
