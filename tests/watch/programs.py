"""Summarizers as tiny real programs: each reads job lines on stdin, as `memcli.memory.jobs` says, and misbehaves."""

from __future__ import annotations

import sys

_START = """
import json, os, pathlib, select, sys, time
def note(path, text): open(path, "a").write(text + "\\n")
"""

_ANSWERING = """
from memcli.memory.fitting import rendered
from memcli.memory.jobs import parse_job
from msgspec.json import encode
def reply(line): os.write(1, encode(rendered(parse_job(line))) + b"\\n")
"""

HELD = f"""{_ANSWERING}
for line in sys.stdin.buffer:
    note(sys.argv[1], "job")
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.01)
    reply(line)
"""
"""Answers as the embedded one does, once a gate is open."""

TOGETHER = f"""{_ANSWERING}
for line in [sys.stdin.buffer.readline() for _ in range(int(sys.argv[1]))]:
    reply(line)
"""
"""Answers when it has been given so many jobs."""

SPEAKS = f"""{_ANSWERING}
for line in sys.stdin.buffer:
    for _ in range(20):
        os.write(1, json.dumps({{"v": 1, "job": json.loads(line)["job"], "progress": "thinking"}}).encode() + b"\\n")
        time.sleep(float(sys.argv[1]) / 16)
    reply(line)
"""
"""Takes longer for an answer than so many seconds, and says twenty times that it is at work."""

BATCHES = f"""{_ANSWERING}
waiting = b""
while more := os.read(0, 1 << 20):
    waiting += more
    while waiting.count(b"\\n") < int(sys.argv[2]) or select.select([0], [], [], 0.3)[0]:
        waiting += os.read(0, 1 << 20)
    *lines, waiting = waiting.split(b"\\n")
    note(sys.argv[1], str(len(lines)))
    for line in lines:
        reply(line)
"""
"""Answers when it has been given so many jobs, or more; notes how many."""

HANGS = """
sys.stdin.readline()
note(sys.argv[1], "job")
time.sleep(600)
"""

CRASHES = "sys.stdin.readline(); sys.exit(3)"
BABBLES = "sys.stdin.readline(); print('hello', flush=True); sys.stdin.read()"
FAILS = """
for line in sys.stdin:
    print(json.dumps({"v": 1, "job": json.loads(line)["job"], "error": "no ink"}), flush=True)
"""
DIES_ONCE = f"""{_ANSWERING}
for line in sys.stdin.buffer:
    if not os.path.exists(sys.argv[1]):
        note(sys.argv[1], "died")
        sys.exit(1)
    reply(line)
"""


def program(body: str, *args: object) -> list[str]:
    """The command that runs it."""
    return [sys.executable, "-c", _START + body, *map(str, args)]
