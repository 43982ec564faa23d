"""Secrets out of text, before it is stored, rendered, logged or sent.

Found by shape: prefixes that services give their tokens, private-key blocks, userinfo in URLs, names that say
"secret" with a value beside them. Never by entropy alone: in transcripts nearly every line holds a hash. Texts may
arrive clipped, so every rule also takes a value whose end is missing; a key block is known by any of its lines.

A rule runs only if its mark is in the text, and where it can its pattern begins with that mark: scanning text without
secrets costs a few substring searches.
"""

from __future__ import annotations

import string
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator

_KEY_WINDOW = 16_384  # characters looked at before an end mark; the longest keys in use are below 14,000
_MIN_VALUE = 8
_LINE_LENGTHS = (64, 70, 76)  # PEM, OpenSSH and MIME wrap base64 at these columns
_RANDOM_SHARE = 0.4  # of neighbours in random base64, 64 % differ in kind; in words and paths under 30 %


Span: TypeAlias = tuple[int, int, str]  # start, end, kind


class _Rule(NamedTuple):
    """`mark`, in small letters, stands in every text that the pattern matches, in whatever letters."""

    kind: str
    mark: str
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool] | None = None


def redact(text: str) -> str:
    """The text with every secret replaced by `[redacted:<kind>]`; names, hosts and user names around it stay."""
    if _may_hold_key(text):
        text = _cut(text, sorted(_key_spans(text)))
    small = lowered(text)
    parts = [part for part in _PARTS if part in small]
    if parts and (marks := {mark for part in parts for mark in _PARTS[part] if mark in small}):
        text = _without_marked(text, marks)
    for rule in _CLIPPED:
        if match := rule.pattern.match(text):
            text = _replacement(rule)(match) + text[match.end() :]
    return text


def _without_marked(text: str, marks: set[str]) -> str:
    if ("=" in text or ":" in text) and (names := [name for name in _NAMES if name in marks]):
        text = _cut(text, sorted(_assigned_spans(text, names)))
    for rule in _RULES:
        if rule.mark in marks:
            text = rule.pattern.sub(_replacement(rule), text)
    return text


def lowered(text: str) -> str:
    """The text with small letters in the place of capitals in ASCII, one for one; others stay, which is quick."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _cut(text: str, spans: list[Span]) -> str:
    if not spans:
        return text
    pieces: list[str] = []
    position = 0
    for start, end, kind in spans:
        if start >= position:
            pieces += [text[position:start], f"[redacted:{kind}]"]
        position = max(position, end)
    return "".join([*pieces, text[position:]])


def _replacement(rule: _Rule) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        value = match["value"]
        if rule.accepts and not rule.accepts(value):
            return match[0]
        start, end = match.span("value")
        return match[0][: start - match.start()] + f"[redacted:{rule.kind}]" + match[0][end - match.start() :]

    return replace


def _mixed(value: str) -> bool:
    """True if a value is no plain word or code: it has a digit beside letters, or upper case within lower case."""
    if value.isupper() and not any(map(str.isdigit, value)):
        return False
    has_digit = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return has_digit or _kind_changes(value) > len(value) * _RANDOM_SHARE


def _long_random(value: str) -> bool:
    return _random(value.strip("=.-_")) and not value.startswith(("sha256-", "sha384-", "sha512-"))


def _is_literal(value: str) -> bool:
    """True if an assigned value is written out, not an expression: `token = lexer.next_token()` is code."""
    return _mixed(value) and not _EXPRESSION.match(value)


def _is_password(value: str) -> bool:
    return not _EXPRESSION.match(value) and not set(value) <= set("*.x_-")


_EXPRESSION = pattern(
    r"(?:[A-Za-z_]\w*(?:\.|::|->)[A-Za-z_]|[A-Za-z_]\w*[(\[]|\$|%[A-Z(]|\{|<|&|\*|REDACTED|process\.env|os\.environ)"
)
_PLAIN = r"[^\s\"'`,;(){}\[\]<>]"


def _token(head: str, rest: str) -> re.Pattern[str]:
    """A token that begins with `head`, a pattern of fixed length: not within a word, but right behind an escaped
    newline. What stands before is looked at behind the head, so that the search is one for the head.
    """
    return pattern(rf"(?P<value>{head}(?:(?<![A-Za-z0-9]{head})|(?<=\\[nrt]{head})){rest})")


_RULES = (
    _Rule("anthropic-key", "sk-ant-", _token("sk-ant-", r"[\w-]{6,}")),
    _Rule("api-key", "sk-", _token("sk-", "[A-Za-z0-9_-]{12,}"), _mixed),
    _Rule("stripe-key", "k_live_", _token("[srp]k_live_", "[A-Za-z0-9]{8,}")),
    _Rule("stripe-key", "k_test_", _token("[srp]k_test_", "[A-Za-z0-9]{8,}")),
    *(_Rule("github-token", f"gh{kind}_", _token(f"gh{kind}_", "[A-Za-z0-9]{6,}")) for kind in "oprsu"),
    _Rule("github-token", "github_pat_", _token("github_pat_", r"\w{6,}")),
    _Rule("gitlab-token", "glpat-", _token("glpat-", r"[\w-]{6,}")),
    _Rule("slack-token", "xox", _token("xox[a-z]-", r"[\w-]{6,}")),
    _Rule("slack-token", "xapp-", _token("xapp-", r"[\w-]{6,}")),
    _Rule("slack-hook", "hooks.slack.com", pattern(r"hooks\.slack\.com/(?:services|workflows)/(?P<value>[\w/]+)")),
    _Rule("google-key", "aiza", _token("AIza", r"[\w-]{8,}")),
    _Rule("google-key", "ya29.", _token(r"ya29\.", r"[\w-]{8,}")),
    _Rule("npm-token", "npm_", _token("npm_", "[A-Za-z0-9]{12,}"), _mixed),
    _Rule("pypi-token", "pypi-", _token("pypi-", r"[\w-]{12,}"), _mixed),
    _Rule("hf-token", "hf_", _token("hf_", "[A-Za-z0-9]{16,}"), _mixed),
    _Rule("aws-key-id", "akia", _token("AKIA", "[A-Z0-9]{6,}")),
    # base64 need not have a digit, and the name leaves no doubt
    _Rule("secret", "aws_secret", pattern(r"(?i:aws_secret_access_key)[\s=:\"']{1,6}(?P<value>[A-Za-z0-9+/]{16,})")),
    _Rule("aws-key-id", "asia", _token("ASIA", r"[A-Z0-9]{16}\b")),
    # a token's header and claims are both JSON, so each begins so; what follows a point belongs to it
    _Rule("jwt", "eyj", _token("eyJ", r"[\w-]{8,}(?:\.[\w-]*){0,4}")),
    _Rule("bearer", "bearer", pattern(r"(?i:\bbearer)\s+(?P<value>[\w.~+/=-]{8,})"), _mixed),
    _Rule("basic-auth", "basic", pattern(r"(?i:authorization\W{1,4}basic)\s+(?P<value>[\w+/=-]{6,})")),
    _Rule("password", "://", pattern(r"://[^\s:/@\"'<>]{0,64}:(?P<value>[^\s/@\"'<>]{3,})@")),
    # clipped before the host: a port has digits only
    _Rule("password", "://", pattern(r"://[^\s:/@\"'<>]{1,64}:(?P<value>(?!\d+\b)[^\s/@\"'<>]{3,})\Z")),
    _Rule(
        "secret",
        "--",
        pattern(
            r"--(?<![\w-]--)"
            r"(?i:[\w-]{0,40}?(?:secret|token|key|password|passwd|pwd|passphrase|credential))[ =]\s*[\"']?"
            rf"(?P<value>{_PLAIN}{{{_MIN_VALUE},}})"
        ),
        _is_literal,
    ),
)

# clipped within a value: what stands at the very beginning has lost its prefix or name
_CLIPPED = (
    _Rule("clipped", "", pattern(r"[\s=:\"']{0,4}(?P<value>[\w+/=.-]{12,})"), _long_random),
    _Rule("password", "@", pattern(r"[^\s:/@\"'<>]{0,64}:(?P<value>[^\s/@\"'<>]{6,})@[\w-]"), _mixed),
)

# ------------------------------------------------------------------ values beside a telling name

_NAMES = ("password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "authorization", "key")
_KEY_OF = ("api", "access", "account", "auth", "private", "signing", "encryption", "secret")
_ASSIGNED = pattern(
    r"(?:s|S)?(?![a-z])[\w.-]{0,40}[\"'`]?\s{0,3}(?P<sign>:=|=>|=|:(?!:))\s{0,3}(?P<quote>[bru]?[\"'`])?"
    rf"(?P<value>{_PLAIN}{{{_MIN_VALUE},}})(?!{_PLAIN}|[(\[])"  # the whole value, or none
)


def _by_part(marks: Iterable[str]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for mark in marks:
        parts.setdefault(next((part for part in _SHARED if part in mark), mark), []).append(mark)
    return parts


# What must be in a text, by a part that several have in common: most texts have none of them.
_SHARED = ("pass", "sk-", "k_", "gh")
_PARTS = _by_part([*_NAMES, *(rule.mark for rule in _RULES)])


def _assigned_spans(text: str, names: list[str]) -> Iterator[Span]:
    """Values of assignments; names are found by substring search, because a pattern for all of them is slow."""
    lower = lowered(text)
    for name in names:
        position = lower.find(name)
        while position >= 0:
            match = _ASSIGNED.match(text, position + len(name))
            if match and _tells(name, lower[max(0, position - 12) : position], match):
                yield *match.span("value"), "password" if name.startswith("p") else "secret"
            position = lower.find(name, position + len(name))


def _tells(name: str, before: str, match: re.Match[str]) -> bool:
    """True if name and value together are a secret; a bare "key" names many harmless things."""
    value = match["value"]
    if name.startswith("p"):
        return _is_password(value)
    # `useAuthToken: useCallback1` is code; what is quoted or follows "=" may be written out however it reads
    if not match["quote"] and match["sign"] in (":", "=>") and _IDENTIFIER.fullmatch(value):
        return False
    if name == "key" and not before.rstrip("_-").endswith(_KEY_OF):
        return _long_random(value)
    return _is_literal(value)


# words of three letters or more in camelCase or snake_case, each with at most two digits behind it; of random values of
# 16 letters and digits one in 600 reads so, of 24 one in 10,000. There is one way only to read a text as words, for
# where there are several, a text that is none takes longer than anybody waits.
_IDENTIFIER = pattern(
    r"[_$]{0,2}(?:(?:[A-Z]?[a-z]{3,}(?![a-z])|[A-Z][a-z]{2}(?![a-z])|[A-Z]{3,}(?![A-Za-z]))(?:_?\d{1,2}_?|_{0,2}))+"
)


# ------------------------------------------------------------------ private keys

# the first line of a block, which may be clipped; an end mark reads like one and is stepped over
_HEAD = pattern(
    r"-----END [A-Z0-9 ]{0,40}(?:-----)?"
    r"|(?P<head>(?:-----BEGIN [A-Z0-9 ]{0,40})?PRIVATE KEY(?: BLOCK)?-----|\A[A-Z ]{0,24}KEY(?: BLOCK)?-----)"
)
_HEADS = ("KEY-----", "KEY BLOCK-----")
_TAIL = pattern(r"-----END [A-Z0-9 ]{0,40}(?:-----)?")
_LINE = pattern(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{64,}={0,2}")
_RUN = b"x" * 64  # of letters, digits, "+" and "/", in the coarse view of a text
_COARSE = bytes(ord("x") if chr(code) in string.ascii_letters + string.digits + "+/" else 0 for code in range(256))
_TOKEN = pattern(r"[A-Za-z0-9+/]+={0,3}")
_GAP = " \t\r\n\\"  # a backslash begins an escaped newline; its letter is taken for a part of the token
_BODY = frozenset(string.ascii_letters + string.digits + "+/=" + _GAP)
_WHOLE_LINE = 40
_END = "-----END"
_HEADER = pattern(r"[\s\\nr]*(?:Proc-Type|DEK-Info|Comment|Version): [^\n\\]{0,120}")


def _may_hold_key(text: str) -> bool:
    """True if a mark of a key block or a long run of letters and digits is in the text."""
    if any(mark in text for mark in (*_HEADS, _END)):
        return True
    return _has_run(text)


def _has_run(text: str) -> bool:
    return len(text) >= len(_RUN) and _RUN in text.encode("utf-8", "surrogatepass").translate(_COARSE)


def _key_spans(text: str) -> Iterator[Span]:
    if any(mark in text for mark in _HEADS):
        for head in _HEAD.finditer(text):
            if not head["head"]:
                continue
            tail = _TAIL.search(text, head.end(), head.end() + _KEY_WINDOW)
            yield head.start(), tail.end() if tail else _forward(text, head.end()), "private-key"
    if "-----END" in text:
        for tail in _TAIL.finditer(text):
            if "PUBLIC" not in tail[0] and "CERTIFICATE" not in tail[0]:
                yield _backward(text, tail.start(), adjacent=True), tail.end(), "private-key"
    covered = 0
    for line in _LINE.finditer(text) if _has_run(text) else ():
        if line.start() >= covered and _is_key_line(text, line):
            covered = _forward(text, line.end())
            yield _backward(text, line.start()), covered, "private-key"


def _is_key_line(text: str, line: re.Match[str]) -> bool:
    start = line.start()
    before = text[start - 1 : start]
    length = len(line[0]) - (before == "\\" and line[0][0] in "nr")
    return length in _LINE_LENGTHS and before not in tuple("-_=.") and _random(line[0])


def _forward(text: str, position: int) -> int:
    """End of the key material that follows `position`, an end mark included."""
    while True:
        if header := _HEADER.match(text, position):
            position = header.end()
        start = position
        while start < len(text) and text[start] in _GAP:
            start += 1
        if tail := _TAIL.match(text, start):
            return tail.end()
        token = _TOKEN.match(text, start)
        if not token or not (_belongs(token[0]) or _is_last(text, token.end())):
            return position
        position = token.end()


def _is_last(text: str, position: int) -> bool:
    """True if only an end mark, a piece of one or nothing follows: a key's last line can be a few characters short."""
    rest = text[position : position + 16].lstrip(_GAP)
    return rest.startswith(_END) or _END.startswith(rest)


def _backward(text: str, position: int, *, adjacent: bool = False) -> int:
    """Start of the key material that ends at `position`; `adjacent` takes the token before it whatever it is."""
    window = position
    while window > max(0, position - _KEY_WINDOW) and text[window - 1] in _BODY:
        window -= 1
    for token in reversed(list(_TOKEN.finditer(text, window, position))):
        gap = text[token.end() : position]
        # a text that was clipped within the block begins with a piece of a line
        if gap.strip(_GAP) or not (adjacent or token.start() == 0 or _belongs(token[0])):
            break
        adjacent = False
        position = token.start()
    return position


def _belongs(token: str) -> bool:
    """True if a token beside key material is a part of it: a whole line, or one that looks drawn from base64."""
    return len(token) >= _WHOLE_LINE or _random(token)


def _random(token: str) -> bool:
    """True if a token looks drawn from base64: not hexadecimal, not a word, not a path."""
    if len(token) < 12 or token.upper() == token or token.lower() == token:
        return False
    return _kind_changes(token) > len(token) * _RANDOM_SHARE


def _kind_changes(token: str) -> int:
    kinds = [0 if c.isdigit() else 1 if c.isupper() else 2 if c.islower() else 3 for c in token]
    return sum(a != b for a, b in pairwise(kinds))
