"""Fitting: the memory of a job, ledger blocks and prose together within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.ledger import Ledger
from memcli.memory.jobs import Result
from memcli.memory.render import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.memory.document import Document
    from memcli.memory.jobs import Job


def fitted(
    ledger: Ledger, budget: int, pins: tuple[str, ...] = (), opaque: str = "", prose: Mapping[str, str] | None = None
) -> Document:
    """PLACEHOLDER: D2's."""
    document = render(ledger, budget, pins, opaque)
    prose = prose or {}
    return msgspec.structs.replace(
        document,
        blocks=tuple(msgspec.structs.replace(b, prose=prose.get(b.name, "")) for b in document.blocks),
    )


def rendered(job: Job, prose: Mapping[str, str] | None = None) -> Result:
    """The answer to a job without a model: fresh facts, and the prose as it stands (or `prose` in its place)."""
    standing = job.prose if prose is None else prose
    document = fitted(Ledger.restore(job.ledger), job.budget, job.pins, job.opaque, standing)
    return Result(
        job.job,
        {block.name: block.ledger for block in document.blocks},
        prose={block.name: block.prose for block in document.blocks if block.prose},
    )
