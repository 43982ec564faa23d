"""The server as a program of its own, as scripts and the README use it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.server.asking import MARK, body, text

ROOT = Path(__file__).parents[2]
ASKED = body(("user", [text("word " * 800, MARK)]), output_config={"effort": "low"})


@pytest.fixture
def start():
    """Starts it with arguments; gives its address. It must end by itself when it is told to."""
    running = []

    def begin(*args: str) -> str:
        command = [sys.executable, "-m", "tests.messages_api", *args]
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return running[-1].stdout.readline().strip()

    yield begin
    for process in running:
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate()
        assert (process.returncode, stderr) == (0, "")


def post(url: str, payload: object) -> dict:
    headers = {"authorization": "Bearer k", "anthropic-version": "2026-10-21"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(payload).encode(), headers)) as answer:
        return json.loads(answer.read())


def test_it_prints_its_address_answers_and_ends_when_told(start):
    assert post(start("--answers", "fixed") + "/v1/messages", ASKED)["content"][0]["text"] == "Noted."


def test_texts_come_from_files_and_exchanges_go_to_one(start, tmp_path):
    recorded, log = tmp_path / "a.md", tmp_path / "log.jsonl"
    recorded.write_text("as it was said")
    url = start("--answers", "recorded", "--texts", str(recorded), "--log", str(log))
    assert post(url + "/v1/messages", ASKED)["content"][0]["text"] == "as it was said"
    assert json.loads(log.read_text())["body"] == ASKED


def test_faults_can_be_given_at_the_start_and_on_the_way(start):
    url = start("--faults", "empty")
    assert post(url + "/v1/messages", ASKED)["content"] == []
    post(url + "/control", {"faults": ["whitespace"]})
    assert post(url + "/v1/messages", ASKED)["content"][0]["text"] == " \n\n"


def test_its_clock_can_be_set_forward_from_outside(start):
    url = start("--answers", "echo")
    reads = []
    for later in (0, 200, 200, 300):
        post(url + "/control", {"advance": later})
        reads.append(post(url + "/v1/messages", ASKED)["usage"]["cache_read_input_tokens"] > 0)
    assert reads == [False, True, True, False]


def test_its_answers_take_the_time_it_is_told(start):
    url = start("--delay", "600")
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(
            urllib.request.Request(
                url + "/v1/messages",
                json.dumps(ASKED).encode(),
                {"authorization": "Bearer k", "anthropic-version": "2026-10-21"},
            ),
            timeout=0.1,
        )
