"""Whether a value fits a JSON Schema, and how it is said where it does not."""

from datetime import date
from typing import Any

import pytest

from orchestrator.authoring.fitting import Misfit, misfit, schema_flaw


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer"}, "x", "'x' is not of type 'integer'"),
        ({"type": ["null", "integer"]}, "x", "'x' is not of type 'null', 'integer'"),
        ({"enum": ["a", "b"]}, "x", "'x' is not one of ['a', 'b']"),
        ({"minimum": 2}, 1, "1 is less than the minimum of 2"),
        ({"maxLength": 1}, "xx", "'xx' is too long"),
        ({"minItems": 1}, [], "[] is too short"),
        ({"pattern": "^a"}, "x", "'x' does not match '^a'"),
        ({"required": ["a"]}, {}, "'a' is a required property"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "x", "'x' is not valid under any of the given schemas"),
        ({"format": "date"}, "2026-02-30", "'2026-02-30' is not a 'date'"),
        ({"format": "date-time"}, "soon", "'soon' is not a 'date-time'"),
        ({"type": "string"}, date(2026, 1, 1), "datetime.date(2026, 1, 1) is not of type 'string'"),
    ],
)
def test_what_does_not_fit_is_said_in_python_words(schema: dict[str, Any], value: Any, said: str) -> None:
    assert misfit(schema, value) == Misfit(said)


def test_the_place_of_what_does_not_fit_is_told() -> None:
    schema = {"properties": {"rows": {"items": {"properties": {"id": {"type": "integer"}}}}}}
    assert misfit(schema, {"rows": [{}, {"id": "x"}]}) == Misfit("'x' is not of type 'integer'", "rows[1].id")


@pytest.mark.parametrize("value", ["2026-01-31T06:00:00", "2026-01-31T06:00:00Z", "2026-01-31T06:00:00+02:00"])
def test_a_moment_needs_no_zone(value: str) -> None:
    assert misfit({"type": "string", "format": "date-time"}, value) is None


def test_a_format_is_heeded_where_it_is_asked_for() -> None:
    assert misfit({"format": "date"}, "x", formats=False) is None


def test_objects_that_json_does_not_have_fit_where_no_type_is_asked_for() -> None:
    assert misfit({}, date(2026, 1, 1)) is None
    assert misfit({"type": "array"}, [date(2026, 1, 1)]) is None
    assert misfit({"items": {"type": "integer"}}, [date(2026, 1, 1)]) is not None


def test_a_schema_asks_no_other_server() -> None:
    wrong = misfit({"$ref": "http://192.0.2.1/schema.json"}, 1)
    assert wrong is not None
    assert "its schema is none" in wrong.message


@pytest.mark.parametrize("schema", [{"type": "foo"}, {"minimum": "x"}, {"pattern": "("}, {"type": object}])
def test_what_is_no_schema_is_named(schema: dict[str, Any]) -> None:
    assert schema_flaw(schema)
