"""What an answer says, as edits of the memory, and the two forms it can be written in."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

OPENING = "The new messages were read; what follows is new or has changed."


class Edit(NamedTuple):
    """One change: `op` is replace, append, change or drop; `item` is how the item begins that is changed or dropped."""

    section: str
    op: str
    text: str = ""
    item: str = ""


def as_markdown(edits: list[Edit], end: str = "") -> str:
    """A plain answer: each section that has something to say, whole."""
    sections: dict[str, list[str]] = {}
    for edit in edits:
        if edit.text:
            sections.setdefault(edit.section, []).append(edit.text)
    parts = [f"## {name}\n\n" + "\n".join(texts) for name, texts in sections.items()]
    return "\n\n".join([*parts, end]).strip()


def as_json(edits: list[Edit], schema: dict[str, Any]) -> str:
    """An answer that fits the schema: its list of objects with a `section` takes the edits, everything else the least
    that fits. Edits of sections or operations that the schema does not name cannot be said."""
    return json.dumps(_value(schema, edits, schema), ensure_ascii=False)


def _value(schema: dict[str, Any], edits: list[Edit], root: dict[str, Any]) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _value(inner, edits, root) for name, inner in schema.get("properties", {}).items()}
        case "array":
            variants = [variant for variant in _variants(schema.get("items", {}), root) if _is_edit(variant)]
            return [said for edit in edits if (said := _said(edit, variants, root)) is not None]
        case "string":
            return OPENING
        case "integer" | "number":
            return 0
        case "boolean":
            return False
    return None


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return _resolved(schema["anyOf"][0], root) if "anyOf" in schema else schema


def _variants(schema: dict[str, Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    found = schema.get("anyOf") or [schema]
    return [_resolved(variant, root) for variant in found]


def _is_edit(schema: dict[str, Any]) -> bool:
    return "section" in schema.get("properties", {})


def _said(edit: Edit, variants: list[dict[str, Any]], root: dict[str, Any]) -> dict[str, Any] | None:
    """The edit in the first form that has room for it."""
    for variant in variants:
        fields = {name: _resolved(field, root) for name, field in variant["properties"].items()}
        allowed = {
            name: field.get("enum") or ([field["const"]] if "const" in field else None)
            for name, field in fields.items()
        }
        values = edit._asdict()
        if all(
            allowed.get(name) is None or values[name] in allowed[name] for name in ("section", "op") if name in fields
        ):
            return {name: values.get(name, _value(field, [], root)) for name, field in fields.items()}
    return None
