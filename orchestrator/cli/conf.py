"""Reading JSON that a person typed."""

import json
from typing import Any

import msgspec

from orchestrator.exceptions import UsageError


def read_json(text: str, option: str) -> Any:
    """The JSON value of ``text``; UsageError points to where it goes wrong."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise UsageError(f"{option} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise UsageError(f"{option} is not JSON: {error}") from None


def read_object(text: str, option: str) -> msgspec.Raw:
    """A JSON object as it is recorded; UsageError if ``text`` is anything else."""
    value = read_json(text, option)
    if not isinstance(value, dict):
        raise UsageError(f'{option} is {_KINDS[type(value)]}; write a JSON object such as \'{{"key": "value"}}\'')
    return raw(value)


def raw(value: Any) -> msgspec.Raw:
    """A JSON value in the form in which it is recorded."""
    return msgspec.Raw(msgspec.json.encode(value))


_KINDS = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
