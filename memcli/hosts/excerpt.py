"""A memory cut down to what a client takes from a hook: most important first, whole lines, and where the rest stands.

Every section that says something gets its share of the room; what one leaves, the others fill in order of importance.
The sections then stand in the order of the memory. Nothing is imported here: hooks must not be waited for.
"""

# In order of importance: corrections by the user before all else. The shares of ours add up to one.
_SHARES = {
    "Pinned": 0.10,
    "Errors & Corrections": 0.20,
    "User Intent": 0.18,
    "Current State": 0.14,
    "Active Work": 0.10,
    "Pending Tasks": 0.08,
    "Files": 0.10,
    "Completed Work": 0.06,
    "Key References": 0.04,
}
_OTHER = 0.05  # a section of the user's own
_BOTH_ENDS = ("User Intent", "Completed Work")  # told in order of time: how it began, and the latest
_LEFT_OUT = "- ({} lines left out)"
_LEAST = 60  # characters below which a section says nothing
_EMPTY = ("- none", "- none known")


def excerpt(memory: str, limit: int, names: "tuple[str, ...]" = ()) -> str:
    """At most `limit` characters of a session memory (its Markdown), sections without a word left out.

    `names`: only these sections; empty for all. "" where nothing is remembered.
    """
    found = {name: lines for name, lines in _sections(memory) if lines and (not names or name in names)}
    order = [*(name for name in _SHARES if name in found), *(name for name in found if name not in _SHARES)]
    shares = {name: _SHARES.get(name, _OTHER) for name in order}
    all_shares = max(1.0, sum(shares.values()))  # beside many sections of the user's own, each has less
    given = {name: min(_size(name, found[name]), int(limit * shares[name] / all_shares)) for name in order}
    left = limit - sum(given.values())
    for name in order:
        more = min(left, _size(name, found[name]) - given[name])
        given[name] += more
        left -= more
    return "\n\n".join(text for name in found if (text := _cut(name, found[name], given[name])))


def _sections(memory: str) -> "list[tuple[str, list[str]]]":
    sections: list[tuple[str, list[str]]] = []
    for line in memory.split("\n"):
        if line.startswith("## "):
            sections.append((line[3:].strip(), []))
        elif sections and line.strip() and line not in _EMPTY and not line.startswith("<!-- "):
            sections[-1][1].append(line)
    return sections


def _size(name: str, lines: "list[str]") -> int:
    """Characters of a whole section with its heading and the blank line before the next."""
    return len(name) + 5 + sum(len(line) + 1 for line in lines)


def _cut(name: str, lines: "list[str]", room: int) -> str:
    """The section in at most `room` characters; "" if that is too little to say anything."""
    heading = f"## {name}"
    if _size(name, lines) <= room:
        return "\n".join([heading, *lines])
    room -= len(heading) + len(_LEFT_OUT) + 6
    if room < _LEAST:
        return ""
    first, last = _ends(lines, room) if name in _BOTH_ENDS else (_from_start(lines, room), 0)
    end = len(lines) - last
    kept = [*lines[:first], _LEFT_OUT.format(end - first), *lines[end:]]
    if not first and not last:
        kept[0:0] = [lines[0][: room - 2] + "…"]
    return "\n".join([heading, *kept])


def _from_start(lines: "list[str]", room: int) -> int:
    """How many lines from the first on there is room for."""
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return number
    return len(lines)


def _ends(lines: "list[str]", room: int) -> "tuple[int, int]":
    """How many of the first and of the last lines: the beginning in a third of the room, then the latest."""
    first = _from_start(lines, room // 3)
    room -= sum(len(line) + 1 for line in lines[:first])
    return first, _from_start(lines[:first:-1], room)
