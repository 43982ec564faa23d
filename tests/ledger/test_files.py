from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger import files
from memcli.ledger.deeds import Change, Deed
from memcli.ledger.files import Files
from tests.ledger.builders import agent, done, edited, flat, folded, place, ran, wrote

if TYPE_CHECKING:
    from memcli.ledger.files import File
    from memcli.transcript.entries import Entry

CART = "/home/dev/shop/src/cart.py"


def states(*entries: Entry | list[Entry]) -> dict[str, str]:
    ledger = folded(place(), *entries)
    return {path.removeprefix("/home/dev/shop/"): file.state for path, file in ledger.state.files.known.items()}


def cart(*entries: Entry | list[Entry]) -> File:
    return folded(place(), *flat(entries)).state.files.known[CART]


def test_a_new_file_is_created_and_stays_so_when_edited() -> None:
    assert states(wrote(CART), edited(CART)) == {"src/cart.py": "created"}


def test_an_overwritten_file_is_modified() -> None:
    assert states(wrote(CART, text="The file has been updated")) == {"src/cart.py": "modified"}
    assert states(wrote(CART, text="ok", detail={"type": "update"})) == {"src/cart.py": "modified"}


def test_a_file_that_was_read_before_is_not_new() -> None:
    assert states(done("Read", {"file_path": CART}), wrote(CART, text="done")) == {"src/cart.py": "modified"}


def test_the_last_writer_wins() -> None:
    assert states(edited(CART), ran("rm src/cart.py")) == {"src/cart.py": "deleted"}
    assert states(ran("rm src/cart.py"), wrote(CART)) == {"src/cart.py": "created"}


def test_a_file_made_here_deleted_and_written_again_is_made_again() -> None:
    assert states(wrote(CART), ran("rm src/cart.py"), wrote(CART, text="ok")) == {"src/cart.py": "created"}


def test_with_a_folder_all_that_is_known_in_it_is_deleted() -> None:
    other = wrote("/home/dev/shop/srcs.py")

    assert states(wrote(CART), other, ran("rm -rf src")) == {"src/cart.py": "deleted", "srcs.py": "created"}
    assert states(wrote(CART), ran("rm src")) == {"src/cart.py": "created"}


def test_a_folder_moved_by_a_name_that_the_command_gave_takes_its_files_along() -> None:
    command = 'mkdir -p old && TO="old/src"; if [ -e "$TO" ]; then echo no; else git mv src "$TO"; fi'

    assert states(edited(CART), ran(command)) == {"src/cart.py": "deleted", "old/src/cart.py": "created"}


def test_a_failed_edit_changes_nothing() -> None:
    assert states(edited(CART, is_error=True)) == {}


def test_a_refused_edit_changes_nothing() -> None:
    assert states(edited(CART, is_error=True, rejected=True)) == {}


def test_a_moved_file_leaves_its_old_place() -> None:
    known = folded(place(), edited(CART), ran("git mv src/cart.py src/basket.py")).state.files.known

    assert known[CART].state == "deleted"
    assert known["/home/dev/shop/src/basket.py"].source == CART


def test_a_moved_file_keeps_what_is_known_of_it() -> None:
    known = folded(
        place(), agent("Adding the tax:"), edited(CART), ran("mv src/cart.py src/basket.py")
    ).state.files.known

    assert [touch.why for touch in known["/home/dev/shop/src/basket.py"].touches] == ["Adding the tax"]


def test_several_operands_move_into_a_folder() -> None:
    assert states(edited(CART), ran("mv src/cart.py src/tax.py lib")) == {
        "src/cart.py": "deleted",
        "lib/cart.py": "created",
        "src/tax.py": "deleted",
        "lib/tax.py": "created",
    }


def test_a_folder_takes_its_known_files_along() -> None:
    assert states(edited(CART), ran("mv src core")) == {"src/cart.py": "deleted", "core/cart.py": "created"}
    inside = states(wrote("core/a.py"), edited(CART), ran("mv src core"))
    assert inside == {"core/a.py": "created", "src/cart.py": "deleted", "core/src/cart.py": "created"}


def test_a_target_that_may_be_a_name_or_a_folder_is_not_guessed() -> None:
    assert states(ran("mv src/cart.py lib")) == {"src/cart.py": "deleted"}
    assert states(wrote("lib/a.py"), ran("mv src/cart.py lib"))["lib/cart.py"] == "created"


def test_whether_a_target_never_seen_is_a_folder_is_not_guessed() -> None:
    assert states(edited(CART), ran("mv src/cart.py attic")) == {"src/cart.py": "deleted"}


def test_what_follows_a_move_in_one_command_counts_after_it() -> None:
    assert states(edited(CART), ran("mv src/cart.py src/old.py && echo x > src/cart.py")) == {
        "src/old.py": "created",
        "src/cart.py": "modified",
    }
    assert states(edited(CART), ran("mv src/cart.py src/old.py && rm src/old.py"))["src/old.py"] == "deleted"


@pytest.mark.parametrize(("old", "new"), [("Dockerfile", "Containerfile"), ("bin/serve", "bin/serve-shop")])
def test_a_file_without_an_ending_is_seen_to_move(old: str, new: str) -> None:
    assert states(wrote(f"/home/dev/shop/{old}"), ran(f"mv {old} {new}")) == {old: "deleted", new: "created"}


def test_a_file_moved_to_or_from_scratch_leaves_no_trace_there() -> None:
    assert states(ran("mv /tmp/x.py src/x.py")) == {"src/x.py": "created"}
    assert states(ran("mv src/x.py /tmp/x.py")) == {"src/x.py": "deleted"}


def test_a_relative_path_is_the_known_file_that_ends_so() -> None:
    assert states(edited(CART), ran("sed -i s/a/b/ cart.py")) == {"src/cart.py": "modified"}


def test_reading_keeps_what_the_file_defines() -> None:
    read = cart(
        agent("I read the cart to see how totals work:"),
        done("Read", {"file_path": CART}, "     1→def total_price(cart):\n"),
    )

    assert (read.state, read.reads, list(read.names)) == ("", 1, ["total_price"])
    assert read.read_why == "I read the cart to see how totals work"


def test_a_search_tells_about_files_it_found() -> None:
    assert "total_price" in cart(ran("grep -rn 'def ' src", f"{CART}:3:def total_price(cart):")).names


def test_each_purpose_keeps_its_own_names() -> None:
    touched = cart(
        agent("Add the tax:"),
        edited(CART, "tax_rate = 1"),
        agent("Add the discount:"),
        edited(CART, "discount_rate = 1"),
    )

    assert [(one.why, one.names) for one in touched.touches] == [
        ("Add the tax", ["tax_rate"]),
        ("Add the discount", ["discount_rate"]),
    ]


def test_the_same_purpose_gathers_names() -> None:
    touched = cart(agent("Add the tax:"), edited(CART, "tax_rate = 1"), edited(CART, "tax_name = 1"))

    assert [one.names for one in touched.touches] == [["tax_name", "tax_rate"]]


def test_sentences_of_the_new_text_are_kept_once_and_the_latest_last() -> None:
    first, second = "# The tax rate is a share of the price.\n", "# Prices are rounded at the very end only.\n"

    assert cart(edited(CART, first), edited(CART, second), edited(CART, first)).remarks == [
        "Prices are rounded at the very end only.",
        "The tax rate is a share of the price.",
    ]


def test_what_a_file_remembers_is_bounded() -> None:
    busy = cart(
        *(
            [
                agent(f"Now change number {n} of it:"),
                edited(CART, f"# Remark number {n} tells about this code.\nname_{n} = {n}"),
            ]
            for n in range(100)
        )
    )

    assert (len(busy.touches), len(busy.remarks), len(busy.names)) == (
        files.MAX_TOUCHES,
        files.MAX_REMARKS,
        files.MAX_NAMES,
    )


def test_beyond_the_cap_files_that_were_only_read_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)

    assert states(wrote("/home/dev/shop/a.py"), done("Read", {"file_path": CART}), wrote("/home/dev/shop/b.py")) == {
        "a.py": "created",
        "b.py": "created",
    }


def test_many_lines_of_one_script_are_one_change() -> None:
    assert (
        cart(ran("sed -i s/a/b/ src/cart.py\nsed -i s/c/d/ src/cart.py"), ran("sed -i s/e/f/ src/cart.py")).writes == 2
    )


def test_a_file_known_by_a_relative_path_is_the_absolute_one_that_ends_so() -> None:
    known = folded(edited("src/cart.py"), edited(CART)).state.files.known

    assert {path: file.writes for path, file in known.items()} == {CART: 2}


def said_by_git(*told: tuple[str, str, str]) -> dict[str, tuple[str, int, str]]:
    """Files as git or a subagent tells of them: (path, state, by)."""
    known = Files()
    for index, (path, state, by) in enumerate(told):
        known.told(Change(path, state), index, "/srv", by)
    return {path: (file.state, file.writes, file.by) for path, file in known.known.items()}


def test_what_others_changed_was_written_by_no_call_of_ours() -> None:
    assert said_by_git(("a.py", "created", "subagent")) == {"/srv/a.py": ("created", 0, "subagent")}


def test_a_new_file_of_others_stays_created_when_they_modify_it() -> None:
    assert said_by_git(("a.py", "created", ""), ("a.py", "modified", "")) == {"/srv/a.py": ("created", 0, "")}
    assert said_by_git(("a.py", "created", ""), ("a.py", "deleted", "")) == {"/srv/a.py": ("deleted", 0, "")}


def test_a_file_of_ours_is_not_taken_for_that_of_a_subagent() -> None:
    known = Files()
    known.changed(Change("a.py", "modified"), Deed(1, "Edit", "edit", "a.py", "", ""), "/srv", None)
    known.told(Change("a.py", "modified"), 2, "/srv", "subagent")

    assert known.known["/srv/a.py"].by == ""


def test_a_deleted_file_that_is_written_again_is_new() -> None:
    assert states(edited(CART), ran(f"rm {CART}"), wrote(CART)) == {"src/cart.py": "created"}


@pytest.mark.parametrize(
    ("text", "state"),
    [("The file has been updated", "modified"), ("File created successfully", "created"), ("ok", "created")],
)
def test_what_the_harness_says_of_a_whole_write_counts(text: str, state: str) -> None:
    assert states(wrote(CART, text=text)) == {"src/cart.py": state}


def test_a_file_is_new_if_nobody_says_otherwise_and_nobody_read_it() -> None:
    assert states(done("Read", {"file_path": CART}), wrote(CART, text="ok")) == {"src/cart.py": "modified"}
    assert states(edited(CART), wrote(CART, text="ok")) == {"src/cart.py": "modified"}


def test_reading_counts_and_remembers_why() -> None:
    one = cart(agent("Let me look at the cart:"), done("Read", {"file_path": CART}), done("Read", {"file_path": CART}))

    assert (one.reads, one.state, one.read_why) == (2, "", "Let me look at the cart")


def test_what_a_changed_file_holds_is_known_by_its_changes_not_by_reading_it() -> None:
    read = done("Read", {"file_path": CART}, "def total_price(cart): ...")

    assert "total_price" in cart(read).names
    assert "total_price" not in cart(edited(CART, "x = 1"), read).names


def test_of_several_files_printed_at_once_no_names_are_known() -> None:
    one = cart(ran(f"cat {CART} other.py", "def total_price(cart): ..."))

    assert (one.reads, list(one.names)) == (1, [])


def test_a_relative_path_stands_below_the_working_directory() -> None:
    known = folded(place("/srv/shop/web"), edited("../src/./cart.py")).state.files.known

    assert list(known) == ["/srv/shop/src/cart.py"]


def test_of_two_files_that_end_so_none_is_guessed() -> None:
    known = folded(edited("/a/src/cart.py"), edited("/b/src/cart.py"), edited("src/cart.py")).state.files.known

    assert list(known) == ["/a/src/cart.py", "/b/src/cart.py", "src/cart.py"]


def test_a_bare_name_is_not_taken_for_a_whole_path_that_comes_later() -> None:
    known = folded(edited("cart.py"), edited("/srv/shop/cart.py")).state.files.known

    assert list(known) == ["cart.py", "/srv/shop/cart.py"]


def test_the_file_touched_last_stands_last() -> None:
    assert list(states(edited(CART), edited("/home/dev/shop/b.py"), done("Read", {"file_path": CART}))) == [
        "b.py",
        "src/cart.py",
    ]


def test_a_move_onto_itself_is_nothing() -> None:
    assert states(edited(CART), ran(f"mv {CART} {CART}")) == {"src/cart.py": "modified"}


def test_a_deleted_file_cannot_come_along_with_its_folder() -> None:
    gone = [edited(CART), ran(f"rm {CART}"), edited("/home/dev/shop/src/bill.py")]

    assert states(*gone, ran("mv /home/dev/shop/src /home/dev/shop/lib")) == {
        "src/cart.py": "deleted",
        "src/bill.py": "deleted",
        "lib/bill.py": "created",
    }


def test_a_file_that_others_named_counts_as_written_once_it_is_moved() -> None:
    ledger = folded(place("/srv"), ran("mv a.py b.py"))

    assert [(path, file.state, file.writes, file.source) for path, file in ledger.state.files.known.items()] == [
        ("/srv/a.py", "deleted", 1, ""),
        ("/srv/b.py", "created", 1, "/srv/a.py"),
    ]


@given(st.lists(st.sampled_from(["edit", "write", "rm", "read"]), min_size=1, max_size=8))
def test_the_last_writer_wins_whatever_came_before(steps: list[str]) -> None:
    made = {
        "edit": edited(CART),
        "write": wrote(CART, text="ok"),
        "rm": ran(f"rm {CART}"),
        "read": done("Read", {"file_path": CART}),
    }
    state, made_here = "", False
    for place_in, step in enumerate(steps):
        seen = state or "read" in steps[:place_in]
        if step == "rm":
            state = "deleted"
        elif step == "write":
            anew = state == "deleted" and made_here
            state = "modified" if seen and state != "created" and not anew else "created"
        elif step == "edit":
            state = "created" if state == "created" else "modified"
        made_here = made_here or state == "created"

    assert cart(*(made[step] for step in steps)).state == state
