"""How full the agent's context is: exact where the transcript says so, estimated where it does not.

The transcript's own usage anchors the reading: input + cache read + cache write of the last call is what the model
was given. What follows the anchor is estimated as characters divided by a ratio that calibrates itself on the
session's earlier calls. Measured on 273 public sessions: 4.7 % median error over windows of 20,000 tokens;
2.70 characters a token is the fit over them, used as a prior worth 20,000 characters.

A tail that was swapped may still hold usage that counts the context of before, as it is kept verbatim. A context after
a swap is much smaller, so such usage is told by its size, until one comes that is smaller.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from memcli.transcript.entries import METERED, Compacted, Entry, Usage

PRIOR_CHARS = 20_000
PRIOR_RATIO = 2.70

AS_BEFORE = 0.8
"""Usage of more than this part of the context that was swapped is usage of before: some of the tail may be older than
the moment at which that context was measured."""


class Reading(NamedTuple):
    """Tokens in the agent's context: `exact` were counted by the service, `estimated` came after that count."""

    exact: int
    estimated: int

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.exact + self.estimated

    def __str__(self) -> str:
        if not self.exact:
            return f"about {self.tokens:,} tokens (estimated)"
        return f"{self.tokens:,} tokens ({self.exact:,} counted + {self.estimated:,} estimated)"


class MeterState(msgspec.Struct):
    """What a meter remembers: the anchor, the characters after it, and the sums of the calibration."""

    anchor: int = 0
    model: str = ""
    chars: int = 0
    learnt_chars: int = 0
    learnt_tokens: int = 0
    before: int = 0
    """Usage of so much is from before the swap that the transcript begins with; 0 once there was a smaller one."""


class Meter:
    """Measures entries one by one. Reading it costs nothing."""

    def __init__(self, state: MeterState | None = None) -> None:
        self.state = state or MeterState()

    def add(self, entry: Entry) -> None:
        """Count one live entry. A usage in it speaks of what came before it, so it is taken first."""
        if entry.signs & METERED:
            for part in entry.parts:
                if type(part) is Usage:
                    self._anchor(part)
                elif type(part) is Compacted:
                    self._compacted(part)
        self.state.chars += entry.chars

    def swapped(self, tokens: int) -> None:
        """The transcript begins with the memory of a context of so many tokens."""
        self.state.before = round(tokens * AS_BEFORE)

    def _anchor(self, usage: Usage) -> None:
        state = self.state
        if usage.context >= state.before > self.reading.tokens:  # a tail that is as long as what was swapped is none
            return
        state.before = 0
        growth = usage.context - state.anchor
        if state.anchor and usage.model == state.model and growth > 0 and state.chars:
            state.learnt_chars += state.chars
            state.learnt_tokens += growth
        state.anchor, state.model, state.chars = usage.context, usage.model, 0

    def _compacted(self, part: Compacted) -> None:
        """The client swapped its context: whatever was measured before is gone from it."""
        if part.post_tokens or not part.summary:
            self.state.anchor, self.state.chars = part.post_tokens, 0

    @property
    def ratio(self) -> float:
        """Characters a token, calibrated on this session."""
        tokens = PRIOR_CHARS / PRIOR_RATIO + self.state.learnt_tokens
        return (PRIOR_CHARS + self.state.learnt_chars) / tokens

    def estimate(self, chars: int) -> int:
        """Tokens of so many characters of this session."""
        return round(chars / self.ratio)

    @property
    def reading(self) -> Reading:
        """The context size now, in tokens."""
        return Reading(self.state.anchor, self.estimate(self.state.chars))
