"""JSON schemas as the service takes them for structured answers: a part of the standard, objects closed.

Source: the transformation that the official client makes of a schema before it sends one.
"""

from __future__ import annotations

from typing import Any

from tests.messages_api.refused import Refused

_KNOWN = frozenset(
    {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "allOf",
        "$ref",
        "$defs",
    }
    | {"description", "title", "default", "format", "minItems"}
)
_FORMATS = frozenset(
    {"text", "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)


def check_schema(schema: Any, at: str = "output_config.format.schema") -> None:
    """Raises Refused for what is no schema, or one the service cannot hold a model to."""
    if not isinstance(schema, dict):
        raise Refused(f"{at}: Input should be a valid dictionary")
    unknown = sorted(schema.keys() - _KNOWN)
    if unknown:
        raise Refused(f"{at}: property '{unknown[0]}' is not supported")
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        raise Refused(f"{at}: For 'object' type, 'additionalProperties' must be explicitly set to false")
    if schema.get("minItems", 0) not in {0, 1}:
        raise Refused(f"{at}: For 'array' type, 'minItems' values other than 0 or 1 are not supported")
    if schema.get("format", "text") not in _FORMATS:
        raise Refused(f"{at}: string format '{schema['format']}' is not supported")
    for name in ("properties", "$defs"):
        for key, inner in (schema.get(name) or {}).items():
            check_schema(inner, f"{at}.{name}.{key}")
    for name in ("anyOf", "allOf"):
        for number, inner in enumerate(schema.get(name) or []):
            check_schema(inner, f"{at}.{name}.{number}")
    if "items" in schema:
        check_schema(schema["items"], f"{at}.items")


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None) -> bool:
    """Whether a JSON value is what the schema asks for."""
    root = root or schema
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    if "anyOf" in schema and not any(fits(value, inner, root) for inner in schema["anyOf"]):
        return False
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return False
    match schema.get("type"):
        case "object":
            inner = schema.get("properties", {})
            return (
                isinstance(value, dict)
                and value.keys() <= inner.keys()
                and set(schema.get("required", ())) <= value.keys()
                and all(fits(item, inner[key], root) for key, item in value.items())
            )
        case "array":
            return isinstance(value, list) and all(fits(item, schema.get("items", {}), root) for item in value)
        case "string":
            return isinstance(value, str)
        case "integer" | "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
    return True
