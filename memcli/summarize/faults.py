"""What a failed request means: is asking again pointless, and if not, when may it be done?

    400 401 402 403 404 413 422     permanent: the request, the key, the bill or the address is wrong
    400 413 422 of them             this request's own: others may be taken; but not where the words of a 400 or 422
                                    are about the bill or the key, as those of an exhausted credit are
    429 with Retry-After            transient: too many requests
    429 without, of Anthropic       permanent: a spend cap, which keeps failing until somebody pays
    all others                      transient

Source: the service's documentation of errors and rate limits, as of November 2026; for the words of a 400, what people
report: "Your credit balance is too low ...", "You have reached your specified API usage limits ...", "This organization
has been disabled.", each of them an `invalid_request_error`. Of other servers a 429 without Retry-After is taken for
what it says, as many send no such header.
"""

from __future__ import annotations

import email.utils
import re
from typing import TYPE_CHECKING

from memcli.memory.jobs import Failure
from memcli.transcript.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

PERMANENT = frozenset({400, 401, 402, 403, 404, 413, 422})
OF_ONE_REQUEST = frozenset({400, 413, 422})
SPEND_CAP = "enforced_spend_limit_reached"
SENTENCE_CHARACTERS = 300

# Words that a 400 has for what stops every request. One word too many makes all transcripts wait for an hour, one too
# few costs a request for each of five transcripts: then they wait all the same (`watch.health`).
_OF_ALL = re.compile(
    r"credit|billing|payment|quota|usage limits?\b|spend(ing)? limit|organization has been|\baccount\b|subscription"
    r"|api[ _-]?key|authenticat|unauthori[sz]ed",
    re.IGNORECASE,
)

# An error may come in the middle of a stream, after a 200: then its type is all there is.
STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def refused(host: str, status: int, error: Mapping[str, object], *, after: float | None, official: bool) -> Failure:
    """The failure behind an HTTP status. `error` is the body's `error` object (empty if it had none), `after` the
    seconds of its Retry-After; `official`: the server is Anthropic's own."""
    details = error.get("details")
    capped = isinstance(details, dict) and details.get("error_code") == SPEND_CAP
    capped = capped or (official and status == 429 and after is None)
    why = "spend limit reached: " if capped else ""
    sentence = f"{host} answered {status} {_said(error)}"
    permanent = capped or status in PERMANENT
    return Failure(one_line(why + sentence), permanent=permanent, retry_after=after, own=_own(status, error))


def broken_off(host: str, error: Mapping[str, object]) -> Failure:
    """The failure behind an `error` event in the middle of a stream."""
    status = STATUS.get(str(error.get("type")), 500)
    sentence = one_line(f"{host} broke off with {_said(error)}")
    return Failure(sentence, permanent=status in PERMANENT, own=_own(status, error))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by `retry-after-ms` or `retry-after` (a number or a date), None if not told.

    `now` is the time of day in seconds since the epoch, for a date.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, "")) / unit)
        except ValueError:
            continue
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    try:
        return max(0.0, email.utils.mktime_tz(date) - now) if date else None
    except (ValueError, OverflowError):  # a day that no calendar has
        return None


def one_line(text: str) -> str:
    """`text` as one short line without control characters and secrets: servers quote keys in their complaints."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 10 * SENTENCE_CHARACTERS]).split())
    line = redact(line)
    return line if len(line) <= SENTENCE_CHARACTERS else line[: SENTENCE_CHARACTERS - 1] + "…"


def _own(status: int, error: Mapping[str, object]) -> bool:
    """True if the fault lies in this one request, and others may be taken."""
    return status in OF_ONE_REQUEST and not _OF_ALL.search(f"{error.get('type')} {error.get('message')}")


def _said(error: Mapping[str, object]) -> str:
    kind, message = error.get("type"), error.get("message")
    return ": ".join(str(part) for part in (kind, message) if part) or "and no reason"
