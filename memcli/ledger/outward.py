"""Outward: deeds that others see: pushes, pull requests, issues, comments, releases, published packages.

To do such a thing twice is the costliest mistake of whoever continues, so each that succeeded is remembered, with the
address that was printed. Only commands that change something outside count; looking does not.
"""

from __future__ import annotations

import re

import msgspec

from memcli.ledger.clean import clean, clip, identity, one_line
from memcli.ledger.here_documents import without_texts
from memcli.transcript.patterns import pattern

MAX_DEEDS = 60
SCAN_LIMIT = 20_000
SHOWN_LIMIT = 160

# A program at the place of a command: at the start of a line or after an operator, settings before it allowed.
_START = r"(?:^|[;&|(\n]|\b(?:then|do|else)\s)\s*(?:sudo\s+)?(?:\w+=\S*\s+)*"
_DEED = pattern(
    _START + r"(?P<deed>"
    r"git\s+(?:-[cC]\s+\S+\s+)*push\b"
    r"|(?:gh|glab|hub|tea)\s+(?:pr|mr|issue|release|gist|repo|label|workflow|discussion)\s+"
    r"(?:create|new|edit|update|comment|note|merge|close|reopen|review|ready|upload|delete|run|approve|transfer|lock)\b"
    r"|(?:gh|glab)\s+api\b(?=[^\n]*?(?:\s-X\s*(?:POST|PUT|PATCH|DELETE)|--method[ =](?:POST|PUT|PATCH|DELETE)))"
    r"|(?:gh|glab)\s+api\s+graphql\b(?=(?:(?!\bgh\s+api)[\s\S]){0,4000}?\bmutation\b)"
    r"|(?:gh|glab)\s+api\s+(?!graphql)(?!.*(?:-X\s*|--method[ =])GET)"
    r"(?=[^\n]*\s(?:-f|-F|--field|--raw-field|--input)\s)"
    r"|(?:npm|pnpm|yarn|bun|cargo|poetry|uv|flit|hatch|mvn|gem|dart|flutter pub|dotnet nuget)\s+"
    r"(?:publish|deploy|push)\b"
    r"|twine\s+upload\b|(?:docker|podman)\s+push\b|terraform\s+apply\b|kubectl\s+(?:apply|delete|rollout)\b"
    r"|helm\s+(?:install|upgrade|uninstall)\b|(?:fly|flyctl|vercel|netlify|wrangler|serverless)\s+(?:deploy|publish)\b"
    r"|curl\b(?=[^\n|;]*\s(?:-X\s*|--request[ =])(?:POST|PUT|PATCH|DELETE)\b)"
    r"(?![^\n|;]*(?:localhost|127\.0\.0\.1|0\.0\.0\.0))"
    r")"
)
_SIGNS = ("push", "gh", "glab", "hub", "tea", "publish", "deploy", "upload", "apply", "kubectl", "helm", "curl")
_DRY = pattern(r"--(?:dry-run|help)\b")
_FAILED = pattern(r"(?m)^\s*! \[(?:remote )?rejected\]|^(?:error|fatal):|\bHTTP 4\d\d\b|^remote: error")
_URL = pattern(r"https://[^\s\"'`<>)\]}|\\]+")


class Done(msgspec.Struct, array_like=True):
    """One deed: the command as typed, the address printed ("" if none), when, how often."""

    index: int
    command: str
    url: str = ""
    times: int = 1


class Outward(msgspec.Struct, array_like=True):
    """Deeds that others see, the least recent first."""

    done: dict[str, Done] = {}

    def happened(self, deeds: list[str], output: str, index: int) -> None:
        """A command that held these deeds succeeded."""
        if not deeds or _FAILED.search(output):
            return
        urls = [clean(url).rstrip(".,:;") for url in _URL.findall(output[-SCAN_LIMIT:])]
        for deed in deeds:
            before = self.done.pop(deed, None)
            url = next((url for url in reversed(urls) if _of_the_deed(deed, url)), "")
            times = before.times + 1 if before else 1
            self.done[deed] = Done(index, deed, identity(url) or (before.url if before else ""), times)
        while len(self.done) > MAX_DEEDS:
            del self.done[next(iter(self.done))]


def deeds_in(command: str) -> list[str]:
    """The outward deeds of a command line, each as typed up to its end, shortened."""
    text = command[:SCAN_LIMIT]
    if not any(sign in text for sign in _SIGNS):
        return []
    text = without_texts(text)
    found = []
    for match in _DEED.finditer(text):
        rest = re.split(r"\s(?:&&|\|\||;|\|)\s|;\s|\n|\s2>&1", text[match.start("deed") :], maxsplit=1)[0]
        if not _DRY.search(rest):
            found.append(clip(one_line(clean(rest, head=600)), SHOWN_LIMIT))
    return list(dict.fromkeys(found))[:6]


def _of_the_deed(deed: str, url: str) -> bool:
    """A push prints the repository and the page where a pull request *could* be made: no addresses of a deed."""
    return not (deed.startswith("git") and (url.endswith(".git") or "/pull/new" in url or "merge_requests/new" in url))
