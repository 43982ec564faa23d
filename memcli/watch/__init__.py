"""The daemon: what notices, follows, decides when, starts children, and carries effects out.

The room can be called: `memcli.watch(paths)` is the public function of that name (`memcli.agent.watching.watch`), and
whichever of the two was imported first, the name means both.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memcli.agent.watching import Watching


class _Room(ModuleType):
    def __call__(self, *paths: Any, **settings: Any) -> "Watching":
        # By name: this room knows nothing of those above it.
        started: Watching = import_module("memcli.agent.watching").watch(*paths, **settings)
        return started


sys.modules[__name__].__class__ = _Room
