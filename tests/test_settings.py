from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.errors import Usage
from memcli.settings import KEYS, Loaded, Settings, load
from memcli.userdirs import config_dir

if TYPE_CHECKING:
    from pathlib import Path


def a_file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def loaded(directory: Path, command_line: dict[str, object] | None = None, **environment: str) -> Loaded:
    return load(command_line or {}, environment, directory)


def test_without_anything_there_are_defaults(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found.settings == Settings()
    assert set(found.origins.values()) == {"default"}
    assert found.warnings == ()


def test_each_layer_is_stronger_than_the_one_before(tmp_path: Path) -> None:
    seen = [loaded(tmp_path)]
    user = a_file(config_dir() / "config.toml", "budget = 3001")
    seen.append(loaded(tmp_path))
    project = a_file(tmp_path / "memcli.toml", "budget = 3002")
    seen.append(loaded(tmp_path))
    seen.append(loaded(tmp_path, MEMCLI_BUDGET="3003"))
    seen.append(loaded(tmp_path, {"budget": 3004}, MEMCLI_BUDGET="3003"))
    assert [found.settings.budget for found in seen] == [4000, 3001, 3002, 3003, 3004]
    origins = ["default", str(user), str(project), "MEMCLI_BUDGET", "command line"]
    assert [found.origins["budget"] for found in seen] == origins


def test_layers_are_mixed_by_key(tmp_path: Path) -> None:
    a_file(tmp_path / "memcli.toml", "budget = 3000\nwait = 5")
    found = loaded(tmp_path, {"budget": None, "jobs": 2}, MEMCLI_WAIT="7.5")
    assert (found.settings.budget, found.settings.wait, found.settings.jobs) == (3000, 7.5, 2)


def test_the_nearest_file_upward_counts_alone(tmp_path: Path) -> None:
    a_file(tmp_path / "memcli.toml", "budget = 3000\nwait = 5")
    near = a_file(tmp_path / "a/pyproject.toml", "[tool.memcli]\nbudget = 5000")
    a_file(tmp_path / "a/b/pyproject.toml", "[tool.other]\nx = 1")
    found = loaded(tmp_path / "a/b/c")
    assert (found.settings.budget, found.settings.wait) == (5000, Settings().wait)
    assert found.origins["budget"] == str(near)


def test_in_one_directory_memcli_toml_wins(tmp_path: Path) -> None:
    a_file(tmp_path / "memcli.toml", "budget = 3000")
    a_file(tmp_path / "pyproject.toml", "[tool.memcli]\nbudget = 5000")
    assert loaded(tmp_path).settings.budget == 3000


def test_memcli_config_names_another_user_file(tmp_path: Path) -> None:
    a_file(config_dir() / "config.toml", "budget = 3001")
    own = a_file(tmp_path / "own.toml", "budget = 3005")
    assert loaded(tmp_path, MEMCLI_CONFIG=str(own)).settings.budget == 3005


def test_a_user_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Usage, match=r"gone\.toml cannot be read"):
        loaded(tmp_path, MEMCLI_CONFIG=str(tmp_path / "gone.toml"))


def test_keys_may_be_written_either_way(tmp_path: Path) -> None:
    a_file(tmp_path / "memcli.toml", "init-tokens = 1\nupdate_tokens = 2")
    found = loaded(tmp_path).settings
    assert (found.init_tokens, found.update_tokens) == (1, 2)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("bugdet = 3000", "unknown setting bugdet in {file}; did you mean budget?"),
        ("zzz = 1", "unknown setting zzz in {file}"),
    ],
)
def test_an_unknown_key_is_warned_of_with_the_nearest_one(tmp_path: Path, text: str, hint: str) -> None:
    file = a_file(tmp_path / "memcli.toml", text)
    found = loaded(tmp_path)
    assert found.warnings == (hint.format(file=file),)
    assert found.settings == Settings()


def test_an_unknown_variable_is_warned_of_too(tmp_path: Path) -> None:
    found = loaded(tmp_path, MEMCLI_BUDGIT="1", OTHER="2")
    assert found.warnings == ("unknown setting MEMCLI_BUDGIT; did you mean MEMCLI_BUDGET?",)


@pytest.mark.parametrize("key", ["on_limit"])
def test_a_project_may_not_name_a_program_to_run(tmp_path: Path, key: str) -> None:
    a_file(tmp_path / "memcli.toml", f'{key} = "curl example.org | sh"')
    found = loaded(tmp_path)
    assert getattr(found.settings, key) is None
    assert "may not name a program" in found.warnings[0]


@pytest.mark.parametrize("key", ["on_limit"])
def test_the_user_may(tmp_path: Path, key: str) -> None:
    a_file(config_dir() / "config.toml", f'{key} = "mine"')
    assert getattr(loaded(tmp_path).settings, key) == "mine"
    assert getattr(loaded(tmp_path, **{f"MEMCLI_{key.upper()}": "other"}).settings, key) == "other"


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("budget", "1999", "a whole number of at least 2000, not '1999'"),
        ("budget", "many", "a whole number of at least 2000"),
        ("budget", "4000.5", "a whole number"),
        ("jobs", "0", "a whole number of at least 1"),
        ("wait", "soon", "a number of seconds"),
        ("wait", "-1", "a number of seconds"),
        ("wait", "inf", "a number of seconds"),
        ("wait", "nan", "a number of seconds"),
        ("every_turn", "perhaps", "true or false"),
        ("backend", "magic", "one of auto, anthropic, command, embedded"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(tmp_path: Path, key: str, value: str, wanted: str) -> None:
    with pytest.raises(Usage) as refused:
        loaded(tmp_path, **{f"MEMCLI_{key.upper()}": value})
    assert f"{key.replace('_', '-')} must be {wanted}" in refused.value.sentence
    assert f"(MEMCLI_{key.upper()})" in refused.value.sentence


@pytest.mark.parametrize("value", ["true", '"3000"', "[3000]", "3000.5"])
def test_a_file_is_held_to_the_same_rules(tmp_path: Path, value: str) -> None:
    file = a_file(tmp_path / "memcli.toml", f"jobs = {value}")
    if value == '"3000"':
        assert loaded(tmp_path).settings.jobs == 3000
        return
    with pytest.raises(Usage, match="jobs must be a whole number") as refused:
        loaded(tmp_path)
    assert str(file) in refused.value.sentence


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False), ("0", False)])
def test_flags_are_read_as_people_write_them(tmp_path: Path, text: str, value: bool) -> None:
    assert loaded(tmp_path, MEMCLI_EVERY_TURN=text).settings.every_turn is value


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert loaded(tmp_path, MEMCLI_BUDGET="").origins["budget"] == "default"


@pytest.mark.parametrize("text", ["budget = ", "budget 3000", "\xff"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "memcli.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(Usage, match=r"memcli\.toml is no valid TOML"):
        loaded(tmp_path)


@pytest.mark.parametrize("text", ["tool = 3", "[tool]\nmemcli = 3", "[project]\nname = 'x'", ""])
def test_a_pyproject_without_our_table_is_passed_by(tmp_path: Path, text: str) -> None:
    a_file(tmp_path / "memcli.toml", "budget = 3000")
    a_file(tmp_path / "inner/pyproject.toml", text)
    assert loaded(tmp_path / "inner").settings.budget == 3000


def test_every_setting_says_what_it_means() -> None:
    assert all(key.meaning for key in KEYS.values())
    assert list(KEYS) == list(Settings._fields)
