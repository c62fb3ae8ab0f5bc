"""Talking with a workflow's run: what it waits for, the signals, queries and updates that it knows, and the answers."""

import json
from typing import Any

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import spec_version
from orchestrator.core.spec import Entrance
from orchestrator.storage.views import RunRow


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A signal, query or update: what it is, and JSON of what it takes to begin with."""

    name: str
    about: str
    takes: str
    example: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: ``kind`` is signal, query or update, ``answer`` JSON; ``given`` what was sent."""

    kind: str
    name: str = ""
    given: str = ""
    answer: str = ""
    error: str = ""


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """``reasons`` say what the run waits for, and are None where reading its history for that is left for later; lists
    that are empty are of a workflow that says no names beforehand.
    """

    reasons: list[str] | None
    signals: list[Way]
    queries: list[Way]
    updates: list[Way]


def talk(home: Home, run: RunRow, reasons: list[str] | None = None) -> Talk:
    spec = home.reads.spec(spec_version(home, run))
    return Talk(
        reasons=reasons,
        signals=[_way(one) for one in spec.signals],
        queries=[_way(one) for one in spec.queries],
        updates=[_way(one) for one in spec.updates],
    )


def pretty(answer: msgspec.Raw) -> str:
    """JSON as people read it."""
    return json.dumps(msgspec.json.decode(answer), indent=2, ensure_ascii=False)


def _way(entrance: Entrance) -> Way:
    schema = entrance.schema
    return Way(
        name=entrance.name,
        about=entrance.doc or "",
        takes=json.dumps(schema, indent=2, ensure_ascii=False) if schema else "",
        example=json.dumps(_example(schema), ensure_ascii=False),
    )


_EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}


def _example(schema: dict[str, Any]) -> Any:
    """Something of that shape, to be filled in."""
    if "default" in schema:
        return schema["default"]
    if schema.get("type") == "object" or "properties" in schema:
        return {name: _example(one) for name, one in schema.get("properties", {}).items() if isinstance(one, dict)}
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    return _EMPTY.get(kind) if isinstance(kind, str) else None
