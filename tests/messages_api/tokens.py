"""How many tokens a text has, by rule: the same text always gives the same figure, and nothing is looked up.

Four ASCII characters are one token and each other character is one, times the weight of the model's tokenizer, rounded
up for each block. A message, a tool call and a tool result carry a few more; an image is 1,600.
"""

from __future__ import annotations

import json
import math
from typing import Any

MESSAGE = 4
TOOL = 12
IMAGE = 1_600


def text_tokens(text: str, weight: float = 1.0) -> int:
    """Tokens of a plain text."""
    foreign = sum(1 for character in text if character > "\x7f") if not text.isascii() else 0
    return math.ceil(((len(text) - foreign) / 4 + foreign) * weight)


def block_tokens(block: dict[str, Any], weight: float = 1.0) -> int:
    """Tokens of one content block, of those inside it too."""
    match block.get("type"):
        case "text":
            return text_tokens(block["text"], weight)
        case "thinking":
            return text_tokens(block["thinking"], weight)
        case "image":
            return IMAGE
        case "tool_use":
            return TOOL + text_tokens(block["name"] + json.dumps(block["input"], ensure_ascii=False), weight)
        case "tool_result":
            inner = block.get("content") or ""
            if isinstance(inner, str):
                return TOOL + text_tokens(inner, weight)
            return TOOL + sum(block_tokens(part, weight) for part in inner)
    return text_tokens(json.dumps(block, ensure_ascii=False), weight)
