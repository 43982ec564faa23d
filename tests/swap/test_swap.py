"""The swap without a process: which cut, which route, where the file ends, what is said about it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli import head as heads
from memcli import swap, unseen
from memcli.lean import Target, options_of
from memcli.transcript.lines import Line, whole
from tests.swap.a_head import a_head, swapped
from tests.swap.sessions import WRITERS, dump

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = [("prompt", "a"), ("say", "b"), ("prompt", "c"), ("say", "d")]
DATA = WRITERS["anthropic"](EVENTS)
CUTS = ((0, "t", 900, 9), (100, "r", 700, 7), (200, "t", 500, 5), (300, "r", 300, 3), (400, "t", 0, 0))


def standing(**fields) -> object:
    """A head that covers 400 bytes of something, with the cuts above."""
    head = a_head("anthropic", DATA, 0)
    for name, value in {"covered": 400, "tail": 200, "cuts": CUTS, "first": 0, **fields}.items():
        setattr(head, name, value)
    return head


def with_file(data: bytes, ask: Callable[[int], object]) -> object:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return ask(file.fileno())


# ---- which cut


@pytest.mark.parametrize(
    ("keep", "offset", "tokens", "messages"),
    [
        (None, 200, 500, 5),  # the head's own
        (("turns", 0), 400, 0, 0),  # the bare swap
        (("tokens", 0), 400, 0, 0),
        (("turns", 1), 200, 500, 5),
        (("turns", 2), 0, 900, 9),
        (("turns", 9), 0, 900, 9),
        (("tokens", 299), 400, 0, 0),
        (("tokens", 300), 300, 300, 3),
        (("tokens", 699), 200, 500, 5),
        (("tokens", 9999), 0, 900, 9),
    ],
)
def test_the_cut_is_the_earliest_that_was_asked_for(keep, offset, tokens, messages) -> None:
    cut = swap.place(standing(), keep)

    assert (cut.offset, cut.tokens, cut.messages) == (offset, tokens, messages)


@pytest.mark.parametrize(("tail", "messages"), [(150, -1), (400, 0)])
def test_a_cut_the_head_does_not_list_is_of_unknown_length_but_for_the_boundary(tail, messages) -> None:
    cut = swap.place(standing(tail=tail, cuts=()), None)

    assert (cut.offset, cut.tokens, cut.messages) == (tail, 0, messages)


@pytest.mark.parametrize(
    ("keep", "first", "known"),
    [
        (None, -1, True),
        (("turns", 0), -1, True),
        (("turns", 2), -1, True),
        (("turns", 3), -1, False),
        (("turns", 3), 0, True),  # there are no more
        (("turns", 3), 50, False),
        (("tokens", 899), -1, True),
        (("tokens", 900), -1, False),
        (("tokens", 900), 0, True),
    ],
)
def test_a_head_knows_whether_there_may_be_earlier_cuts(keep, first, known) -> None:
    assert swap.knows(standing(first=first), keep) == known


# ---- which route


def route(more: bytes = b"", **fields) -> str:
    data = DATA + more
    head = a_head("anthropic", DATA, 0, cuts=((0, "t", 0, 0),))
    for name, value in fields.items():
        setattr(head, name, value)
    head.fingerprint = heads.fingerprint(tuple(DATA[a:b] for a, b in heads.spans(head.covered, head.end)))
    return with_file(data, lambda file: swap.prepare(head, file, len(data)).report.route)


PLAIN = b'{"role":"user","content":"more words"}\n'


def test_plain_words_nobody_saw_yet_are_copied() -> None:
    assert [route(), route(PLAIN), route(PLAIN * 3)] == ["copy"] * 3


@pytest.mark.parametrize(
    "unseen",
    [
        dump({"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]}),
        dump({"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}),
        dump({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}),
        dump({"role": "system", "content": "s"}),
        dump({"role": "user", "content": ""}),
        dump({"role": "user", "content": []}),
        dump({"role": "user", "content": None}),
        dump({"role": "user", "content": " x"}),
        b'{"role":"user","content":"\\nx"}\n',
        '{"role":"user","content":"\u00a0"}\n'.encode(),
        '{"role":"user","content":"\u1680"}\n'.encode(),
        '{"role":"user","content":"\u2003"}\n'.encode(),
        '{"role":"user","content":"\u3000"}\n'.encode(),
        PLAIN.strip() + PLAIN,
        PLAIN.strip() + b" " + PLAIN,
        PLAIN + b"\n" + PLAIN,
        PLAIN + b"\r\n" + PLAIN,
        PLAIN + b" " + PLAIN,
        PLAIN + b"\x00\n",
        b"\xef\xbb\xbf" + PLAIN,
        b'{"content":"no role"}\n',
        b'{"role":"user"}\n',
        b' {"role":"user","content":"x"}\n',
        PLAIN.replace(b"}\n", b"}\r\n"),
        PLAIN.strip() + b"\t" + PLAIN,
        PLAIN.replace(b"more", b"m\tore"),
        PLAIN.replace(b"more", b"m\xffore"),
        PLAIN.replace(b"words", b"\\u0007 thinking").replace(b"}", b',"x":1}'),
    ],
)
def test_unseen_lines_that_may_need_a_change_are_never_copied(unseen) -> None:
    assert route(unseen) == "rewrite"


@pytest.mark.parametrize(
    "unseen",
    [
        PLAIN.replace(b":", b": ").replace(b",", b", "),
        dump({"role": "assistant", "content": 'says "thinking" about a tool, \\" and \\\\'}),
        dump({"role": "user", "content": "naïve \U0001f600 \\"}),
        dump({"role": "user", "content": [{"type": "text", "text": "b"}]}),
        PLAIN[:-1],
        PLAIN.replace(b"words", b"words" * 300_000) * 3,
    ],
    ids=["spaced", "escapes", "not ASCII", "blocks", "no line end", "megabytes"],
)
def test_words_are_copied_however_they_are_written(unseen) -> None:
    assert route(unseen) == "copy"


def test_half_a_line_of_any_length_is_for_the_encoder() -> None:
    """A line that is longer than any message: no more of it is held."""
    data = b'{"role":"user","content":"' + b"x" * (17 << 20) + b'"}\n'

    assert with_file(data, lambda file: unseen.messages(file, 0, len(data), "anthropic")) == -1


@pytest.mark.parametrize("place", range(1, len(PLAIN) - 1))
def test_a_half_line_with_another_behind_it_is_never_copied(place) -> None:
    """A writer died within a line, and the next one went on behind it."""
    with pytest.raises(ValueError, match="cannot be read"):
        route(PLAIN[:place] + PLAIN)


@pytest.mark.parametrize(
    "unseen",
    [
        b"garbage\n",
        PLAIN.strip() + b", {}\n",
        PLAIN.strip() + b' x {"role":"user"}\n',
        PLAIN.strip() + b"}\n",
        PLAIN[:-3] + b"\n",
        PLAIN.replace(b'"more words"', b"NaN}, {"),
    ],
)
def test_unseen_lines_that_are_not_one_object_are_never_copied(unseen) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        route(unseen)


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_no_json_are_never_copied(word) -> None:
    assert route(PLAIN.replace(b"}", b',"n":' + word + b"}")) == "rewrite"


@pytest.mark.parametrize("more", [b',"usage":{"a":{"b":1}}', b',"x":[{},{"y":"}}"}]'])
def test_objects_within_a_message_are_no_second_object(more) -> None:
    assert route(PLAIN.replace(b'words"', b'words"' + more)) == "copy"


@pytest.mark.parametrize(
    "fields",
    [{"route": "rewrite"}, {"cuts": ()}, {"tail": 40, "cuts": ((0, "t", 0, 0), (40, "r", 0, -1))}],
    ids=["not proved", "length unknown", "a cut of unknown length"],
)
def test_what_was_not_proved_is_rewritten(fields) -> None:
    assert route(**{"covered": 60, **fields} if "cuts" in fields else fields) == "rewrite"


def test_a_tail_before_the_proved_one_is_rewritten() -> None:
    head = a_head("anthropic", DATA, 0, cuts=((0, "t", 9, 2), (40, "t", 0, 0)))
    head.tail, head.covered, head.first = 40, 80, 0
    head.fingerprint = heads.fingerprint(tuple(DATA[a:b] for a, b in heads.spans(80, head.end)))

    assert with_file(DATA, lambda file: swap.prepare(head, file, len(DATA), ("turns", 2)).report.route) == "rewrite"


def test_unseen_words_behind_an_open_call_are_for_the_encoder() -> None:
    assert route(open_calls=1) == "copy"
    assert route(PLAIN, open_calls=1) == "rewrite"


@pytest.mark.parametrize(
    ("word", "format"), [("developer", "openai"), ("function_call", "openai"), ("reasoning", "openai")]
)
def test_words_that_only_one_format_fears_slow_the_other_not(word, format) -> None:
    words = dump({"role": "user", "content": f"about {word}s", "id": 1})
    for name, expected in (("anthropic", "copy"), (format, "rewrite")):
        data = WRITERS[name](EVENTS)
        head = a_head(name, data, 0, cuts=((0, "t", 0, 0),))
        whole_file = data + words
        assert (
            with_file(whole_file, lambda file, h=head, d=whole_file: swap.prepare(h, file, len(d)).report.route)
            == expected
        )


# ---- the bytes and the sentence


def test_places_are_filled_and_a_value_of_another_length_leaves_what_stood_there(tmp_path) -> None:
    data = WRITERS["claude-code"](EVENTS)
    output, report = swapped(a_head("claude-code", data, 0), data, tmp_path)
    boundary, summary, first, *_ = [json.loads(line) for line in output.splitlines()]

    assert summary["message"]["content"].startswith("<!-- memcli generation=0123456789abcdef0123 covered=0000000 ")
    assert boundary["timestamp"] == summary["timestamp"] == first["timestamp"]
    assert first["parentUuid"] == summary["uuid"] != "0" * 36
    assert (report.route, report.kept, report.messages_after) == ("rewrite", 4, 5)

    odd = a_head("claude-code", data, 0, fills=((5, 9, "time"), (30, 0, "covered")))
    odd_output, _ = swapped(odd, data, tmp_path)
    assert odd_output.startswith(odd.before)


@pytest.mark.parametrize("format", WRITERS)
def test_the_covered_messages_of_the_tail_are_counted_into_the_mark(format, tmp_path) -> None:
    data = WRITERS[format](EVENTS)
    covered = data.index(b'"c"')
    covered = data.rfind(b"\n", 0, covered) + 1
    head = a_head(format, data, covered, 0)

    assert b"covered=0000002" in swapped(head, data, tmp_path)[0]


def test_counts_of_a_grown_file_are_said() -> None:
    head = a_head("anthropic", DATA, 0, cuts=((0, "t", 30, 0),), messages=10, tokens=1000, tail_messages=4)
    head.memory_tokens, head.tail_tokens = 50, 200
    grown = DATA + PLAIN * 2
    report = with_file(grown, lambda file: swap.prepare(head, file, len(grown)).report)
    more = len(PLAIN) * 2 // 4

    assert (report.messages, report.tokens, report.kept) == (12, 1000 + more, 6)
    assert (report.tokens_after, report.behind) == (50 + 30 + 200 + more, 200 + more)


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "60 min"), (3600, "1 h"), (86400 * 3, "3 d")],
)
def test_an_age_is_said_in_its_largest_unit(seconds, age) -> None:
    assert f"memory {age} old," in swap.Report("copy", 1, 1, 1, 1).line(seconds, 0)


def test_a_memory_far_behind_is_named_and_growth_is_no_saving() -> None:
    report = swap.Report("copy", 1, 1000, 1, 1200)
    report.behind = 20_001

    assert "~20,001 tokens not covered (memcli update)" in report.line(0, 0)
    assert "(+20 %)" in report.line(0, 0)
    assert "made now in 1500 ms" in report.line(0, 1.5, "made now")
    report.behind = 20_000
    assert "not covered" not in report.line(0, 0)
    assert "(+0 %)" in swap.Report("copy", 0, 0, 0, 9).line(0, 0)


# ---- the end of the file


@settings(max_examples=80)
@given(
    st.lists(st.sampled_from([PLAIN, b'{"a":"}{\\"\\\\"}\n', b'{"b":[{}, {"c":1}]}\n', b"\n"]), max_size=4),
    st.integers(0, 60),
)
def test_the_end_of_any_cut_file_is_that_of_its_last_whole_record(lines, lost) -> None:
    data = b"".join(lines)
    data = data[: max(0, len(data) - lost)]
    rest = data[data.rfind(b"\n") + 1 :]
    expected = len(data) if whole(Line(0, len(rest), rest)) else len(data) - len(rest)

    assert with_file(data, lambda file: swap.whole_end(file, 0, len(data))) == expected


@pytest.mark.parametrize("length", [(1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 20, (1 << 20) + (1 << 16) + 3])
def test_a_long_last_line_is_found_across_blocks(length) -> None:
    data = PLAIN + b'{"a":"' + b"x" * length

    assert with_file(data, lambda file: swap.whole_end(file, 0, len(data))) == len(PLAIN)
    assert with_file(data + b'"}', lambda file: swap.whole_end(file, 0, len(data) + 2)) == len(data) + 2
    assert with_file(data, lambda file: swap.whole_end(file, len(data), len(data))) == len(data)


def test_a_line_that_was_seen_half_and_has_grown_since_is_left_to_the_slow_route() -> None:
    head = a_head("anthropic", DATA[:-1], 0)
    grown = DATA[:-1] + b" " + PLAIN
    with pytest.raises(ValueError, match="has grown"):
        with_file(grown, lambda file: swap.prepare(head, file, len(grown)))
    assert with_file(DATA + PLAIN, lambda file: swap.prepare(head, file, len(DATA + PLAIN)))


@pytest.mark.parametrize("format", ["anthropic", "openai"])
def test_a_file_without_final_newline_gets_one(format, tmp_path) -> None:
    data = WRITERS[format](EVENTS)[:-1]
    output, report = swapped(a_head(format, data, 0, cuts=((0, "t", 0, 0),), route="copy"), data, tmp_path)

    assert report.route == "copy"
    assert output.endswith(b"}\n")


# ---- the command line of the lean route


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("compact t", ("t", "", False, None)),
        ("compact -q t", ("t", "", True, None)),
        ("compact --quiet t", ("t", "", True, None)),
        ("compact t --output out", ("t", "out", False, None)),
        ("compact t -q -o out", ("t", "out", True, None)),
        ("compact t --keep-turns 0", ("t", "", False, ("turns", 0))),
        ("compact --keep-tokens 500 t", ("t", "", False, ("tokens", 500))),
        ("compact", None),
        ("show t", None),
        ("compact t u", None),
        ("compact t -", None),
        ("compact -", None),
        ("compact t -o", None),
        ("compact t -o -", None),
        ("compact t -o -q", None),
        ("compact t -o a -o b", None),
        ("compact t --keep-turns", None),
        ("compact t --keep-turns -1", None),
        ("compact t --keep-turns 1.5", None),
        ("compact t --keep-turns ²", None),
        ("compact t --keep-turns 1000000000", None),
        ("compact t --keep-turns 1 --keep-turns 1", None),
        ("compact t --keep-turns 1 --keep-tokens 1", None),
        ("compact t --fresh", None),
        ("compact --to messages t", None),
    ],
)
def test_only_plain_command_lines_are_taken(words, found) -> None:
    options = options_of(words.split(" "))

    assert (options and (options.path, options.out, options.quiet, options.keep)) == found


def test_an_empty_command_line_and_an_empty_path_are_not_taken() -> None:
    assert options_of([]) is None
    assert options_of(["compact", ""]) is None


# ---- the file of -o


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path) -> None:
    (tmp_path / "out").write_text("old")
    source = os.open(tmp_path / "out", os.O_RDONLY)
    missing = swap.Ready(b"new", swap.Report("copy", 0, 0, 0, 0), 0, 10)  # the transcript was cut meanwhile
    empty = os.open("/dev/null", os.O_RDONLY)
    target = Target(str(tmp_path / "other"), source)
    with pytest.raises(OSError, match="cut while it was copied"):
        target.fill(missing, empty)
    os.close(source)
    os.close(empty)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_link_stays_one_and_what_it_names_is_replaced(tmp_path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    source = os.open("/dev/null", os.O_RDONLY)
    target = Target(str(tmp_path / "link"), source)
    target.fill(swap.Ready(b"new", swap.Report("copy", 0, 0, 0, 0)), source)
    os.close(source)

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("path", ["missing/out", "directory"])
def test_what_is_no_place_for_a_file_is_left_to_the_program(tmp_path, path) -> None:
    (tmp_path / "directory").mkdir()
    source = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(ValueError, match=r"no directory|no plain file"):
        Target(str(tmp_path / path), source)
    os.close(source)


def test_a_new_file_is_for_its_owner_alone(tmp_path) -> None:
    source = os.open("/dev/null", os.O_RDONLY)
    Target(str(tmp_path / "out"), source).fill(swap.Ready(b"x", swap.Report("copy", 0, 0, 0, 0)), source)
    os.close(source)

    assert Path(tmp_path / "out").stat().st_mode & 0o777 == 0o600
