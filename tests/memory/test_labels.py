"""Headings of groups, and the order of groups."""

from __future__ import annotations

from memcli.memory import labels
from memcli.memory.labels import rank


def test_every_group_has_its_place_and_labels_of_turns_stand_where_results_do() -> None:
    assert [rank(label) for label in labels.ORDER] == list(range(len(labels.ORDER)))
    assert rank('t3, user: "go":') == rank(labels.RESULTS)
    assert rank("no label of ours") == -1
