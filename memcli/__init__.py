"""memcli: an agent's conversation is compacted in an instant and forgets nothing that matters.

From Python: `compact`, `watch` and `Session`. They are imported when they are first used, and nothing is imported here:
this module stands on the instant route.
"""

__version__ = "0.1.0"
__all__ = ["Compaction", "MemcliError", "Session", "Watching", "compact", "watch"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memcli.agent.compaction import Compaction, compact
    from memcli.agent.session import Session
    from memcli.agent.watching import Watching, watch
    from memcli.errors import MemcliError

_HOMES = {
    "Compaction": "memcli.agent.compaction",
    "MemcliError": "memcli.errors",
    "Session": "memcli.agent.session",
    "Watching": "memcli.agent.watching",
    "compact": "memcli.agent.compaction",
}


def __getattr__(name: str) -> object:
    # `from memcli import head` asks here first, on the instant route too: nothing is imported before the name is known.
    if name != "watch" and name not in _HOMES:
        raise AttributeError(f"module 'memcli' has no attribute {name!r}")
    from importlib import import_module  # by name: a plain import would tie every room to the rooms above it

    if name == "watch":
        return import_module("memcli.watch")  # the room, which can be called
    return getattr(import_module(_HOMES[name]), name)
