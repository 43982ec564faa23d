"""What service managers want to know of `memcli watch`: a unit for systemd, a property list for launchd. Text only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.errors import MemcliError

if TYPE_CHECKING:
    from collections.abc import Sequence

UNIT = "memcli.service"
LABEL = "org.memcli.watch"

WATCHDOG_SECONDS = 120
"""A daemon that gives no sign of life for so long hangs, and is started anew."""

_SYSTEMD = """\
# Written by `memcli service install`, removed by `memcli service uninstall`.
# For changes of your own: systemctl --user edit {unit}
# A key for a model: a line ANTHROPIC_API_KEY=... in ~/.config/memcli/environment (mode 0600)
[Unit]
Description=memcli, session memories of coding agents

[Service]
Type=notify
ExecStart={command}
WorkingDirectory={directory}
EnvironmentFile=-%E/memcli/environment
Restart=on-failure
RestartSec=5
# Stopped by a signal is no failure; a wrong option, and a transcript that is watched already, do not go away by trying.
SuccessExitStatus=130 143
RestartPreventExitStatus=2 5
WatchdogSec={watchdog}
TimeoutStopSec=30
KillMode=mixed
UMask=0077
NoNewPrivileges=yes
SyslogIdentifier=memcli

[Install]
WantedBy=default.target
"""


def systemd(command: Sequence[str], directory: str) -> str:
    """A unit that runs the command in the directory. See systemd.service(5).

    Raises MemcliError for a directory that cannot be written down: there is no quoting in that place.
    """
    if any(map(_is_unwritable, directory)) or directory.endswith((" ", "\\")):
        raise MemcliError(
            f"systemd cannot start anything in a directory of this name: {directory!r}",
            "cd ~ && memcli service install --dry-run",
        )
    return _SYSTEMD.format(
        unit=UNIT,
        command=" ".join(map(_word, command)),
        directory=_specifiers(directory),
        watchdog=WATCHDOG_SECONDS,
    )


def launchd(command: Sequence[str], directory: str, log: str) -> str:
    """A property list of a user's agent that runs the command in the directory. See launchd.plist(5)."""
    import plistlib

    wanted = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "WorkingDirectory": directory,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 5,
        "ProcessType": "Background",
        "Umask": 0o077,
        "StandardErrorPath": log,
    }
    return plistlib.dumps(wanted, sort_keys=False).decode()


def _word(word: str) -> str:
    """A word of a command line as systemd reads it back: see "Quoting" in systemd.syntax(7)."""
    escaped = _specifiers(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    escaped = "".join(f"\\x{ord(char) & 0xFF:02x}" if _is_unwritable(char) else char for char in escaped)
    plain = escaped and all(char.isalnum() or char in "-_./:=,@+%$" for char in escaped)
    return escaped if plain else f'"{escaped}"'


def _is_unwritable(char: str) -> bool:
    """True for what cannot stand in a line of UTF-8: control characters, and bytes of file names that are no text."""
    return char < " " or char == "\x7f" or "\udc80" <= char <= "\udcff"


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")
