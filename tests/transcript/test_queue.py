"""Prompts that were typed while the agent worked: each is given once, whatever the client wrote of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.formats.queue import Queue

WORDS = st.sampled_from(["go", "stop", "use tabs"])


def test_a_prompt_that_is_removed_was_taken_into_the_turn() -> None:
    queue = Queue()

    assert [queue.step("enqueue", "go"), queue.step("remove", ""), queue.step("remove", "")] == ["", "go", ""]


def test_a_prompt_that_is_dequeued_comes_as_a_record_of_its_own() -> None:
    queue = Queue()
    queue.step("enqueue", "a")
    queue.step("enqueue", "b")

    assert queue.step("dequeue", "") == ""
    assert queue.step("remove", "") == "b"


def test_a_line_that_names_its_words_takes_these_and_no_others() -> None:
    queue = Queue()
    for words in ("a", "b", "c"):
        queue.step("enqueue", words)

    assert [queue.step("remove", words) for words in ("c", "a", "")] == ["c", "a", "b"]


def test_words_that_never_were_in_the_queue_take_the_first_of_it() -> None:
    """The client may rewrite what it takes: an image's path becomes a number."""
    queue = Queue(waiting=["look at /w/a.png", "b"])

    assert queue.step("remove", "look at [Image #1]") == "look at /w/a.png"
    assert queue.waiting == ["b"]


def test_a_removal_whose_beginning_is_not_in_the_file_gives_its_own_words() -> None:
    assert Queue().step("remove", "stop") == "stop"
    assert Queue().step("remove", " ") == ""
    assert Queue().step("dequeue", "stop") == ""


def test_other_operations_change_nothing() -> None:
    queue = Queue(waiting=["a"])

    assert queue.step("hold", "b") == ""
    assert queue == Queue(waiting=["a"])


def test_twins_may_differ_in_the_blanks_around_them() -> None:
    queue = Queue(waiting=["go"])

    assert [queue.attached(" go\n"), queue.step("remove", "")] == [" go\n", ""]


def test_a_blank_attachment_says_nothing_and_pairs_with_nothing() -> None:
    queue = Queue()

    assert queue.attached(" \n") == ""
    assert queue == Queue()


def test_an_old_attachment_without_a_twin_does_not_swallow_a_new_prompt() -> None:
    queue = Queue()
    for serial in range(17):
        queue.attached(f"words {serial}")

    assert queue.step("remove", "words 0") == "words 0"
    assert queue.step("remove", "words 1") == ""


def test_a_queue_that_is_never_emptied_forgets_its_oldest_prompts() -> None:
    queue = Queue()
    for serial in range(300):
        queue.step("enqueue", str(serial))

    assert queue.waiting == [str(serial) for serial in range(44, 300)]


@settings(max_examples=80)
@given(
    st.lists(st.tuples(WORDS, st.sampled_from(["line", "both", "attachment first", "later", "returned"])), max_size=8)
)
def test_each_prompt_taken_into_a_turn_is_given_exactly_once(prompts: list[tuple[str, str]]) -> None:
    queue, given_words = Queue(), []
    for words, fate in prompts:
        queue.step("enqueue", words)
        if fate == "attachment first":
            given_words.append(queue.attached(words))
        given_words.append(queue.step({"later": "dequeue", "returned": "popAll"}.get(fate, "remove"), ""))
        if fate == "both":
            given_words.append(queue.attached(words))

    taken = [words for words, fate in prompts if fate not in ("later", "returned")]
    assert [words for words in given_words if words] == taken
    assert queue.waiting == []
