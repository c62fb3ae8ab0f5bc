"""Schemas in a few words, and as something to type."""

import json
from typing import Any

import pytest

from orchestrator.core.schemas import example, in_short

ORDER = {"title": "Order", "type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
ROOT = {"$defs": {"Order": ORDER}}
TEXT, NUMBER = {"type": "string"}, {"type": "integer", "default": 1}
NOTHING: dict[str, Any] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def keys(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)} | ROOT


@pytest.mark.parametrize(
    ("schema", "short", "typed"),
    [
        ({"type": "boolean"}, "boolean", True),
        ({"type": "string", "format": "date"}, "date", "…"),
        ({}, "anything", None),
        ({"enum": ["red", "blue"]}, '"red" or "blue"', "red"),
        (NOTHING, "", {}),
        ({"anyOf": [NOTHING, {"type": "null"}]}, "", None),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer", 1),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "integer or string", 1),
        (keys("item", item=TEXT, count=NUMBER), "item: string, count: integer = 1", {"item": "…"}),
        (keys("order", order={"$ref": "#/$defs/Order"}), "order: Order", {"order": {"amount": 1}}),
        (keys(all={"type": "array", "items": {"$ref": "#/$defs/Order"}}), "all: array of Order", {}),
    ],
)
def test_a_schema_is_told_in_short_and_shown_by_example(schema: dict[str, Any], short: str, typed: Any) -> None:
    assert in_short(schema) == short
    assert json.loads(example(schema)) == typed


def test_a_schema_that_refers_to_itself_has_an_end() -> None:
    node: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}
    assert "next" in json.loads(example({"$ref": "#/$defs/Node", "$defs": {"Node": node}}))
