"""A daemon that ends with whoever started it, however that ends: `python -m memcli.agent.attended ORDERS`.

Its stdin is a pipe that nobody writes to and only its starter holds open.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from memcli import edge
from memcli.watch import daemon


def main() -> int:
    """As the daemon's own; 143 when left alone."""
    threading.Thread(target=_until_left, daemon=True).start()
    return daemon.main()


def _until_left() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(edge.run(main))
