"""Objections: prompts that put the agent right, known by how they begin.

"No, keep it in one file" is typed as any other prompt; nothing in the record says that it corrects. Most corrections
open with a refusal, a verdict on what was done, or a ban, and few other prompts do. One that opens otherwise is kept as
the request it is, so this only decides what is served first. English, and the plain "no" of some other languages.
"""

from __future__ import annotations

from memcli.transcript.patterns import pattern

_FIRST = 160  # characters in which the opening must end

_AHEAD = (
    r"[\s'(*_-]{0,3}(?:(?:ok(?:ay)?|oh|ah|eh|ugh|h+m+|um+|well|wait|sorry|hey|wtf|yes|yeah|but|and|please|also)\b"
    r"[\s,.:!…—–-]+){0,3}"
)
_REFUSES = (
    r"(?:no|nope|nah|nein|non|não|nee|nej|нет)\s?[,.:;!—–-]|nope\b|不(?:是|对|對|要|行)|いいえ|違(?:う|い)|아니"
    r"|no (?:i|we|you|it|that|this|the|those|these|they|there|not|just|please|wait|do|don['’]?t|use|keep|leave|revert"
    r"|undo|remove|delete|put|go|let|stop)\b"
)
_JUDGES = (
    r"(?:that|this|it|those|these)(?:['’]s|['’]re| (?:is|are|was|were|looks?|seems?))(?: \w+)? "
    r"(?:wrong|incorrect|broken|nonsense|horrible|terrible|worse|not)\b"
    r"|(?:that|this|it|those|these)(?: still)? (?:is|are|was|were|does|did|do)n['’]?t\b"
    r"|(?:that|this|it|those|these)(?: still)? (?:does|did|do) not\b"
    r"|(?:wrong|incorrect)\b|not (?:quite|like|what|right|true|correct|that|this)\b"
)
_REMINDS = (
    r"i (?:said|told you|asked (?:you|for)|meant?|never (?:said|asked|wanted)"
    r"|(?:did|do)(?: not|n['’]?t) (?:ask|say|mean|want|like|care|need|think))\b"
    r"|you(?: have|['’]ve| are|['’]re)? (?:just |still |again )?(?:wrong|forgot(?:ten)?|miss(?:ed|ing)|bro(?:ke|ken)"
    r"|ignor(?:ed?|ing)|misunder\w+|deleted|removed|were (?:supposed|told)|should(?: not|n['’]?t| have)"
    r"|(?:did|do|have|were|are|must)(?: not|n['’]?t))\b"
    r"|why (?:did|do|are|have|would) you\b"
)
_FORBIDS = (
    r"(?:stop|never|always|do not|don['’]?t|let['’]?s not|undo|revert|roll (?:it |that |this )?back|go back|actually"
    r"|instead|(?:put|change) (?:it|that|this|them) back)\b"
)
_OBJECTS = pattern(f"(?i){_AHEAD}(?:{_REFUSES}|{_JUDGES}|{_REMINDS}|{_FORBIDS})")


def objects(words: str) -> bool:
    """True for words of the person that begin by speaking against what the agent does, did or proposes."""
    return bool(_OBJECTS.match(words[:_FIRST]))
