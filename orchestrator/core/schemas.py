"""Schemas in short: what a JSON Schema of an entrance asks for, in a few words and as an example to type."""

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_EXAMPLES: dict[str, Any] = {"boolean": True, "integer": 1, "number": 1.0, "string": "…", "array": [], "null": None}
_DEEPEST = 5
_ROOM_FOR_DEFAULT = 40


def in_short(schema: Schema) -> str:
    """What it asks for in JSON Schema's words; of an object its keys: ``item: string, count: integer = 1``.

    Empty where there is nothing to say; ``anything`` where it takes anything.
    """
    found = _meant(schema, schema)
    keys = found.get("properties")
    if keys is None:
        return "" if found.get("type") == "null" else _word(found, schema)
    return ", ".join(_key(name, part, schema) for name, part in keys.items())


def example(schema: Schema) -> str:
    """JSON that fits it, as far as types say: what is required, and nothing else."""
    return json.dumps(_example(schema, schema, 0), ensure_ascii=False)


def _key(name: str, part: Schema, root: Schema) -> str:
    default = f" = {_shortened(part['default'])}" if "default" in part else ""
    return f"{name}: {_word(_meant(part, root), root)}{default}"


def _shortened(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _ROOM_FOR_DEFAULT else "…"


def _word(part: Schema, root: Schema) -> str:
    if "enum" in part:
        return " or ".join(json.dumps(choice, ensure_ascii=False) for choice in part["enum"])
    if isinstance(choices := part.get("anyOf"), list):
        return " or ".join(_word(_meant(choice, root), root) for choice in choices)
    kind = part.get("type", "anything")
    if kind == "array" and isinstance(items := part.get("items"), dict) and items:
        return f"array of {_word(_meant(items, root), root)}"
    if kind == "object" and "title" in part:
        return str(part["title"])
    return str(part.get("format", kind)) if isinstance(kind, str) else " or ".join(map(str, kind))


def _meant(part: Schema, root: Schema) -> Schema:
    """The part itself, or what it refers to; of several, what is more than null or nothing."""
    if isinstance(name := part.get("$ref"), str):
        found: Schema = root.get("$defs", {}).get(name.rsplit("/", 1)[-1], {})
        return found
    if isinstance(choices := part.get("anyOf"), list):
        telling = [choice for choice in choices if not _is_nothing(choice)]
        if len(telling) < len(choices):
            return _meant(telling[0], root) if len(telling) == 1 else {"type": "null"} if not telling else part
    return part


def _is_nothing(choice: Schema) -> bool:
    return choice.get("type") == "null" or (choice.get("type") == "object" and choice.get("properties") == {})


def _example(part: Schema, root: Schema, depth: int) -> Any:
    if "default" in part or depth > _DEEPEST:
        return part.get("default")
    found = _meant(part, root)
    if "enum" in found:
        return found["enum"][0]
    if isinstance(choices := found.get("anyOf"), list) and choices:
        return _example(choices[0], root, depth + 1)
    if found.get("type") == "object":
        keys = found.get("properties", {})
        return {name: _example(keys.get(name, {}), root, depth + 1) for name in found.get("required", ())}
    return _EXAMPLES.get(str(found.get("type")))
