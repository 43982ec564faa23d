"""How files stand in the memory."""

from __future__ import annotations

from memcli.memory import sections
from tests.ledger.builders import agent, done, edited, ran, user, wrote
from tests.memory.test_render import text

SHOP = "/home/dev/shop/src"


def test_a_new_file_says_what_it_is() -> None:
    shown = text(sections.FILES, *wrote(f"{SHOP}/tax.py", '"""Rates of the tax by country."""\nRATES = {}\n'))

    assert "tax.py — created: Rates of the tax by country" in shown


def test_a_purpose_that_says_nothing_gives_way_to_one_that_does() -> None:
    shown = text(
        sections.FILES,
        agent("Let me round the total of every invoice:"),
        *edited(f"{SHOP}/cart.py", "a = 1"),
        agent("More fixes needed:"),
        *edited(f"{SHOP}/cart.py", "b = 1"),
    )

    assert "Let me round the total of every invoice" in shown
    assert "More fixes" not in shown


def test_many_files_of_which_only_the_state_is_known_share_a_line() -> None:
    shown = text(sections.FILES, *(one for n in range(20) for one in edited(f"{SHOP}/part_{n}.py")))

    assert "- modified in /home/dev/shop/src: part_19.py" in shown or "- modified in the root: part_19.py" in shown


def test_without_a_working_directory_the_common_one_is_the_root() -> None:
    files = [*edited(f"{SHOP}/cart.py"), *edited("/home/dev/shop/docs/cart.md")]

    assert "- src/cart.py — modified" in text(sections.FILES, *files)
    assert "files lie below `/home/dev/shop`" in text(sections.REFERENCES, *files)


def test_files_far_apart_have_no_root() -> None:
    assert "project root" not in text(sections.REFERENCES, *edited("/etc/shop.ini"), *edited(f"{SHOP}/cart.py"))


def test_a_look_up_without_a_purpose_leaves_with_its_turn() -> None:
    looked, after = ran("grep -rn total_price src"), [user("what is next?"), agent("The invoices are next.")]

    assert "total_price" in text(sections.ACTIVE_WORK, user("look"), *looked)
    assert "total_price" not in text(sections.REFERENCES, user("look"), *looked, *after)


def test_a_subagent_of_a_finished_turn_is_told_in_few_lines() -> None:
    report = "\n".join(f"- line {n} of src/cart_{n}.py rounds the prices of the cart" for n in range(14))
    task = done("Task", {"prompt": "Review the cart and the till of the shop"}, report)
    shown = text(sections.REFERENCES, user("review"), *task, user("what is next?"), agent("The invoices are next."))

    assert 0 < shown.count("tool output") <= 8


def test_a_long_scratch_folder_is_told_by_its_last_name() -> None:
    files = text(sections.FILES, user("go"), *wrote(f"/tmp/{'session-' * 9}1/scratchpad/try.py"))

    assert "created in …/scratchpad: try.py" in files


def test_names_of_a_new_file_stand_once() -> None:
    body = '"""Prices: what a cart costs with tax."""\ndef price_of_cart(): pass'
    files = text(
        sections.FILES, user("go"), agent("Let me create the prices of the whole cart:"), *wrote("/p/a.py", body)
    )

    assert "in a.py: Let me create the prices of the whole cart" in files
    assert files.count("price_of_cart") == 1
