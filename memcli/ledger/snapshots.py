"""Snapshots: the whole state of a fold as bytes, and back. A state of another version is none."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec


class Versioned(Protocol):
    """A state that says of which version of its shape it is."""

    version: int


S = TypeVar("S", bound=Versioned)


def restored(data: bytes, decoder: msgspec.msgpack.Decoder[S], version: int) -> S:
    """The state a snapshot was taken of. Raises msgspec.MsgspecError for foreign bytes and other versions."""
    try:
        state = decoder.decode(data)
    except UnicodeDecodeError as error:  # msgspec lets it pass as it is
        raise msgspec.DecodeError(str(error)) from error
    if state.version != version:
        raise msgspec.ValidationError(f"snapshot of version {state.version}, not {version}")
    return state
