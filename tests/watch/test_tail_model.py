"""A tail against a model of a file: whatever is done to the name between two looks, what was read is what stands there.

The file is made of units of eight bytes, each written once in the life of the test, so that no two files are alike.
A tail cannot tell a file from one that ends in the same bytes where it stands; such a file is never made here.
"""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from memcli.watch.tail import Tail

UNIT = 8
units = st.integers(1, 300)


class File(RuleBasedStateMachine):
    """The model is the content of the file, None where there is none; `read` is what the tail has given us."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name, "t.jsonl")
        self.numbers = count()
        self.content: bytes | None = None
        self.read = b""
        self.tail = Tail(str(self.path))
        self.looked = True

    def fresh(self, size: int) -> bytes:
        return b"".join(b"%07d\n" % next(self.numbers) for _ in range(size))

    def put(self, content: bytes | None) -> None:
        self.content, self.looked = content, False

    # ---- what happens to a name

    @rule(size=units)
    def append(self, size: int) -> None:
        more = self.fresh(size)
        with self.path.open("ab") as file:
            file.write(more)
        self.put((self.content or b"") + more)

    @precondition(lambda self: self.content)
    @rule(share=st.floats(0, 1))
    def truncate(self, share: float) -> None:
        kept = int(len(self.content) // UNIT * share) * UNIT
        with self.path.open("r+b") as file:
            file.truncate(kept)
        self.put(self.content[:kept])

    @precondition(lambda self: self.content)
    @rule()
    def write_anew_to_the_same_size(self) -> None:
        self.put(self.fresh(len(self.content) // UNIT))
        self.path.write_bytes(self.content)

    @rule(size=units)
    def rename_another_over_it(self, size: int) -> None:
        self.put(self.fresh(size))
        other = self.path.with_name("other")
        other.write_bytes(self.content)
        other.replace(self.path)

    @precondition(lambda self: self.content is not None)
    @rule(size=st.integers(0, 3))
    def rename_a_longer_copy_over_it(self, size: int) -> None:
        self.put(self.content + self.fresh(size))
        other = self.path.with_name("other")
        other.write_bytes(self.content)
        other.replace(self.path)

    @precondition(lambda self: self.content is not None)
    @rule()
    def delete(self) -> None:
        self.path.unlink()
        self.put(None)

    @precondition(lambda self: self.content is not None)
    @rule()
    def touch(self) -> None:
        self.path.touch()

    # ---- what its follower does

    @rule()
    def look(self) -> None:
        change = self.tail.look()
        if change == "replaced":
            identity = self.tail.identity
            self.tail, self.read = Tail(str(self.path)), b""
            self.tail.identity = identity
        if change in ("grown", "replaced"):
            self.read += b"".join(self.tail.read())
        assert (change == "gone") == (self.content is None)
        self.looked = True

    @rule()
    def restart(self) -> None:
        """Another process goes on with what this one has noted."""
        position = self.tail.position
        self.tail = Tail(str(self.path))
        self.tail.resume(position, self.read)

    # ---- what always holds

    @invariant()
    def after_a_look_all_has_been_read_and_nothing_else(self) -> None:
        if self.looked and self.content is not None:
            assert self.read == self.content

    @invariant()
    def the_position_is_the_length_of_what_was_read(self) -> None:
        assert self.tail.position == len(self.read)

    def teardown(self) -> None:
        self.look()
        self.after_a_look_all_has_been_read_and_nothing_else()
        self.directory.cleanup()


def test_what_was_read_is_what_stands_there_after_every_look():
    run_state_machine_as_test(File, settings=settings(max_examples=60, stateful_step_count=25))
