from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.sidecar.generations import LEDGERS_KEPT, RECENT, Generation, Generations, generation_id, split_id, stays
from tests.sidecar.builders import SIDECAR, a_long_life

if TYPE_CHECKING:
    from pathlib import Path


def a_generation(n: int) -> Generation:
    return Generation(n=n, id=generation_id(SIDECAR, n), made=1.5, covered=100 * n, pins=("keep me",))


def test_what_was_added_is_read_back(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.add(a_generation(1), b"fold")
    assert generations.get(1) == a_generation(1)
    assert generations.ledger(1) == b"fold"


def test_a_generation_is_never_written_over(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.add(a_generation(1), b"fold")
    with pytest.raises(FileExistsError):
        generations.add(msgspec.structs.replace(a_generation(1), milliseconds=9), b"fold")
    assert generations.get(1) == a_generation(1)


def test_an_empty_sidecar_has_no_generations_and_begins_with_one(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    assert (generations.numbers(), generations.newest(), generations.next_number()) == ([], None, 1)


def test_they_are_listed_by_number_and_not_by_name(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    for n in (2, 10, 1):
        generations.add(a_generation(n), b"")
    assert [generation.n for generation in generations.all()] == [1, 2, 10]
    newest = generations.newest()
    assert newest is not None
    assert newest.n == 10


@pytest.mark.parametrize("damage", [b"", b"{", b'{"version":1}', b'{"version":99,"n":2}', b'{"version":1,"id":"\xff"}'])
def test_a_damaged_one_is_passed_over_but_its_number_stays_used(tmp_path: Path, damage: bytes) -> None:
    generations = Generations(tmp_path)
    generations.add(a_generation(1), b"")
    (tmp_path / "generations/2.json").write_bytes(damage)
    assert generations.newest() == a_generation(1)
    assert generations.next_number() == 3


def test_the_shape_carries_its_version(tmp_path: Path) -> None:
    Generations(tmp_path).add(a_generation(1), b"")
    assert msgspec.json.decode((tmp_path / "generations/1.json").read_bytes())["version"] == 1


def test_fields_of_a_newer_version_do_not_hurt(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.add(a_generation(1), b"")
    path = tmp_path / "generations/1.json"
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | {"later": [1]}))
    assert generations.get(1) == a_generation(1)


def test_only_the_last_ledgers_are_kept(tmp_path: Path) -> None:
    generations = a_long_life(tmp_path, LEDGERS_KEPT + 2)
    generations.thin("")
    assert [n for n in generations.numbers() if generations.ledger(n) is None] == [1, 2]
    assert len(generations.numbers()) == LEDGERS_KEPT + 2


def test_the_older_the_fewer_are_kept(tmp_path: Path) -> None:
    generations = a_long_life(tmp_path, 4 * RECENT)
    generations.thin("")
    thick, half, quarter = (generations.numbers()[begin:stop] for begin, stop in ((-64, None), (-96, -64), (-128, -96)))
    assert thick == [*range(3 * RECENT + 1, 4 * RECENT + 1)]
    assert half == [*range(2 * RECENT + 2, 3 * RECENT + 1, 2)]
    assert quarter == [*range(4, 2 * RECENT + 1, 4)]
    assert generations.numbers()[:-128] == [1]


@given(n=st.integers(1, 1 << 32), age=st.integers(1, 1 << 32))
def test_who_stays_has_always_stayed(n: int, age: int) -> None:
    """So thinning often, or once after a long time, leaves the same."""
    assert stays(n, n + age) <= stays(n, n + age - 1)


@pytest.mark.parametrize(("newest", "most"), [(RECENT, RECENT), (10_000, 300), (100_000, 410)])
def test_few_stay_of_many(newest: int, most: int) -> None:
    assert sum(stays(n, newest) for n in range(1, newest + 1)) <= most


def test_thinning_again_changes_nothing_and_numbers_are_not_given_again(tmp_path: Path) -> None:
    generations = a_long_life(tmp_path, 3 * RECENT)
    generations.thin("")
    left = generations.numbers()
    generations.thin("")
    assert generations.numbers() == left
    assert generations.next_number() == 3 * RECENT + 1


def test_what_is_published_and_what_it_began_with_is_kept_with_its_fold(tmp_path: Path) -> None:
    """9 was swapped in place, its successor 33 again; 35 is published. `undo` brings back what began with 9."""
    generations = a_long_life(
        tmp_path, 4 * RECENT, n35=a_generation(33).id, n33=a_generation(9).id, n9=a_generation(7).id
    )
    generations.thin(a_generation(35).id)
    assert {n for n in generations.numbers() if n % 2 and n < 2 * RECENT} == {1, 9, 33, 35}
    assert [n for n in generations.numbers() if generations.ledger(n) is not None][:3] == [9, 33, 35]


def test_what_another_sidecar_calls_by_our_number_is_not_kept(tmp_path: Path) -> None:
    generations = a_long_life(tmp_path, 2 * RECENT, n128=generation_id("f" * 16, 33))
    generations.thin(a_generation(128).id)
    assert 33 not in generations.numbers()


def test_a_damaged_ledger_is_none(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.add(a_generation(1), b"fold")
    (tmp_path / "ledgers/1").write_bytes(b"no zlib")
    assert generations.ledger(1) is None


def test_an_id_tells_sidecar_and_number() -> None:
    assert split_id(generation_id(SIDECAR, 300)) == (SIDECAR, 300)


@pytest.mark.parametrize("text", ["", "0" * 23, "0" * 25, "g" * 24, "../" * 8])
def test_what_is_no_id_of_ours_is_refused(text: str) -> None:
    assert split_id(text) is None


def test_a_number_is_read_from_names_of_ours_alone(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.add(a_generation(3), b"")
    for name in ("x.json", "4.json.tmp", "\u0665.json", "-7.json"):
        (tmp_path / "generations" / name).write_bytes(b"{}")
    assert generations.numbers() == [3]


def test_a_ledger_without_its_generation_is_written_over(tmp_path: Path) -> None:
    """Dying between the two leaves the ledger alone; its number is still free."""
    generations = Generations(tmp_path)
    generations.add(a_generation(1), b"fold")
    (tmp_path / "generations/1.json").unlink()
    assert generations.next_number() == 1
    generations.add(a_generation(1), b"other fold")
    assert generations.ledger(1) == b"other fold"


def test_a_generation_is_for_its_owner_alone(tmp_path: Path) -> None:
    Generations(tmp_path).add(a_generation(1), b"fold")
    for path in ("generations", "ledgers", "generations/1.json", "ledgers/1"):
        assert (tmp_path / path).stat().st_mode & 0o077 == 0


def test_an_empty_fold_is_a_fold(tmp_path: Path) -> None:
    Generations(tmp_path).add(a_generation(1), b"")
    assert Generations(tmp_path).ledger(1) == b""
    assert Generations(tmp_path).ledger(2) is None
