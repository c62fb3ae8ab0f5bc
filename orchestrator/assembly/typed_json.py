"""Typed JSON: what a person has written, read with care."""

import json
import math
from typing import Any

import msgspec

from orchestrator.exceptions import UsageError


def read_json(text: str, what: str) -> Any:
    """The JSON value of ``text``; UsageError points to where it goes wrong."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        msgspec.json.encode(value)
    except RecursionError:
        raise UsageError(f"{what} is nested too deeply to be recorded; make it flatter") from None
    except UnicodeEncodeError:
        raise UsageError(f"{what} holds half a character (a lone \\ud800 to \\udfff), which is no text") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise UsageError(f"{what} is not JSON: {error}") from None
    return value


def read_object(text: str, what: str) -> msgspec.Raw:
    """A JSON object as it is recorded; UsageError if ``text`` is anything else."""
    value = read_json(text, what)
    if not isinstance(value, dict):
        raise UsageError(f'{what} is {_KINDS[type(value)]}; write a JSON object such as \'{{"key": "value"}}\'')
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


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is larger than any number that can be recorded")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
