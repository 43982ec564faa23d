"""Every setting, whichever they are: each layer is read, named as its origin, and held to the same rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.errors import Usage
from memcli.settings import KEYS, Loaded, load
from memcli.userdirs import config_dir, state_dir
from tests.cli.command import ROOT, fails, memcli

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES: dict[str, tuple[Any, Any]] = {
    "count": (7777, 8888),
    "seconds": (7.5, 8.5),
    "dollars": (0.5, 1.5),
    "flag": (True, False),
    "text": ("echo full", "echo over"),
    "table": ({"Mill": "how it turns"}, {"Dam": "what holds"}),
}
PLAIN = [name for name, key in KEYS.items() if key.kind != "table"]
"""Those that a variable can hold, too."""


def sample(name: str) -> Any:
    """A value of the setting that is not its default."""
    key = KEYS[name]
    return key.choices[-1] if key.choices else SAMPLES[key.kind][0]


def other(name: str) -> Any:
    """Another one."""
    key = KEYS[name]
    return key.choices[0] if key.choices else SAMPLES[key.kind][1]


def written(value: Any) -> str:
    """As it stands in a file."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)} = {json.dumps(text)}' for name, text in value.items())}}}"
    return json.dumps(value)


def spelled(value: Any) -> str:
    """As it stands in a variable."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def loaded(directory: Path, line: dict[str, object] | None = None, **environment: str) -> Loaded:
    return load(line or {}, environment, directory)


def told(found: Loaded, name: str) -> tuple[Any, str]:
    return getattr(found.settings, name), found.origins[name]


@pytest.mark.parametrize("name", PLAIN)
def test_a_variable_sets_it_and_is_named_as_its_origin(name: str, tmp_path: Path) -> None:
    variable = f"MEMCLI_{name.upper()}"
    assert told(loaded(tmp_path, **{variable: spelled(sample(name))}), name) == (sample(name), variable)


@pytest.mark.parametrize("name", KEYS)
def test_the_users_file_sets_it_and_is_named_as_its_origin(name: str, tmp_path: Path) -> None:
    file = config_dir() / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{name.replace('_', '-')} = {written(sample(name))}\n")
    assert told(loaded(tmp_path), name) == (sample(name), str(file))


@pytest.mark.parametrize("name", KEYS)
def test_a_projects_file_sets_it_unless_it_runs_sends_or_spends(name: str, tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.memcli]\n{name} = {written(sample(name))}\n")
    found = loaded(tmp_path)
    assert (told(found, name) == (sample(name), str(file))) != bool(KEYS[name].guarded)
    assert bool(found.warnings) == bool(KEYS[name].guarded)


@pytest.mark.parametrize("name", PLAIN)
def test_the_command_line_goes_before_everything(name: str, tmp_path: Path) -> None:
    found = loaded(tmp_path, {name: other(name)}, **{f"MEMCLI_{name.upper()}": spelled(sample(name))})
    assert told(found, name) == (other(name), "command line")


@pytest.mark.parametrize("name", [name for name in KEYS if len(name) > 4])
def test_a_slip_of_the_finger_is_answered_with_the_name_that_was_meant(name: str, tmp_path: Path) -> None:
    slipped = name[:2] + name[3:]
    (tmp_path / "memcli.toml").write_text(f"{slipped} = 1\n")
    assert loaded(tmp_path).warnings[0].endswith(f"did you mean {name}?")
    upper = f"MEMCLI_{slipped.upper()}"
    assert f"unknown setting {upper}; did you mean MEMCLI_{name.upper()}?" in loaded(tmp_path, **{upper: "1"}).warnings


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.kind != "text"])
@pytest.mark.parametrize("value", ["", " ", "none", "[]"])
def test_what_is_no_value_of_its_kind_is_refused_by_name_and_origin(name: str, value: str, tmp_path: Path) -> None:
    file = config_dir() / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{name} = {written(value)}\n")
    with pytest.raises(Usage) as refused:
        loaded(tmp_path)
    assert refused.value.sentence.startswith(f"{name.replace('_', '-')} must be ")
    assert refused.value.sentence.endswith(f"({file})")


@given(st.integers(-5, 10_000), st.sampled_from([name for name, key in KEYS.items() if key.kind == "count"]))
def test_a_count_is_taken_from_its_least_on_and_from_a_variable_as_from_a_file(value: int, name: str) -> None:
    from pathlib import Path

    def taken(given: object) -> object:
        try:
            return getattr(load({name: given}, {}, Path("/")).settings, name)
        except Usage:
            return None

    assert taken(value) == taken(str(value)) == (value if value >= KEYS[name].least else None)


def test_config_show_names_every_setting_once_with_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the real command: one file, one variable, the rest defaults, and a warning on stderr alone."""
    (tmp_path / "memcli.toml").write_text("jobs = 2\nbugdet = 9\n")
    monkeypatch.setenv("MEMCLI_WAIT", "7.5")
    ran = memcli("config", "show", "--json", cwd=tmp_path)
    shown = json.loads(ran.out)
    assert (ran.code, shown["schema"], list(shown["settings"])) == (0, "memcli.config/1", list(KEYS))
    assert shown["settings"]["jobs"] == {"value": 2, "origin": str(tmp_path / "memcli.toml")}
    assert shown["settings"]["wait"] == {"value": 7.5, "origin": "MEMCLI_WAIT"}
    assert shown["settings"]["budget"]["origin"] == "default"
    assert ran.err == f"memcli: unknown setting bugdet in {tmp_path / 'memcli.toml'}; did you mean budget?\n"


def test_a_table_is_no_value_of_a_variable(tmp_path: Path) -> None:
    with pytest.raises(Usage, match=r"sections must be a table of headings and texts, in a file, .*MEMCLI_SECTIONS"):
        loaded(tmp_path, MEMCLI_SECTIONS='{"Mill" = "how it turns"}')


@pytest.mark.parametrize("file", ["memcli.toml", "pyproject.toml", "user file"])
def test_sections_are_a_table_of_any_settings_file(file: str, tmp_path: Path) -> None:
    table = "tool.memcli.sections" if file == "pyproject.toml" else "sections"
    path = config_dir() / "config.toml" if file == "user file" else tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[{table}]\n"API decisions" = "with reasons"\n')
    assert told(loaded(tmp_path), "sections") == ({"API decisions": "with reasons"}, str(path))


@pytest.mark.parametrize("value", ['{"Mill" = ""}', '{"Mill" = 3}', '{"Mill" = ["x"]}', '"Mill"'])
def test_a_table_holds_texts_and_nothing_else(value: str, tmp_path: Path) -> None:
    (tmp_path / "memcli.toml").write_text(f"sections = {value}\n")
    with pytest.raises(Usage, match="sections must be a table"):
        loaded(tmp_path)


def test_config_show_tells_headings_in_a_line_and_all_of_them_in_json(tmp_path: Path) -> None:
    (tmp_path / "memcli.toml").write_text('instructions = """a\nb"""\n[sections]\nMill = "turns"\nDam = "holds"\n')
    lines = [line.strip() for line in memcli("config", "show", cwd=tmp_path).out.splitlines() if line[0] == " "]
    shown = json.loads(memcli("config", "show", "--json", cwd=tmp_path).out)["settings"]["sections"]
    assert len(lines) == len(KEYS)
    assert next(line.split()[1:3] for line in lines if line.startswith("sections ")) == ["Mill,", "Dam"]
    assert shown == {"value": {"Mill": "turns", "Dam": "holds"}, "origin": str(tmp_path / "memcli.toml")}


@pytest.mark.parametrize("verb", [["config", "show"], ["update", "run.jsonl"]])
def test_a_heading_that_cannot_be_is_refused_where_settings_are_read(verb: list[str], tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("")
    (tmp_path / "memcli.toml").write_text('[sections]\nFiles = "which there are"\n')
    code, sentence = fails(memcli(*verb, cwd=tmp_path))
    assert (code, sentence) == (
        2,
        f'sections may not hold "Files": no model writes there ({tmp_path / "memcli.toml"})',
    )


def test_the_example_of_the_readme_can_be_taken_as_it_stands(tmp_path: Path) -> None:
    example = (ROOT / "README.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / "memcli.toml").write_text(example)
    ran = memcli("config", "show", "--json", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert len(json.loads(ran.out)["settings"]["sections"]["value"]) == 2


def test_our_own_directories_lie_in_the_users_home_and_are_not_made_by_looking(own_home: Path) -> None:
    for directory in (state_dir(), config_dir()):
        assert directory.is_relative_to(own_home)
        assert directory.name == "memcli"
    assert not own_home.exists()
