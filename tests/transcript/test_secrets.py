"""Secrets here are made at run time, so that no scanner finds one in this file."""

from __future__ import annotations

import base64
import json
import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.secrets import redact

LETTERS = string.ascii_letters + string.digits
SEEDS = st.integers(0, 10_000)


def pick(length: int, alphabet: str = LETTERS, seed: int = 0) -> str:
    rng = random.Random(f"{seed} {length}")
    return "".join(rng.choice(alphabet) for _ in range(length))


def pieces(value: str) -> set[str]:
    """All pieces of twelve characters."""
    return {value[start : start + 12] for start in range(len(value) - 11)}


def survives(value: str, text: str) -> bool:
    return any(piece in text for piece in pieces(value))


def key_block(seed: int) -> tuple[str, list[str]]:
    body = [pick(64, LETTERS + "+/", seed * 10 + n) for n in range(6)] + [pick(30, LETTERS, seed)]
    return "\n".join(
        ["-----BEGIN " + "OPENSSH PRIVATE KEY-----", *body, "-----END " + "OPENSSH PRIVATE KEY-----"]
    ), body


def web_token(seed: int) -> str:
    parts = (json.dumps({"alg": "none"}), json.dumps({"sub": pick(20, seed=seed)}), pick(32, seed=seed))
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


PREFIXED = {
    "anthropic-key": ("sk-" + "ant-api03-", 93),
    "api-key": ("sk-" + "proj-", 48),
    "stripe-key": ("sk" + "_live_", 24),
    "github-token": ("gh" + "p_", 36),
    "gitlab-token": ("gl" + "pat-", 20),
    "slack-token": ("xox" + "b-", 40),
    "google-key": ("AI" + "za", 35),
    "npm-token": ("np" + "m_", 36),
    "pypi-token": ("py" + "pi-AgEI", 60),
}


@pytest.mark.parametrize("kind", PREFIXED)
@settings(max_examples=25)
@given(seed=SEEDS, kept=st.integers(14, 93))
def test_tokens_are_known_by_their_prefix_also_when_cut(kind: str, seed: int, kept: int) -> None:
    prefix, length = PREFIXED[kind]
    value = pick(length, seed=seed)[:kept] + "1a"

    assert redact(f"run it with {prefix}{value}, please") == f"run it with [redacted:{kind}], please"
    assert redact(f"a\\n{prefix}{value}\\nb") == f"a\\n[redacted:{kind}]\\nb"


@settings(deadline=None)
@given(seed=SEEDS)
def test_aws_keys_are_found(seed: int) -> None:
    identity = "AK" + "IA" + pick(16, string.ascii_uppercase + "234567", seed)
    secret = pick(40, LETTERS + "+/", seed)
    text = redact(f"aws_access_key_id = {identity}\naws_secret_access_key = {secret}\nregion = eu-central-1")

    assert not survives(identity, text)
    assert not survives(secret, text)
    assert text.endswith("\nregion = eu-central-1")


@settings(deadline=None)
@given(seed=SEEDS)
def test_web_tokens_and_bearers_are_found(seed: int) -> None:
    token = web_token(seed)

    assert redact(f"cookie {token};") == "cookie [redacted:jwt];"
    assert not survives(token, redact(f"Authorization: Bearer {token}"))
    assert (
        redact(f"-H 'authorization: bearer {pick(30, seed=seed)}1a'") == "-H 'authorization: bearer [redacted:bearer]'"
    )


def test_passwords_in_urls_are_found_and_the_rest_stays() -> None:
    url = "postgres://deploy:" + "hunter" + "2!@db.internal:5432/app"

    assert redact(f"DATABASE_URL={url}") == "DATABASE_URL=postgres://deploy:[redacted:password]@db.internal:5432/app"
    assert redact("see postgres://deploy:" + "hunter" + "2!") == "see postgres://deploy:[redacted:password]"


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "cat key\n{}\ndone.",
        '{{"key": "{}"}}',
        "  - {}",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\\n", "\r\n", " "])
@settings(max_examples=25)
@given(seed=SEEDS)
def test_a_key_block_leaves_nothing(form: str, newline: str, seed: int) -> None:
    block, body = key_block(seed)
    text = redact(form.format(block.replace("\n", newline)))

    assert not any(survives(line, text) for line in body)
    assert "[redacted:private-key]" in text


@settings(deadline=None)
@given(seed=SEEDS, cut=st.integers(0, 500))
def test_a_piece_of_a_key_block_leaves_nothing(seed: int, cut: int) -> None:
    block, body = key_block(seed)
    head, tail = redact(block[:cut]), redact(block[cut:])

    assert not any(survives(line, head) for line in body)
    assert not any(survives(line, tail) for line in body[1:])


def test_lines_of_a_key_are_known_without_head_and_tail() -> None:
    _, body = key_block(1)

    assert (
        redact("it begins\n" + "\n".join(body[1:3]) + "\nand so on") == "it begins\n[redacted:private-key]\nand so on"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DB_PASSWORD=correcthorse", "DB_PASSWORD=[redacted:password]"),
        ("'password': 'correct-horse'", "'password': '[redacted:password]'"),
        ("api_key: abcd1234efgh", "api_key: [redacted:secret]"),
        ("api_key=myOwnKey12", "api_key=[redacted:secret]"),
        ("api_key: 'myOwnKey12'", "api_key: '[redacted:secret]'"),
        ("password: correctHorse", "password: [redacted:password]"),
        ('clientSecret = "abcd1234efgh"', 'clientSecret = "[redacted:secret]"'),
        ("deploy --token abcd1234efgh now", "deploy --token [redacted:secret] now"),
        ("hooks.slack.com/services/T0/B0/abc", "hooks.slack.com/services/[redacted:slack-hook]"),
    ],
)
def test_values_beside_a_telling_name_are_found(before: str, after: str) -> None:
    assert redact(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "token = lexer.next_token()",
        "const token: string = getToken();",
        'api_key = os.environ["SERVICE_KEY"]',
        "password: ${DB_PASSWORD}",
        "TOKEN=$GITHUB_TOKEN",
        "max_tokens: 16000000, input_tokens=20142",
        "tokenizer: cl100k_base",
        "export { useAuthToken: useCallback1, secretStore: kms_store_2 }",
        "token => HTTP2Client, apiKey: API_KEY_VERSION2",
        "primary_key=users_identifier",
        "commit 4f3c2a1b9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a",
        "integrity sha384-" + "aB3x" * 16,
        "id 019f1f6f-311c-7543-b0f9-f126da3c5434",
        "http://localhost:8080/docs and git@github.com:someone/project.git",
        "src/components/TokenList2/KeyboardShortcuts.test.tsx",
        "the password should be at least 8 characters",
        "class sk-loading-indicator, job pypi-publish-workflow",
        "-----BEGIN CERTIFICATE----- and BEGIN PUBLIC KEY-----",
    ],
)
def test_code_hashes_and_addresses_stay(text: str) -> None:
    assert redact(text) == text


@settings(deadline=None)
@given(st.text(max_size=200))
def test_what_was_redacted_stays_as_it_is(text: str) -> None:
    once = redact(text)

    assert redact(once) == once


def test_long_texts_are_read_at_once() -> None:
    hard = [
        "-" * 500_000,
        "token=" + "a" * 500_000 + "(",
        ("aB3x" * 19 + "\n") * 9_000,
        "A" * 500_000,
        "key" * 150_000,
        "-----END KEY" * 20_000,
        "aB3" * 150_000,
        "://a:" * 90_000,
        "eyJ" * 150_000,
    ]
    started = time.perf_counter()
    for text in hard:
        redact(text)

    assert time.perf_counter() - started < 20


def test_a_path_in_a_language_is_no_assignment() -> None:
    search = "rg -n 'ProviderConfig::PasswordStore|PasswordStoreProvider::new|Token::parse_str_12345' src"

    assert redact(search) == search
