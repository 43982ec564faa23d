"""A memory that the user has edited by hand, as the ready message shows it until the next generation takes it in.

Their text stands as they left it; only Current State is ours, because it speaks of the moment of compaction. No
section is rendered anew, so nothing is asked but the head and the file. The next generation does what needs the ledger:
labels, what was struck out, the budget (`memcli.memory.edits`).

An edit that is no small one takes the slow route: a heading is missing, the text does not fit, it is no UTF-8.

Nothing is imported but a hash of C: this is on the road of `memcli compact`. No `__future__` for the same reason.
"""

from memcli import head as heads

_STATE = "## Current State\n"
_BYTES_A_TOKEN = 4
# As `json.dumps(ensure_ascii=False)` writes them.
_ESCAPES = {byte: f"\\u{byte:04x}" for byte in range(32)}
_ESCAPES |= {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def with_edit(head: heads.Head, memory: bytes) -> heads.Head:
    """The head with the text of an edited memory in its message. Raises ValueError for what the slow route must see."""
    text = memory.decode("utf-8")
    begin = f"\n{text}".find(f"\n{_STATE}")
    stop = text.find("\n## ", begin) + 1
    if begin < 0 or not stop or len(text) > head.room:
        raise ValueError("an edit without room or without a section")
    ahead, behind = text[:begin], text[stop:].rstrip()
    ours = head.before[head.opening :] + head.state + head.after[: len(head.after) - head.closing]
    theirs = _quoted(ahead) + head.state + _quoted(behind)
    known = _headings(ours)
    if [line for line in _headings(theirs) if line in known] != known:
        raise ValueError("an edit of the headings")
    return heads.renewed(
        head,
        before=_signed(head, signature(head.edit_key, ahead + behind)) + _quoted(ahead),
        after=_quoted(behind) + head.after[len(head.after) - head.closing :],
        memory_tokens=head.memory_tokens + (len(theirs) - len(ours)) // _BYTES_A_TOKEN,
    )


def signature(key: str, signed: str) -> str:
    """The digest of an edited memory's mark: BLAKE2 with a key of 64 hexadecimal digits."""
    from _blake2 import blake2b  # what `hashlib` would load, without OpenSSL

    digest: str = blake2b(signed.encode("utf-8", "surrogatepass"), key=bytes.fromhex(key), digest_size=32).hexdigest()
    return digest


def _signed(head: heads.Head, digest: str) -> bytes:
    """What stands ahead of the memory's text, with another digest in its mark."""
    ahead = bytearray(head.before[: head.opening])
    for position, length, what in head.fills:
        if what == "digest" and length == len(digest):
            ahead[position : position + length] = digest.encode("ascii")
            return bytes(ahead)
    raise ValueError("a message without a mark")


def _quoted(text: str) -> bytes:
    return text.translate(_ESCAPES).encode("utf-8")


def _headings(quoted: bytes) -> list[bytes]:
    """The headings of a memory that stands in a JSON string."""
    lines = quoted.replace(b"\\\\", b"\0").split(b"\\n")
    return [line for line in lines if line[:3] == b"## "]
