"""Reading one transcript into a session: what format it is, where it comes from, and when to begin anew."""

from __future__ import annotations

import json

import pytest

from memcli.commands.compact import Wish, compact
from memcli.commands.undo import undo
from memcli.errors import NoMessages, NotATranscript
from memcli.memory.document import Document
from memcli.session import Triggers
from memcli.sidecar.generations import LEDGERS_KEPT
from memcli.sidecar.place import Place
from memcli.watch.follower import Follower, Replaced
from memcli.watch.tail import CHUNK_BYTES
from tests.builders import FORMATS, Script, session, session_file
from tests.commands.states import remembered
from tests.e2e.swaps import compacted


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.jsonl"


def follow(path) -> Follower:
    return Follower(str(path), Place.of(path), Triggers())


def append(path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def read(path) -> Follower:
    """A follower that has read all there is."""
    follower = follow(path)
    follower.look(0.0)
    return follower


# ------------------------------------------------------------------ the format


def test_an_empty_file_is_waited_for(path):
    path.touch()
    follower = read(path)
    assert follower.session is None
    append(path, session("pi"))
    follower.look(1.0)
    assert follower.session.format == "pi"


def test_a_file_that_is_not_there_is_waited_for(path):
    follower = read(path)
    assert follower.session is None
    path.write_bytes(session("codex"))
    follower.look(1.0)
    assert follower.session.format == "codex"


@pytest.mark.parametrize("format", FORMATS)
def test_a_transcript_watched_from_its_first_line_is_read_as_one_found_whole(path, format):
    path.touch()
    follower = read(path)
    for line in session(format).splitlines(keepends=True):
        append(path, line)
        follower.look(0.0)
    assert follower.session.save() == read(path).session.save()


def bare(format: str) -> list[bytes]:
    """The lines of a session that begins with a text which says nothing of its format."""
    return [line for line in session(format).splitlines(keepends=True) if b'"system"' not in line]


@pytest.mark.parametrize("format", ["anthropic", "openai"])
def test_first_lines_of_no_certain_format_are_judged_again_when_a_tool_tells(path, format):
    first, *rest = bare(format)
    path.write_bytes(first)
    follower = read(path)
    assert follower.session.format == "anthropic"
    append(path, b"".join(rest))
    assert follower.look(0.0) == ([Replaced()] if format == "openai" else [])
    assert (follower.session.format, follower.session.messages) == (format, 12)


def test_a_system_message_alone_does_not_hold_a_transcript_to_one_format(path):
    path.write_bytes(b'{"role": "system", "content": "You help."}\n')
    follower = read(path)
    append(path, session("anthropic"))
    follower.look(0.0)
    assert follower.session.format == "anthropic"


@pytest.mark.parametrize("known", [190, 200])
def test_after_two_hundred_records_a_transcript_keeps_its_format_however_short_they_are(path, known):
    texts = b'{"role": "user", "content": "hi"}\n'
    path.write_bytes(texts * 5)
    follower = read(path)
    append(path, texts * (known - 5))
    assert follower.look(0.0) == []
    append(path, b"".join(bare("openai")))
    assert follower.look(0.0) == ([Replaced()] if known < 200 else [])


def test_another_file_under_the_name_is_judged_from_its_first_line(path):
    path.write_bytes(bare("openai")[0] * 150)
    follower = read(path)
    append(path, bare("openai")[0] * 40)
    follower.look(0.0)
    path.unlink()
    path.write_bytes(bare("openai")[0] * 150)
    follower.look(0.0)
    append(path, b"".join(bare("openai")))
    assert follower.look(0.0) == [Replaced()]


def test_beyond_its_beginning_a_transcript_keeps_its_format(path):
    """A talk of long texts is never read twice, whatever comes."""
    path.write_bytes(Script("anthropic").prompt("x" * CHUNK_BYTES).say("Yes.").data)
    follower = read(path)
    append(path, b"".join(bare("openai")))
    assert follower.look(0.0) == []
    assert follower.session.format == "anthropic"


def test_a_first_line_of_megabytes_is_waited_for_and_then_read(path):
    data = Script("claude-code").prompt("y" * 5 * CHUNK_BYTES).say("Yes.").data
    path.write_bytes(data[: 3 * CHUNK_BYTES])
    follower = read(path)
    assert follower.session is None
    append(path, data[3 * CHUNK_BYTES :])
    follower.look(0.0)
    assert (follower.session.format, follower.session.messages) == ("claude-code", 2)


def test_one_record_without_line_end_tells_its_format(path):
    path.write_bytes(Script("codex").data.rstrip(b"\n"))
    assert read(path).session.format == "codex"


@pytest.mark.parametrize("content", [b"hello\nworld\n", b'{"a": 1}\n', b"\x89PNG\r\n\x1a\n" * 40, b"[1, 2]\n"])
def test_what_is_no_transcript_is_refused_at_the_first_look(path, content):
    path.write_bytes(content)
    with pytest.raises(NotATranscript):
        read(path)


def test_a_line_of_a_whole_conversation_cannot_be_followed_and_says_what_can(path):
    path.write_text(json.dumps({"messages": [{"role": "user", "content": "hi"}]}) + "\n")
    with pytest.raises(NotATranscript) as refused:
        read(path)
    assert refused.value.hint == f"memcli update {path} --line 1"


@pytest.mark.parametrize("content", [b"", b"   \n", b'{"type":"user","mess'])
def test_a_file_with_nothing_said_yet_is_called_so(path, content):
    path.write_bytes(content)
    assert isinstance(follow(path).unrecognised(), NoMessages)


def test_messages_name_the_file_as_they_were_told_to(path):
    path.write_bytes(b"hello\n")
    follower = Follower(str(path), Place.of(path), Triggers(), name="stdin")
    with pytest.raises(NotATranscript, match="stdin holds no JSON lines"):
        follower.look(0.0)


# ------------------------------------------------------------------ what happens to the file


@pytest.mark.parametrize("format", FORMATS)
def test_another_session_under_the_name_is_read_from_its_start(path, format):
    follower = read(session_file(path, "claude-code", 5))
    path.write_bytes(session(format, 2))
    assert follower.look(1.0) == [Replaced()]
    assert follower.session.format == format
    assert follower.session.save() == read(path).session.save()


def test_the_half_line_before_a_replacement_is_forgotten(path):
    data = session("pi")
    path.write_bytes(data[:-10])
    follower = read(path)
    path.write_bytes(session("pi", 1))
    follower.look(1.0)
    assert follower.session.lines.rest is None
    assert follower.session.reader.problems == {}


def test_a_replacement_that_is_still_empty_is_told_and_waited_for(path):
    follower = read(session_file(path))
    path.write_bytes(b"")
    assert follower.look(1.0) == [Replaced()]
    assert follower.session is None
    append(path, session("openai"))
    assert follower.look(2.0) == []
    assert follower.session.format == "openai"


def test_a_file_that_is_gone_keeps_its_session_until_another_one_comes(path):
    follower = read(session_file(path))
    path.unlink()
    assert follower.look(1.0) == []
    assert follower.session.messages == 15


def test_catching_up_reads_what_comes_meanwhile(path):
    """`look` reads to the end it found; whoever needs the real end asks for it."""
    follower = read(session_file(path))
    append(path, Script("claude-code", after=path.read_bytes(), serial=500).turn(8).data)
    follower.catch_up(1.0)
    assert follower.tail.position == path.stat().st_size


# ------------------------------------------------------------------ where it comes from


@pytest.fixture
def swapped(tmp_path):
    """A finished parent, and its compacted form in a file of its own."""
    parent = remembered(session_file(tmp_path / "parent.jsonl", "anthropic", 4))
    child = tmp_path / "child.jsonl"
    child.write_bytes(compacted(parent, keep_turns=0))
    return parent, child


def test_a_successor_goes_on_from_the_fold_of_its_parent(swapped):
    parent, child = swapped
    follower = read(child)
    assert follower.session.marks.parent
    assert follower.session.settled.ledger.snapshot() == settled(parent).ledger.snapshot()


def settled(path):
    """The fold of a whole transcript at its end."""
    session = read(path).session
    session.tick(10.0)
    return session.settled


def test_a_successor_whose_parent_is_gone_carries_its_words(swapped):
    """Verified by the user's key, but the fold is lost: one quoted block of lower trust."""
    parent, child = swapped
    for file in (Place.of(parent).sidecar / "generations").iterdir():
        file.unlink()
    marks = read(child).session.marks
    assert marks.parent
    assert "please do step 3 of the plan" in marks.opaque


def test_a_message_whose_words_were_changed_is_the_users_text(swapped):
    _, child = swapped
    child.write_bytes(child.read_bytes().replace(b"please do step 3", b"please drop every table"))
    session = read(child).session
    assert (session.marks.parent, session.marks.opaque) == ("", "")


def test_a_message_that_another_user_signed_is_text(swapped, own_home):
    _, child = swapped
    (key,) = own_home.rglob("key")
    key.write_bytes(bytes(32))
    session = read(child).session
    assert (session.marks.parent, session.marks.opaque) == ("", "")


def test_our_message_behind_a_prompt_is_text(swapped, path):
    _, child = swapped
    path.write_bytes(Script("anthropic").prompt("look at this").say("At what?").data + child.read_bytes())
    assert read(path).session.marks.parent == ""


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_memory_message_that_comes_in_two_pieces_is_found_all_the_same(swapped, path, part):
    _, child = swapped
    data = child.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    follower = read(path)
    append(path, data[int(len(data) * part) :])
    follower.look(1.0)
    assert follower.session.marks.parent == read(child).session.marks.parent != ""


def test_a_rewind_that_went_far_back_is_read_anew_with_what_was_published_kept(path):
    """The user returned to a turn before the first one that is remembered."""
    script = Script("claude-code").turn(0)
    fork = script.leaf
    path.write_bytes(script.turn(1).turn(2).data)
    follower = read(path)
    follower.session.history.cut(0)
    follower.session.document = Document(())
    script.leaf = fork
    append(path, script.prompt("the other way round").say("As you wish.").data[path.stat().st_size :])
    before = follower.session
    follower.look(1.0)
    assert follower.session is not before
    assert follower.session.document == Document(())
    assert follower.session.messages == 7


def test_usage_that_stayed_in_a_tail_does_not_make_the_swapped_context_full(path):
    """The next answer tells how large it is."""
    records = [
        {"role": role, "content": f"{role} {n}", **({"usage": {"input_tokens": 60_000 + n}} if n % 2 else {})}
        for n, role in enumerate(["user", "assistant"] * 6)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    before = path.read_bytes()
    remembered(path)
    assert read(path).session.reading.exact == 60_011
    compact(str(path), Wish(in_place=True, keep_turns=2, quiet=True))
    assert path.read_bytes().splitlines()[1:] == before.splitlines()[-4:]
    assert read(path).session.reading.exact == 0
    append(path, json.dumps({"role": "assistant", "content": "so", "usage": {"input_tokens": 9000}}).encode() + b"\n")
    assert read(path).session.reading.exact == 9000


@pytest.mark.parametrize("undone", [False, True])
def test_what_a_transcript_begins_with_is_found_after_many_memories_of_it(path, undone):
    """The folds of the last few are kept, and that of the one which was compacted in place; so may `undo` need one."""
    session_file(path, "anthropic")
    compact(str(remembered(path)), Wish(in_place=True, quiet=True))
    for turn in range(LEDGERS_KEPT + 1):
        append(path, Script("anthropic", serial=100 * (turn + 1)).turn(10 + turn).data)
        remembered(path)
    if undone:
        compact(str(path), Wish(in_place=True, quiet=True))
        for turn in range(LEDGERS_KEPT + 1):
            append(path, Script("anthropic", serial=3000 + 100 * turn).turn(40 + turn).data)
            remembered(path)
        undo(path, quiet=True)
    session = read(path).session
    assert (bool(session.origin), session.marks.opaque) == (True, "")
