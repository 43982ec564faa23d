"""The embedded backend: the memory is rendered from the ledger alone. No model, no key, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.ledger import Ledger
from memcli.memory.jobs import Result
from memcli.memory.render import render

if TYPE_CHECKING:
    from memcli.memory.jobs import Job


def summarize(job: Job) -> Result:
    """The ledger block of every section, within the job's budget."""
    document = render(Ledger.restore(job.ledger), job.budget, job.pins, job.opaque)
    return Result(job.job, {block.name: block.ledger for block in document.blocks}, prose=job.prose)
