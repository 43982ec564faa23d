"""Whole rounds: the records of a tail in an order in which calls and results are whole, by the rules in `common`."""

from __future__ import annotations

from memcli.transcript.encode.common import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memcli.transcript.encode.common import Plan, Record


class Item:
    """One record on its way through `arrange`.

    kind: "a" the agent speaks or calls, "r" results, "u" the user's turn, "w" user content that may wait for the end
    of a round, "x" anything else, kept where it stands. `group` joins the parts of one message of the agent.
    `raw` is None once the record was changed.
    """

    __slots__ = ("calls", "group", "kind", "offset", "raw", "record", "results")

    def __init__(
        self,
        offset: int,
        record: Record,
        raw: bytes | None,
        kind: str,
        *,
        group: str = "",
        calls: Iterable[str] = (),
        results: Iterable[str] = (),
    ) -> None:
        self.offset = offset
        self.record = record
        self.raw = raw
        self.kind = kind
        self.group = group
        self.calls = list(calls)
        self.results = list(results)

    def data(self) -> bytes:
        """The line: its own bytes if nothing was changed."""
        if self.raw is None:
            return dump(self.record) + b"\n"
        return self.raw if self.raw.endswith(b"\n") else self.raw + b"\n"


def arrange(
    items: Iterable[Item],
    plan: Plan,
    no_result: Callable[[str, Item], Item],
    trim: Callable[[Item, set[int]], bool],
    *,
    join: bool = False,
) -> list[Item]:
    """The items in an order in which calls and results are whole.

    `no_result(call id, item with the call)` makes a synthetic result; `trim(item, indexes)` takes the results with
    these indexes out of an item and says whether anything is left of it. With `join`, items of one group come
    together, before the results that stand between them.
    """
    items = list(items)
    answers, late = _pair(items, plan, trim)
    return _Rounds(answers, late, no_result, join).run(items)


def _pair(
    items: list[Item], plan: Plan, trim: Callable[[Item, set[int]], bool]
) -> tuple[dict[tuple[int, int], Item], dict[int, Item]]:
    """Pairs calls with results in file order (an id may come again later) and takes orphans out of `items`.

    Gives the item that answers a call (by identity of the calling item and place in it), and for each result item
    that came too early the calling item to wait for.
    """
    open_calls: dict[str, list[tuple[Item, int]]] = {}
    early: dict[str, list[tuple[Item, int]]] = {}
    answers: dict[tuple[int, int], Item] = {}
    late: dict[int, Item] = {}
    for item in items:
        for index, call in enumerate(item.calls):
            if early.get(call):
                result, _ = early[call].pop(0)
                answers[id(item), index] = result
                late[id(result)] = item
            else:
                open_calls.setdefault(call, []).append((item, index))
        for index, call in enumerate(item.results):
            if open_calls.get(call):
                caller, place = open_calls[call].pop(0)
                answers[id(caller), place] = item
            else:
                early.setdefault(call, []).append((item, index))
    orphans: dict[int, tuple[Item, set[int]]] = {}
    for waiting in early.values():
        for item, index in waiting:
            plan.count("result without a call")
            orphans.setdefault(id(item), (item, set()))[1].add(index)
    gone = {key for key, (item, indexes) in orphans.items() if not trim(item, indexes)}
    items[:] = [item for item in items if id(item) not in gone]
    return answers, late


class _Rounds:
    """The second half of `arrange`: emits items, holds back what would part a call from its result."""

    def __init__(
        self,
        answers: dict[tuple[int, int], Item],
        late: dict[int, Item],
        no_result: Callable[[str, Item], Item],
        join: bool,
    ) -> None:
        self.answers = answers
        self.late = late
        self.no_result = no_result
        self.join = join
        self.out: list[Item] = []
        self.done: set[int] = set()  # items that stand in `out`
        self.words: list[Item] = []  # wait for the end of the round
        self.early: dict[int, list[Item]] = {}  # results that wait for the item with their call
        self.group = ""
        self.begin = 0  # where the round's first item stands in `out`
        self.last = 0  # behind the round's last item that speaks or calls
        self.callers: list[Item] = []  # items of the round that call

    def run(self, items: list[Item]) -> list[Item]:
        for item in items:
            if id(item) not in self.done:
                self._take(item)
        self._finish()
        return self.out

    def _take(self, item: Item) -> None:
        if item.kind == "w" and (self.callers or self.group):
            self.words.append(item)
        elif item.kind == "a":
            if not (item.group and item.group == self.group):
                self._close()
                self.group, self.begin, self.last = item.group, len(self.out), len(self.out)
            self._call(item)
        elif item.kind == "r":
            caller = self.late.get(id(item))
            if caller is not None and id(caller) not in self.done:
                self.early.setdefault(id(caller), []).append(item)
            else:
                self._emit(item)
        else:
            if item.kind == "u":
                self._close()
                self.group = ""
            self._emit(item)

    def _call(self, item: Item) -> None:
        if not self.join:
            self.last = len(self.out)
        self.done.add(id(item))
        self.out.insert(self.last, item)
        self.last += 1
        if item.calls:
            self.callers.append(item)
        for result in self.early.pop(id(item), ()):
            self._emit(result)

    def _emit(self, item: Item) -> None:
        self.done.add(id(item))
        self.out.append(item)

    def _unanswered(self) -> list[tuple[Item, int, Item | None]]:
        calls = [(item, index) for item in self.callers for index in range(len(item.calls))]
        found = [(item, index, self.answers.get((id(item), index))) for item, index in calls]
        return [(item, index, result) for item, index, result in found if result is None or id(result) not in self.done]

    def _close(self) -> None:
        """The round is over: what is missing comes right behind its calls, what waited comes now."""
        missing: list[Item] = []
        for item, index, result in self._unanswered():
            answer = result or self.no_result(item.calls[index], item)
            if id(answer) not in self.done:
                self.done.add(id(answer))
                missing.append(answer)
        self.out[self.last : self.last] = missing
        self.out += self.words
        self.words, self.callers = [], []

    def _finish(self) -> None:
        """The end of the tail: an open round stays open, with the words before it."""
        if any(result is None for _, _, result in self._unanswered()):
            self.out[self.begin : self.begin] = self.words
        else:
            self.out += self.words
