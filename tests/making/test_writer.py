"""Who is chosen to write, what is said of them, and what the child is told."""

from __future__ import annotations

import pytest

from memcli.errors import Usage
from memcli.making import setup, writer
from memcli.making.writer import HOME, Writer
from memcli.summarize.__main__ import parsed
from memcli.summarize.child import QUESTIONS
from memcli.summarize.options import DEFAULT_MODEL, Options

KEY = "sk-ant-not-a-real-key"


def chosen(**settings: object) -> Writer:
    return writer.chosen(setup.load(settings, quiet=True).settings)


@pytest.fixture
def with_a_key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def told(who: Writer) -> tuple[str, str, str]:
    return who.options.backend, who.name, who.sends


def test_without_key_and_command_nobody_writes():
    who = chosen()
    assert told(who) == ("embedded", "embedded", "nothing leaves this machine")
    assert (who.writes, who.account, who.accounts) == (False, "", None)


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_key_in_the_environment_is_enough(monkeypatch, name):
    monkeypatch.setenv(name, KEY)
    assert told(chosen()) == ("anthropic", f"anthropic {DEFAULT_MODEL}", f"to {HOME}")


def test_an_empty_key_is_none(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    assert not chosen().writes


def test_where_it_sends_is_said(with_a_key, monkeypatch):
    assert chosen(base_url="http://127.0.0.1:1").sends == "to http://127.0.0.1:1"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:2")
    assert chosen().sends == "to http://127.0.0.1:2"
    assert chosen(base_url="http://127.0.0.1:1").options.base_url == "http://127.0.0.1:1"


def test_a_command_comes_before_a_key(with_a_key):
    assert told(chosen(command="llm -m small")) == ("command", "llm -m small", "to the command llm -m small")


def test_a_program_comes_before_a_command():
    who = chosen(command="llm", summarizer="./write.py --fast")
    assert told(who) == ("program", "./write.py --fast", "to the program ./write.py --fast")


def test_who_asks_for_the_embedded_one_gets_it_whatever_is_set(with_a_key):
    assert not chosen(backend="embedded", command="llm", max_cost_per_hour=1.0).writes
    assert chosen(backend="embedded", max_cost_per_hour=1.0).max_cost_per_hour is None


def test_a_backend_that_is_named_is_taken_before_others(with_a_key):
    assert chosen(backend="anthropic", command="llm", summarizer="x").options.backend == "anthropic"
    assert chosen(backend="command", command="llm", summarizer="x").options.backend == "command"


def test_the_model_without_a_key_is_refused_with_what_to_do():
    with pytest.raises(Usage, match="no key for the anthropic backend") as refused:
        chosen(backend="anthropic")
    assert refused.value.hint == "export ANTHROPIC_API_KEY=..."


def test_a_server_of_ones_own_may_want_no_key():
    assert chosen(backend="anthropic", base_url="http://localhost:11434").writes


def test_a_command_that_is_not_named_is_refused_with_what_to_do():
    with pytest.raises(Usage, match="needs a command") as refused:
        chosen(backend="command")
    assert refused.value.hint == "memcli update --backend command --command 'llm -m MODEL'"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"base_url": "localhost:11434"}, "'localhost:11434' is no http address"),
        ({"timeout": 0.0}, "--timeout above 0"),
        ({"prompt_file": "/no/such/file"}, "the prompt file /no/such/file cannot be read"),
    ],
)
def test_what_would_stop_the_child_is_said_before_it_starts(with_a_key, settings, sentence):
    with pytest.raises(Usage, match=sentence):
        chosen(**settings)


def test_the_child_hears_exactly_what_was_chosen(with_a_key, tmp_path):
    prompt = tmp_path / "my prompt.md"
    prompt.write_text("Write.")
    who = chosen(base_url="http://127.0.0.1:1/v1", model="m", effort="high", cache_ttl="1h", prompt_file=str(prompt))
    assert parsed(who.argv[4:]) == who.options


def test_the_embedded_child_hears_nothing():
    assert chosen().argv[4:] == []
    assert parsed([]) == Options()


def test_no_key_stands_on_a_command_line_or_in_a_file(with_a_key):
    who = chosen()
    assert not any(KEY in part for part in who.argv)
    assert KEY not in who.account + who.name + who.sends


def test_the_daemon_is_more_patient_than_its_child(with_a_key):
    """Else it would kill the child, and with it all other jobs, where the child had said itself what went wrong."""
    who = chosen(timeout=10.0)
    assert who.patience > who.options.timeout * QUESTIONS


@pytest.mark.parametrize("other", [{"model": "another"}, {"base_url": "http://127.0.0.1:1"}, {"command": "llm"}])
def test_the_accounts_of_two_summarizers_are_apart(with_a_key, other):
    assert chosen().accounts.path != chosen(**other).accounts.path


GUARDED = {
    "command": "rm -rf .",
    "summarizer": "./evil.py",
    "on_limit": "./evil.sh",
    "base_url": "http://evil.example",
    "auth_header": "x-api-key",
    "max_cost_per_hour": 1000.0,
}


@pytest.mark.parametrize("key", GUARDED)
def test_a_projects_file_neither_runs_nor_sends_nor_spends(tmp_path, monkeypatch, key, capsys):
    value = GUARDED[key]
    (tmp_path / "memcli.toml").write_text(f"{key} = {value!r}\n")
    monkeypatch.chdir(tmp_path)
    loaded = setup.load({})
    assert getattr(loaded.settings, key) is None
    assert f"{key} in {tmp_path / 'memcli.toml'} is not taken" in capsys.readouterr().err


@pytest.mark.parametrize("key", GUARDED)
def test_the_user_may_set_them_where_they_like(tmp_path, monkeypatch, key):
    user = tmp_path / "mine.toml"
    user.write_text(f"{key} = {GUARDED[key]!r}\n")
    monkeypatch.setenv("MEMCLI_CONFIG", str(user))
    assert getattr(setup.load({}).settings, key) == GUARDED[key]
