"""Claims: which sentences of a model may stand.

A sentence falls if it names what nobody was shown, if it tells its reader what to do and the user did not, if it says
the user wanted what they never spoke of, or if it says of a file, an error or a to-do the opposite of what code knows.
Every rule reads words only; quotes were checked before and are not looked at again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memcli.ledger.names import names_in
from memcli.memory.sections import ACTIVE_WORK, COMPLETED, USER_INTENT
from memcli.memory.seen import STEM, norm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.memory.seen import Seen, Source

COVERED = 0.6
"""Share of a command's words that one passage of the user's text must have for the command to be theirs."""

SPOKEN_OF = 0.4
"""Share of the words of something the user is said to want that one passage of theirs must have."""

ALIKE = 0.6
"""Share of an error's words from which a sentence speaks of it."""

_WANTED = 40  # characters of a to-do's text that stand for it

_URL = re.compile(r"[a-zA-Z][a-zA-Z+.-]{1,12}://[^\s\"'`)>\]}]+|\bwww\.[^\s\"'`)>\]}]+")
_NUMBER = re.compile(r"(?<![\w.])\d[\d,.]{0,30}\d(?!\w)")
_NUMBERED = re.compile(r"(?<![\w./-])(?=[a-zA-Z_]*\d)(?=\d*[a-zA-Z])\w{5,}(?![\w/])")  # such as `utf8mb4`, `run42`
_TICKED = re.compile(
    r"^\W*(?:\[[ xX~>-]\]|(?:(?:still|now|not yet) )?(?:open|unresolved|fixed|resolved|done|completed?|finished|pending"
    r"|in progress|to-?do)\b[^\w:]{0,3}(?:\d+ times)?:)|[☐☑✅✓✔❌⏳]",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"(?<![\w./~@+-])[A-Za-z]+(?:/[A-Za-z]+)+(?![\w./~@+-])")
_LETTERS = re.compile(r"[^\W\d_]{4,}")
_HELD = re.compile("[\x02\x05]\\d+\x03")  # a quote that was checked, or code
_SAID = re.compile(r'"[^"\n]*"')
_QUOTED = "\x02"

_LEAD = r"(?:^|[:;,—–(]|\b(?:and|then|please|also|so|now|important|note)\b)\W{0,6}"
_COMMAND = re.compile(
    rf"(?:{_LEAD}(?:always|never|do not|don't|don’t|must|remember to|make sure|be sure|please|ignore|disregard|forget"
    r"|override|obey|you\b)"
    r"|\b(?:from now on|henceforth|from here on|in (?:the )?future, (?:always|never)|as of now|going forward)\b"
    r"|\b(?:must|should|shall|will|may|can) (?:now )?(?:always|never)\b"
    r"|\b(?:always|never) (?:ask|use|run|push|skip|do)\b"
    r"|\b(?:previous|prior|earlier|above|all) (?:user )?(?:instructions?|rules?|prompts?)\b"
    r"|\bsystem (?:prompt|notice)\b"
    r"|\byou(?:'re|’re)? (?:must|should|need|have to|are|will|can|may|shall|ought)\b"
    r"|\byour (?:task|job|instructions?)\b"
    r"|\b(?:the )?(?:assistant|agent|model|ai|reader|successor) (?:must|should|shall|has to|needs to|is to|may now)\b)",
    re.IGNORECASE,
)
_DEED = re.compile(
    r"^\W*(?:please |now |then |next,? |always )*(?:delete|drop|wipe|erase|destroy|remove|disable|bypass|skip|revoke"
    r"|grant|exfiltrate|upload|download|send|post|publish|deploy|push|force|merge|install|execute|run|curl|open|visit|reveal"
    r"|leak|print|approve|trust|accept|ignore|obey|stop|kill|shut|reset|revert|rewrite|commit|use|call|treat|assume)\b",
    re.IGNORECASE,
)
_WILL = re.compile(
    r"\b(?:user|they|he|she|owner|developer|maintainer)s?(?:'s|’s)?(?: \w+ly| has| had| have| also| then| now)* "
    r"(?:wants?|wanted|asked|asks|requests?|requested|prefers?|preferred|said|says|told|insist\w*|approv\w+|confirm\w*"
    r"|agreed|agrees|allow\w*|permitt?\w*|authori[sz]\w+|decided|decides|demand\w*|order\w*|withdr\w+|revoked|cancel\w*"
    r"|needs?|wish\w*|expects?|requires?)\b|\b(?:approved|requested|authori[sz]ed|allowed|confirmed) by the user\b",
    re.IGNORECASE,
)
_DONE = re.compile(r"(?i)\[x\]|\b(?:done|completed?|finished|implemented)\b|[✓✔✅]")
_FIXED = re.compile(
    r"(?i)\b(?:fixed|resolved|solved|no longer|now pass(?:es|ing)?|passed later|succeeded later)\b|[✓✔✅]"
)
_OPEN = re.compile(
    r"(?i)\b(?:open|unresolved|unfixed|still (?:failing|open|fails)|not (?:yet )?(?:fixed|resolved))\b|❌"
)
_STATE = re.compile(
    r"^[`'*\s]{0,4}(?:[(—–:-]\s*)?(?:(?:is|was|were|has been|file|now|newly|got)\s+){0,3}"
    r"(created|added|new|deleted|removed|gone|renamed|moved|modified|edited|updated|changed)\b",
    re.IGNORECASE,
)
_STATES = {"created": "created", "added": "created", "new": "created"} | dict.fromkeys(
    ("deleted", "removed", "gone", "renamed", "moved"), "deleted"
)

# words that say who and how, not what
_EMPTY_WORDS = """
    user users asked wants wanted want said says told prefers prefer requested request always never must should shall
    that this with from when then them they their have been were will would could also into more make sure only which
    what about approved confirmed agreed insists insisted first later your please because before after there some than
    need needs expects agent
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


def commands(text: str) -> bool:
    """True if words tell their reader what to do, from now on or against what was said before."""
    return bool(_COMMAND.search(text))


def loosened(line: str, seen: Seen) -> str:
    """The line with slashes between ordinary words set apart, so that "and/or" is not taken for a path."""
    return _SLASHED.sub(lambda found: found[0] if seen.names(found[0]) else found[0].replace("/", " / "), line)


def named(text: str) -> list[str]:
    """Names and longer numbers of a text, once each: what must have been seen to be true."""
    numbers = [item for found in _NUMBER.findall(text) if sum(map(str.isdigit, item := found.rstrip(".,"))) >= 3]
    return list(dict.fromkeys([*names_in(text), *_NUMBERED.findall(text), *numbers]))


def wrong(sentence: str, whole: str, section: str, seen: Seen) -> str:
    """Why a sentence may not stand, or nothing. Checked quotes stand in it as marks, in `whole` they are there."""
    words = _HELD.sub(" ", sentence)
    if not all(_allowed(url, seen) for url in _URL.findall(words)):
        return "with addresses that neither user nor agent gave"
    if not all(_grounded(name, section, seen) for name in named(words)):
        return "with names or numbers that stand nowhere"
    if any(map(_two_scripts, _LETTERS.findall(words))):
        return "with a word in letters of two scripts"
    if _TICKED.match(words):
        return "that keep a list of states"
    if _DEED.match(words) and not any(_covered(words, source, COVERED) for source in (seen.user, seen.assistant)):
        return "that order what neither user nor agent spoke of"
    if commands(words) and not _covered(words, seen.user, COVERED):
        return "with orders the user did not give"
    if _WILL.search(words) and _QUOTED not in sentence and not _covered(words, seen.user, SPOKEN_OF):
        return "with wishes the user did not have"
    if _contradicts(words, norm(whole), section, seen) or _misstates(_SAID.sub(" ", whole), seen):
        return "against what code knows of files, errors or to-dos"
    return ""


def _two_scripts(word: str) -> bool:
    """True for a word that looks like another: Latin letters among those of Greek or Cyrillic."""
    return bool(re.search("[a-zA-Z]", word) and re.search("[\u0370-\u052f]", word))


def _allowed(url: str, seen: Seen) -> bool:
    return any(source.names(url.rstrip(".,;:")) for source in (seen.user, seen.assistant))


def _grounded(name: str, section: str, seen: Seen) -> bool:
    if section == USER_INTENT:
        return any(source.names(name) for source in (seen.user, seen.assistant, seen.record, seen.shown))
    return seen.names(name)


def _covered(words: str, source: Source, share: float) -> bool:
    """True if one passage has so much of the telling words; words count as equal by their first five letters."""
    wanted = {word[:STEM] for word in _LETTERS.findall(words.lower()) if word not in _EMPTY}
    return bool(wanted) and any(len(wanted & passage) >= share * len(wanted) for passage in source.passages)


def _contradicts(words: str, whole: str, section: str, seen: Seen) -> bool:
    states = seen.states
    if _FIXED.search(words) and not _OPEN.search(words) and any(_speaks_of(words, line) for line in states.open):
        return True
    if _OPEN.search(words) and any(_speaks_of(words, line) for line in states.fixed):
        return True
    done = bool(_DONE.search(words)) or section == COMPLETED
    if done and any(_stands_for(text, whole) for text in states.pending):
        return True
    return (not done or section == ACTIVE_WORK) and any(_stands_for(text, whole) for text in states.completed)


def _speaks_of(words: str, line: str) -> bool:
    wanted = set(_LETTERS.findall(line.lower()))
    return len(wanted) > 1 and len(wanted & set(_LETTERS.findall(words.lower()))) >= ALIKE * len(wanted)


def _stands_for(todo: str, plain: str) -> bool:
    head = norm(todo)[:_WANTED].strip()
    return len(head) >= 12 and head in plain


def _misstates(words: str, seen: Seen) -> bool:
    """True if words, code among them, say of a file what it is not."""
    return any(_misstated(name, words, seen.states.files) for name in names_in(words))


def _misstated(name: str, words: str, files: Mapping[str, str]) -> bool:
    """True if a state is told right behind a file's name that no file of that name has."""
    said = _STATE.match(words[words.find(name) + len(name) :])
    if not said:
        return False
    states = {state for path, state in files.items() if f"/{path}".endswith(f"/{name}")}
    return bool(states) and _STATES.get(said[1].lower(), "modified") not in states
