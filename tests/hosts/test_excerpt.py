"""What of a memory fits into a hook's answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.hosts.excerpt import excerpt
from memcli.memory.sections import NAMES


def memory(**lines: int) -> str:
    """A memory with so many lines a section; each names its section and number."""
    sections = []
    for name in NAMES:
        body = [f"- {name} line {n} " + "x" * 40 for n in range(lines.get(name.split()[0].lower(), 0))]
        sections.append("\n".join([f"## {name}", *(body or ["- none"])]))
    return "# Session memory\n\n" + "\n\n".join(sections) + "\n"


def test_a_small_memory_is_whole_and_in_its_order() -> None:
    text = excerpt(memory(user=2, errors=1, files=3), 5_000)
    assert text.count("- ") == 6
    assert text.index("## User Intent") < text.index("## Errors & Corrections") < text.index("## Files")


def test_empty_sections_are_left_out() -> None:
    assert excerpt(memory(files=1), 5_000).startswith("## Files\n- Files line 0")
    assert excerpt(memory(), 5_000) == ""


def test_every_section_has_its_share_and_corrections_the_most() -> None:
    text = excerpt(memory(**dict.fromkeys(("current", "user", "errors", "active", "files", "key"), 200)), 9_000)
    shares = {part.split("\n")[0][3:]: len(part) for part in text.split("\n\n")}
    assert set(shares) == {
        "Current State",
        "User Intent",
        "Errors & Corrections",
        "Active Work",
        "Files",
        "Key References",
    }
    assert max(shares, key=lambda name: shares[name]) == "Errors & Corrections"


def test_sections_of_the_users_own_take_room_from_all_and_push_none_out() -> None:
    text = excerpt("".join(f"## {name}\n" + f"- {name}\n" * 900 for name in (*NAMES, "Pinned", *"ABCDEF")), 9_000)
    assert text.count("## ") == len(NAMES) + 7
    assert len(text) <= 9_000


def test_intent_keeps_how_it_began_and_the_latest() -> None:
    text = excerpt(memory(user=200), 3_000)
    assert "User Intent line 0 " in text
    assert "User Intent line 199 " in text
    assert "lines left out)" in text


def test_other_sections_keep_their_beginning() -> None:
    text = excerpt(memory(files=200), 3_000)
    assert "Files line 0 " in text
    assert "Files line 199 " not in text


def test_only_named_sections_are_told() -> None:
    assert "## Files" not in excerpt(memory(user=2, files=2), 5_000, ("User Intent",))


def test_a_line_too_long_for_all_the_room_is_cut() -> None:
    text = excerpt("## Files\n- " + "y" * 10_000, 500)
    assert text.startswith("## Files\n- yyy")
    assert len(text) <= 500


lines = st.text(st.characters(exclude_characters="\n"), max_size=300)
bodies = st.dictionaries(st.sampled_from([*NAMES, "Pinned", *"ABCDEF"]), st.lists(lines, max_size=30), max_size=15)


@given(bodies, st.integers(0, 12_000))
def test_it_is_never_longer_than_allowed(body: dict[str, list[str]], limit: int) -> None:
    text = "\n\n".join("\n".join([f"## {name}", *said]) for name, said in body.items())
    assert len(excerpt(text, limit)) <= limit


@pytest.mark.parametrize("text", ["", "no headings at all", "## \n", "##\n- x"])
def test_what_is_no_memory_gives_nothing_or_itself(text: str) -> None:
    assert excerpt(text, 100) == ""
