"""The real loop, played in this process: a story writes files beside it in a thread and waits for what is told.

def story(play):
    append(path, data)
    assert play.says("updated", path)

play([path], story)      the loop runs until the story ends; what it told is returned
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.watch import ask
from memcli.watch.loop import Loop
from tests.builders import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from memcli.watch.told import Told

LONG = "the wheel turns and the water runs; " * 60
SOON = Triggers(init_tokens=200, update_tokens=200)
NEVER = Triggers(init_tokens=10**9)


class Play:
    """A loop, and what it has told so far."""

    def __init__(self, paths: Iterable[Path], triggers: Triggers, **options: object) -> None:
        self.told: list[Told] = []
        self.loop = Loop(paths, triggers, self.told.append, **options)
        self.code = 0
        self._failure: BaseException | None = None

    def events(self, event: str, path: object = "") -> list[dict[str, object]]:
        """The fields of all events of this name, of one transcript if it is named."""
        return [told.fields for told in list(self.told) if told.event == event and str(path) in ("", told.path)]

    def says(self, event: str, path: object = "", times: int = 1) -> bool:
        return eventually(lambda: len(self.events(event, path)) >= times)

    def rests(self) -> bool:
        """True as soon as nobody is awake."""
        return eventually(lambda: not self.loop.keepers)

    def update(self, path: Path) -> str:
        """As `memcli update` beside it: the answer, after which everything written before has been dealt with."""
        return ask.ask(Place.of(path).sidecar, os.getpid(), PATIENCE, path)

    def run(self, story: Callable[[Play], None], stop: signal.Signals) -> None:
        """Run the loop until the story is told; what fails in it fails here."""
        before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
        teller = threading.Thread(target=self._tell, args=(story, stop))
        teller.start()
        try:
            self.code = self.loop.run()
        finally:
            teller.join()
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._failure is not None:
            raise self._failure

    def _tell(self, story: Callable[[Play], None], stop: signal.Signals) -> None:
        try:
            story(self)
        except BaseException as failure:  # noqa: BLE001 - raised again where the test can see it
            self._failure = failure
        finally:
            os.kill(os.getpid(), stop)


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def play(
    paths: Iterable[Path],
    story: Callable[[Play], None],
    triggers: Triggers = SOON,
    stop: signal.Signals = signal.SIGTERM,
    **options: object,
) -> Play:
    """Play a story beside a loop over these paths."""
    played = Play(paths, triggers, **options)
    played.run(story, stop)
    return played
