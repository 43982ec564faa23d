"""What systemd is told of the daemon: that it is ready, that it lives, that it ends (the protocol of sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class Notifier:
    """Sends datagrams to the socket of the environment; without one, nothing. It never fails.

    The variables are taken out of the environment: they are meant for this process and not for its children.
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        self._address = environment.pop("NOTIFY_SOCKET", "")
        period = environment.pop("WATCHDOG_USEC", "")
        whose = environment.pop("WATCHDOG_PID", "")
        ours = whose in ("", str(os.getpid())) and period.isdecimal() and bool(self._address)
        self.period = int(period) / 1_000_000 / 2 if ours else 0.0
        """Seconds between signs of life, half of what is allowed; 0 if none are asked for."""

    def __bool__(self) -> bool:
        return bool(self._address)

    def tell(self, *assignments: str) -> None:
        """Send assignments such as READY=1, a line each."""
        if not self._address:
            return
        # A name that begins with @ is one of the abstract namespace, which is written with a zero byte.
        name = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(1.0)
            sender.sendto("\n".join(assignments).encode(), name)
