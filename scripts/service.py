"""`memcli service` as a user of a real systemd meets it. Run by scripts/service, as root of a machine soon gone.

install     the unit is written, started, ready, enabled, and systemd finds no fault in it
work        a transcript gets its memory; the journal has the lines with their priorities
trouble     killed, and hung: systemd starts it anew
stop        `memcli stop` ends it for good; `install` with other options goes on with them
logout      without lingering it ends with the last login, and is back with the next
uninstall   nothing of it is left
broken      what cannot run is said, and leaves nothing behind either
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "someone"
NUMBER = 4242
HOME = Path("/home") / NAME
PROGRAM = Path("/opt/memcli")
UNIT = "memcli.service"
FILE = HOME / ".config/systemd/user" / UNIT
DROP_IN = FILE.with_name(f"{UNIT}.d") / "override.conf"
RUNTIME = Path(f"/run/user/{NUMBER}")
# What a shell, systemd and Python would each like to change.
AGENTS = HOME / "ag ents 100%h $HOME ${X} \"q\" 's' \\t ; ü\n"
TRANSCRIPT = AGENTS / "run.jsonl"
PATIENCE_SECONDS = 180.0
RESTART_SECONDS = 5.0
"""As the unit has it."""

failed = 0


class Ran(NamedTuple):
    """How a program ended, and what it said."""

    code: int
    out: str
    err: str


def check(what: str, holds: object, detail: object = "") -> None:
    """Print one line, and count it if it does not hold."""
    global failed  # noqa: PLW0603 - the one count of this program
    failed += not holds
    print(f"  {'ok  ' if holds else 'FAIL'}  {what}{f': {detail}' if detail else ''}", flush=True)


def wait_until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Ask until it holds, or the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return bool(found)


def run(*line: object, **environment: str) -> Ran:
    """What a program says to the user, who is logged in."""
    done = subprocess.run(
        [str(word) for word in line],
        capture_output=True,
        text=True,
        cwd=HOME,
        user=NUMBER,
        group=NUMBER,
        extra_groups=[],
        env={
            "PATH": f"{PROGRAM}/bin:/usr/bin:/bin",
            "HOME": str(HOME),
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(RUNTIME),
            **environment,
        },
        timeout=PATIENCE_SECONDS * 2,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def memcli(*words: object, **environment: str) -> Ran:
    """What memcli says."""
    return run("memcli", *words, **environment)


def root(*line: str) -> None:
    """Run a program that must not fail."""
    subprocess.run(line, check=True, capture_output=True)


def shown(name: str) -> str:
    """A property of the service."""
    return run("systemctl", "--user", "show", UNIT, f"--property={name}", "--value").out.strip()


def is_ready() -> bool:
    """True if it runs and has said so."""
    return (shown("ActiveState"), shown("SubState")) == ("active", "running")


def journal(*words: str) -> list[dict[str, str]]:
    """What stands in the user's journal of the service."""
    lines = run("journalctl", "--user", "-u", UNIT, "--output=json", "--quiet", *words).out.splitlines()
    return [json.loads(line) for line in lines]


def grow(first: int, last: int) -> None:
    """Append turns to the transcript."""
    with TRANSCRIPT.open("a") as file:
        for number in range(first, last):
            steps = " ".join(f"item-{number}-{each}" for each in range(60))
            for role, text in (("user", f"Write step {number}: {steps}"), ("assistant", f"Step {number} is written.")):
                file.write(json.dumps({"role": role, "content": text}) + "\n")
    os.chown(TRANSCRIPT, NUMBER, NUMBER)


# ------------------------------------------------------------------ the story


def prepare() -> None:
    """A user, and memcli for whoever may read it."""
    root("useradd", "--uid", str(NUMBER), "--create-home", "--shell", "/bin/bash", NAME)
    root(sys.executable, "-m", "venv", "--without-pip", str(PROGRAM))
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(PROGRAM)}))
    tree = Path(__file__).resolve().parents[1]
    (packages / "tree.pth").write_text(f"{tree}\n{sysconfig.get_path('purelib')}\n")
    command = (tree / "scripts/memcli").read_text().replace("#!python", f"#!{PROGRAM}/bin/python", 1)
    (PROGRAM / "bin/memcli").write_text(command)
    (PROGRAM / "bin/memcli").chmod(0o755)
    for path in (tree, Path(sys.prefix), Path(sys.base_prefix)):
        for each in (path, *path.parents):
            with contextlib.suppress(OSError):  # what is no part of this view is as it is
                each.chmod(each.stat().st_mode | 0o055)
    AGENTS.mkdir()
    os.chown(AGENTS, NUMBER, NUMBER)


def install() -> None:
    """The unit is written and starts."""
    print("install")
    check("before, none is installed", memcli("service", "status").code == 3)
    ran = memcli("service", "install", AGENTS, "--init-tokens", "100")
    check("it is written and starts", ran.code == 0 and ran.out == FILE.read_text(), ran.err.strip())
    check("it has told that it is ready", is_ready() and "0 transcripts" in shown("StatusText"), shown("StatusText"))
    check("status says so", memcli("service", "status") == (0, f"systemd: {FILE}: active\n", ""))
    check("also after `su`, where nothing names the bus", memcli("service", "status", XDG_RUNTIME_DIR="").code == 0)
    check("it comes with every login", shown("UnitFileState") == "enabled")
    arguments = Path(f"/proc/{shown('MainPID')}/cmdline").read_bytes().split(b"\0")
    paths = json.loads(arguments[-2])["paths"]
    check("what was said reaches it unchanged", paths == [str(AGENTS)], repr(AGENTS.name))
    verified = run("systemd-analyze", "--user", "verify", FILE)
    check("systemd-analyze finds no fault", verified.code == 0 and not verified.err, verified.err.strip())
    again = memcli("service", "install", AGENTS, "--init-tokens", "100")
    check("repeated, it disturbs nobody", again.code == 0 and not again.out and shown("NRestarts") == "0")


def work() -> None:
    """It does what it is there for."""
    print("work")
    grow(0, 8)
    made = wait_until(lambda: "generation" in memcli("status", TRANSCRIPT).out)
    check("a transcript gets its memory", made, (AGENTS / "session-memory.md").is_file())
    wait_until(lambda: any("updated" in line["MESSAGE"] for line in journal()))
    lines = journal()
    ours = [line for line in lines if line.get("_EXE")]
    check(
        "the journal has what it says, under its name",
        ours and all(line["SYSLOG_IDENTIFIER"] == "memcli" for line in lines if line.get("_PID") == shown("MainPID")),
        len(lines),
    )
    print("".join(f"        <{line['PRIORITY']}> {line['MESSAGE']}\n" for line in lines), end="")


def messages() -> int:
    """How many messages of the transcript the daemon knows."""
    said = json.loads(memcli("status", TRANSCRIPT, "--json").out or "{}")
    return said.get("messages", 0) if said.get("watched_by") else 0


def trouble() -> None:
    """It is killed; it hangs."""
    print("trouble")
    os.kill(int(shown("MainPID")), signal.SIGKILL)
    grow(8, 10)
    check("killed, it is started anew", wait_until(lambda: shown("NRestarts") == "1" and is_ready()))
    check("and goes on with what came meanwhile", wait_until(lambda: messages() == 20), messages())
    DROP_IN.parent.mkdir()
    DROP_IN.write_text("[Service]\nWatchdogSec=2\n")
    for path in (DROP_IN.parent, DROP_IN):
        os.chown(path, NUMBER, NUMBER)
    run("systemctl", "--user", "daemon-reload")
    run("systemctl", "--user", "restart", UNIT)
    before = shown("MainPID")
    time.sleep(6)
    check("it gives signs of life", is_ready() and shown("MainPID") == before, shown("WatchdogUSec"))
    os.kill(int(before), signal.SIGSTOP)
    anew = wait_until(lambda: shown("MainPID") not in (before, "0") and is_ready())
    said = [line["MESSAGE"] for line in journal() if "atchdog" in line["MESSAGE"]]
    check("hung, it is started anew", anew and said, said[:1])
    check("what hung is gone", not Path(f"/proc/{before}").exists())
    DROP_IN.unlink()
    DROP_IN.parent.rmdir()
    run("systemctl", "--user", "daemon-reload")


def stop() -> None:
    """It is stopped, and started with other options."""
    print("stop")
    wait_until(lambda: "watched by" in memcli("status", TRANSCRIPT).out)
    ran = memcli("stop", TRANSCRIPT)
    time.sleep(RESTART_SECONDS + 2)
    check("`memcli stop` ends it for good", ran.code == 0 and shown("ActiveState") == "inactive", ran.err.strip())
    check("status says so", memcli("service", "status").code == 1, memcli("service", "status").out.strip())
    ran = memcli("service", "install", AGENTS, "--init-tokens", "200")
    arguments = Path(f"/proc/{shown('MainPID')}/cmdline").read_text()
    check("installed with other options it runs with them", is_ready() and '"init_tokens":200' in arguments, ran.code)
    wait_until(lambda: "watched by" in memcli("status", TRANSCRIPT).out)
    second = memcli("watch", TRANSCRIPT)
    check("a second watcher is refused", second.code == 5, second.err.strip())


@contextlib.contextmanager
def login() -> Iterator[None]:
    """The user is logged in for a while."""
    held = subprocess.Popen(["su", "-", NAME, "-c", "cat"], stdin=subprocess.PIPE)
    try:
        wait_until((RUNTIME / "bus").exists)
        yield
    finally:
        held.communicate()


def logout() -> None:
    """The user logs out, and in again."""
    print("logout")
    root("loginctl", "disable-linger", NAME)
    wait_until(lambda: not (RUNTIME / "bus").exists())
    check("without a login it has ended", not daemons(), daemons())
    with login():
        check("a login starts it", wait_until(is_ready))
        ran = memcli("service", "install", AGENTS)
        check("install says that it ends with the login", "enable-linger" in ran.err, ran.err.strip())
    ended = wait_until(lambda: not (RUNTIME / "bus").exists())
    check("after the last logout it has ended", ended and not daemons())
    ran = memcli("service", "install", AGENTS)
    check("without systemd nothing is changed", ran.code == 1, ran.err.strip())


def daemons() -> list[str]:
    """The processes of the user that watch."""
    return run("pgrep", "-u", str(NUMBER), "-f", "memcli.watch.daemon").out.split()


def uninstall() -> None:
    """It is removed, and nothing is left."""
    print("uninstall")
    with login():
        wait_until(is_ready)
        ran = memcli("service", "uninstall")
        check("it says what it did", ran.code == 0, ran.err.strip())
        left = [str(path) for path in (HOME / ".config").rglob("*") if not path.is_dir()]
        check("no file and no link is left", not left, left)
        check("no process is left", not daemons())
        units = run("systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "memcli*").out
        check("systemd has forgotten it", not units, units.strip())
        check("status says so", memcli("service", "status").code == 3)
        check("the memory stays", (AGENTS / "session-memory.md").is_file())


def broken() -> None:
    """What cannot run is said, and leaves nothing behind either."""
    print("broken")
    with login():
        ran = memcli("service", "install", HOME / "no" / "where.jsonl")
        check("a path that watch refuses is refused", ran.code == 3 and not FILE.exists(), ran.err.strip())
        DROP_IN.parent.mkdir()
        DROP_IN.write_text("[Service]\nEnvironment=MEMCLI_BUDGET=many\n")
        ran = memcli("service", "install", AGENTS)
        check("a service that does not start is told", ran.code == 75, ran.err.strip())
        check(
            "and is not tried for ever",
            wait_until(lambda: shown("ActiveState") == "failed", 2),
            shown("ExecMainStatus"),
        )
        check("status says so", memcli("service", "status").code == 1, memcli("service", "status").out.strip())
        memcli("service", "uninstall")
        DROP_IN.unlink()
        DROP_IN.parent.rmdir()
        units = run("systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "memcli*").out
        check("after uninstall it is forgotten", not units, units.strip())


def main() -> int:
    """The exit code: 1 if something did not hold."""
    print(subprocess.check_output(["systemctl", "--version"], text=True).splitlines()[0], flush=True)
    prepare()
    root("loginctl", "enable-linger", NAME)
    root("systemctl", "start", f"user@{NUMBER}.service")
    for step in (install, work, trouble, stop, logout, uninstall, broken):
        step()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
