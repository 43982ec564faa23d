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


@given(seed=SEEDS)
def test_aws_keys_are_found(seed: int) -> None:
    identity = "AK" + "IA" + pick(16, string.ascii_uppercase + "234567", seed)
    secret = pick(40, LETTERS + "+/", seed)
    text = redact(f"aws_access_key_id = {identity}\naws_secret_access_key = {secret}\nregion = eu-central-1")

    assert not survives(identity, text)
    assert not survives(secret, text)
    assert text.endswith("\nregion = eu-central-1")


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
        ("api_key: 'userSession2'", "api_key: '[redacted:secret]'"),
        ("api_key = userSession2", "api_key = [redacted:secret]"),
        ("secret: usersSession123", "secret: [redacted:secret]"),
        ("secret: XMLParser2", "secret: [redacted:secret]"),
        ("secret: ab1cd2ef3gh4", "secret: [redacted:secret]"),
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
        "secret: _Value12_for_XML_usersTable9_",
        "token: find-the-1st(",
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
        "token: " + "Abcdef" * 80_000 + "-",  # nearly a name of many words, which could be parted in many ways
        "token: " + "abc_" * 120_000 + "-",
        "token: " + "ABC12_" * 80_000 + "-",
    ]
    started = time.process_time()
    for text in hard:
        redact(text)

    assert time.process_time() - started < 60


def test_a_path_in_a_language_is_no_assignment() -> None:
    search = "rg -n 'ProviderConfig::PasswordStore|PasswordStoreProvider::new|Token::parse_str_12345' src"

    assert redact(search) == search


# ---- wherever a secret stands

CARRIERS = {
    "alone": "{}",
    "in words": "the value is {}, keep it",
    "in JSON": '{{"value": "{}"}}',
    "in JSON in JSON": '"{{\\"value\\": \\"{}\\"}}"',
    "in a log": "2026-01-02T03:04:05Z INFO start\nvalue={}\nINFO done",
    "behind an escaped newline": "log\\n{}\\nlog",
    "in a header": "x-value: {}",
    "in a command": "curl -H 'x: {}' https://api.example/v1",
    "in Markdown": "- `{}`",
    "in an address": "https://api.example/v1?q={}&page=2",
}


@pytest.mark.parametrize("kind", PREFIXED)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_token_leaves_nothing_wherever_it_stands(kind: str, carrier: str) -> None:
    prefix, length = PREFIXED[kind]
    for seed in range(5):
        value = prefix + pick(length - 2, seed=seed) + "1a"
        text = redact(CARRIERS[carrier].format(value))

        assert not survives(value, text)
        assert "[redacted:" in text


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_stands_around_a_token_stays(carrier: str) -> None:
    token = "gh" + "p_" + pick(36)
    before, after = CARRIERS[carrier].replace("{{", "{").replace("}}", "}").split("{}", 1)

    assert redact(before + token + after) == f"{before}[redacted:github-token]{after}"


TELLING = [
    "password",
    "PASSWD",
    "db_pwd",
    "Passphrase",
    "client_secret",
    "AUTH_TOKEN",
    "credential",
    "api_key",
    "API-KEY",
]
WAYS = ["{}={}", "{} = {}", "{}: {}", "'{}': '{}'", '"{}": "{}"', "{}:={}", "{} => '{}'", "export {}={}", "--{} {}"]


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("way", WAYS)
def test_a_value_that_is_written_out_beside_a_telling_name_is_found(name: str, way: str) -> None:
    for seed in range(5):
        value = pick(5, string.ascii_lowercase, seed) + pick(3, string.digits, seed) + pick(8, seed=seed) + "Z9"
        text = redact(way.format(name, value))

        assert value not in text, text
        assert name in text


@pytest.mark.parametrize("length", [7, 8])
def test_a_value_of_fewer_than_eight_characters_is_no_secret(length: int) -> None:
    value = "aB3xK9q2Z"[:length]

    assert (value in redact(f"with auth_token={value}")) == (length < 8)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted:basic-auth]"),
        ("'authorization': 'basic dXNlcjpwYXNz'", "'authorization': 'basic [redacted:basic-auth]'"),
        ("https://me:s3cretpass@host/x", "https://me:[redacted:password]@host/x"),
        ("https://:s3cretpass@host/x", "https://:[redacted:password]@host/x"),
        ("see redis://u:12345678", "see redis://u:12345678"),  # a port
        ("AS" + "IA" + "ABCDEFGH12345678 x", "[redacted:aws-key-id] x"),
        ("hf_" + "aB3dE6gH9jK2mN5pQ8", "[redacted:hf-token]"),
        ("ya29." + "aB3dE6gH9j", "[redacted:google-key]"),
        ("xapp-" + "1-A0-aB3d", "[redacted:slack-token]"),
        ("github_" + "pat_11ABCDE", "[redacted:github-token]"),
        ("rk" + "_test_aB3dE6gH", "[redacted:stripe-key]"),
        ("İ token=aB3xK9q2Z İ", "İ token=[redacted:secret] İ"),  # letters that grow when they are made small
    ],
)
def test_other_shapes_are_known(before: str, after: str) -> None:
    assert redact(before) == after


@pytest.mark.parametrize(
    "value", ["********", "xxxxxxxx", "________", "x.x.x.x.", "REDACTED-1", "<your-password-1>", "&amp;1234"]
)
def test_a_stand_in_for_a_password_stays(value: str) -> None:
    assert redact(f"password={value}") == f"password={value}"


@settings(max_examples=60)
@given(seed=SEEDS, start=st.integers(0, 300), length=st.integers(100, 400))
def test_a_piece_out_of_the_middle_of_a_key_block_leaves_no_whole_line(seed: int, start: int, length: int) -> None:
    block, body = key_block(seed)
    text = redact(block[start : start + length])

    assert not any(line in text for line in body[:-1])


@pytest.mark.parametrize("kind", ["RSA ", "EC ", "DSA ", "ENCRYPTED ", "", "PGP "])
def test_key_blocks_of_every_kind_are_found_with_their_headers(kind: str) -> None:
    _, body = key_block(3)
    name = f"{kind}PRIVATE KEY" + (" BLOCK" if kind == "PGP " else "")
    head = f"-----BEGIN {name}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123\n\n"
    text = redact("x\n" + head + "\n".join(body) + f"\n-----END {name}-----\ny")

    assert text == "x\n[redacted:private-key]\ny"


def test_public_keys_and_certificates_are_no_secrets() -> None:
    for name in ("PUBLIC KEY", "CERTIFICATE"):
        text = f"-----BEGIN {name}-----\nshort\n-----END {name}-----"
        assert redact(text) == text


# ---- ordinary code and prose

NAMES = st.sampled_from(["token", "password", "apiKey", "secret", "key", "auth_token", "credentials", "passphrase"])
TYPES = st.sampled_from(["str", "string", "Option<String>", "char *", "&'a str", "[]byte", "Token<T>"])
CALLS = st.sampled_from(
    ["read()", "os.environ['A1_KEY']", "self.tokens[0]", "config.token_for(user1)", "process.env.KEY_1"]
)
LINES = st.one_of(
    st.builds("def check({0}: {1}) -> bool:".format, NAMES, TYPES),
    st.builds("let {0} = {1};".format, NAMES, CALLS),
    st.builds("{0} = {1}".format, NAMES, CALLS),
    st.builds("if {0} == other.{0}: return {0}".format, NAMES),
    st.builds("assert '{0}' in {1}".format, NAMES, CALLS),
    st.builds("# the {0} is read from the environment variable {0}".format, NAMES),
    st.builds("| {0} | {1} | required |".format, NAMES, TYPES),
    st.builds("import {{ {0}Provider }} from './{0}-provider'".format, NAMES),
    st.builds("git commit -m 'rename {0} to {0}2' src/{0}/{0}_test.go".format, NAMES),
    st.builds("error: unknown field `{0}` at line 12, column 40".format, NAMES),
    st.builds("{0}: ${{{{ secrets.{0} }}}}".format, NAMES),
    st.builds("--{0}-file /etc/app/{0}.txt".format, NAMES),
)


@settings(max_examples=80)
@given(st.lists(LINES, min_size=1, max_size=6))
def test_ordinary_code_about_secrets_holds_none(lines: list[str]) -> None:
    text = "\n".join(lines)

    assert redact(text) == text


@given(seed=SEEDS)
def test_hashes_ids_and_addresses_of_every_kind_stay(seed: int) -> None:
    hexes = pick(40, "0123456789abcdef", seed)
    text = (
        f"commit {hexes}\nsha256:{hexes}{hexes[:24]}\nintegrity sha512-{pick(86, seed=seed)}==\n"
        f"{hexes[:8]}-{hexes[8:12]}-4{hexes[13:16]}-a{hexes[17:20]}-{hexes[20:32]}\n"
        f"toolu_{pick(24, seed=seed)} msg_{pick(24, seed=seed)} req_{pick(24, seed=seed)}\n"
        f"https://example.org/a/{hexes}/b?id={hexes[:12]}#L10\n/usr/lib/x86_64-linux-gnu/lib{hexes[:8]}.so.1"
    )

    assert redact(text) == text


@pytest.mark.parametrize("size", [256, 384, 512])
def test_a_text_that_begins_with_the_integrity_of_a_file_stays(size: int) -> None:
    """A text that begins with a random value is taken for a clipped secret; this one says what it is."""
    value = f"{pick(43)}="

    assert redact(f"sha{size}-{value}") == f"sha{size}-{value}"
    assert redact(value) == "[redacted:clipped]"
