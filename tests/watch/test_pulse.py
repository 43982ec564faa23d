"""Signs of life: to a real socket as systemd has one, and into a real file or port."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest

from memcli.errors import NotWritable, Usage
from memcli.watch.exposure import FILE_SECONDS, File, Port, exposed
from memcli.watch.metrics import Counts, Tally
from memcli.watch.notify import Notifier
from memcli.watch.pulse import Pulse
from tests.builders import PATIENCE


@pytest.fixture
def manager(tmp_path):
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        yield manager


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().splitlines()


def notifier(manager: socket.socket, **environment: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": manager.getsockname(), **environment})


def test_first_it_is_ready_then_it_lives_then_it_ends(manager):
    pulse = Pulse(notifier(manager, WATCHDOG_USEC="4000000"))
    pulse.beat(100.0, lambda: Counts(transcripts=3, in_flight=1))
    assert heard(manager) == ["READY=1", "WATCHDOG=1", "STATUS=3 transcripts, 1 update in flight"]
    assert pulse.due == 102.0
    pulse.beat(101.0, lambda: Counts(transcripts=4))
    pulse.beat(102.0, lambda: Counts(transcripts=5))
    assert heard(manager) == ["WATCHDOG=1", "STATUS=5 transcripts, 0 updates in flight"]
    pulse.end()
    assert heard(manager)[0] == "STOPPING=1"


def test_with_nobody_to_tell_it_is_due_once_and_never_again():
    pulse = Pulse(Notifier({}))
    pulse.beat(100.0, Counts)
    assert pulse.due == float("inf")


def test_a_busy_loop_is_counted_once_a_second_and_once_more_when_it_rests():
    asked: list[float] = []
    tally = Tally()
    pulse = Pulse(Notifier({}), tally)
    for now in (100.0, 100.1, 100.2, 101.0):
        pulse.beat(now, lambda now=now: asked.append(now) or Counts(transcripts=len(asked)))
    assert asked == [100.0, 101.0]
    assert pulse.due == float("inf")
    pulse.beat(101.5, Counts)
    assert pulse.due == 102.0


def test_what_the_manager_says_is_not_said_to_children(manager):
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "OTHER": "x"}
    assert Notifier(environment).period == 0.0, "the watchdog is another process's"
    assert environment == {"OTHER": "x"}


def test_an_abstract_socket_is_written_with_an_at():
    name = f"memcli-test-{id(object())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(PATIENCE)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")
        assert heard(manager) == ["READY=1"]


def test_a_manager_that_is_gone_disturbs_nobody(tmp_path):
    Pulse(Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})).beat(0.0, Counts)


def test_the_file_is_written_whole_for_all_to_read_and_goes_with_the_daemon(tmp_path):
    path, tally = tmp_path / "memcli.prom", Tally()
    pulse = Pulse(Notifier({}), tally, exposed(str(path), tally.text))
    assert "memcli_transcripts 0\n" in path.read_text()
    pulse.beat(0.0, lambda: Counts(transcripts=2))
    assert "memcli_transcripts 2\n" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o644
    assert pulse.due == FILE_SECONDS
    pulse.end()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_later_disturbs_nobody(tmp_path):
    (tmp_path / "room").mkdir()
    file = File(tmp_path / "room" / "memcli.prom", lambda: "x 1\n")
    file.close()
    (tmp_path / "room").rmdir()
    file.show()
    file.close()


def test_a_file_that_cannot_be_written_or_would_not_be_taken_is_refused_at_once(tmp_path):
    with pytest.raises(NotWritable, match="cannot write"):
        exposed(str(tmp_path / "gone" / "memcli.prom"), str)
    with pytest.raises(Usage, match=r"\*\.prom"):
        exposed(str(tmp_path / "metrics"), str)


@pytest.mark.parametrize("target", ["0", "127.0.0.1:0", "localhost:0", "[::1]:0"])
def test_a_port_serves_what_is_counted_now(target):
    counted = ["memcli_x 1\n", "memcli_x 2\n"]
    port = exposed(target, counted.pop)
    assert isinstance(port, Port)
    try:
        for expected in (b"memcli_x 2\n", b"memcli_x 1\n"):
            with urllib.request.urlopen(port.address) as answer:
                assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
                assert answer.read() == expected
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(port.address.replace("metrics", ""))
        refused.value.close()
    finally:
        port.close()


def test_a_port_that_is_taken_is_refused_at_once():
    port = exposed("0", str)
    assert isinstance(port, Port)
    try:
        number = port.address.rsplit(":", 1)[1].partition("/")[0]
        with pytest.raises(Usage, match=f"cannot listen on 127.0.0.1:{number}"):
            exposed(number, str)
    finally:
        port.close()
