"""Fitting: whether a value is what a JSON Schema (2020-12) asks for, and what is wrong with it in a sentence."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator, ValidationError


class Misfit(NamedTuple):
    """``message`` is the end of a sentence; ``place`` leads to the part that is meant, such as ``rows[2].id``; it is
    empty where that is all of it."""

    message: str
    place: str = ""


def misfit(schema: Mapping[str, Any], value: Any, *, formats: bool = True) -> Misfit | None:
    """What is wrong with ``value``; of several things, one of those that are the least deep. None where it fits.

    ``formats``: whether ``format`` is heeded. A reference that leads out of the schema is not followed.
    """
    try:
        validator = _validator(schema, formats=formats)
    except ValueError as error:
        return Misfit(f"its schema is none: {_said(error)}")
    try:
        found = list(validator.iter_errors(value))
    except ValueError:  # there is something in it that JSON does not have
        return _of_python(validator, schema, value)
    if not found:
        return None
    best = min(found, key=lambda error: len(error.instance_path))
    return Misfit(_said(best), _path(best.instance_path))


def schema_flaw(schema: Mapping[str, Any]) -> str | None:
    """Why this is no JSON Schema; None where it is one."""
    try:
        _validator(schema, formats=False)
    except ValueError as error:
        return _said(error)
    return None


def _validator(schema: Mapping[str, Any], *, formats: bool) -> Draft202012Validator:
    """ValueError where the schema is none."""
    return Draft202012Validator(dict(schema), validate_formats=formats, formats=_FORMATS, offline=True)


def _of_python(validator: Draft202012Validator, schema: Mapping[str, Any], value: Any) -> Misfit | None:
    """An object that JSON does not have is of none of its types."""
    if not isinstance(value, dict | list | tuple):
        return Misfit(f"{value!r} is not of type {_listed(schema['type'])}") if "type" in schema else None
    try:
        plain = json.loads(json.dumps(value, default=str))
        return next((Misfit(_said(error), _path(error.instance_path)) for error in validator.iter_errors(plain)), None)
    except ValueError as error:
        return Misfit(f"it cannot be written as JSON ({error})")


def _said(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    value = error.instance
    wanted: Any = getattr(error.kind, "value", None)
    match error.kind.name:
        case "type":
            return f"{value!r} is not of type {_listed(wanted or ())}"
        case "enum":
            return f"{value!r} is not one of {wanted!r}"
        case "format":
            return f"{value!r} is not a {wanted!r}"
        case "pattern":
            return f"{value!r} does not match {wanted!r}"
        case "required":
            return f"{wanted!r} is a required property"
        case "minLength" | "minItems":
            return f"{value!r} is too short"
        case "maxLength" | "maxItems":
            return f"{value!r} is too long"
        case "anyOf" | "oneOf":
            return f"{value!r} is not valid under any of the given schemas"
        case _:
            return error.message


def _listed(types: str | Sequence[str]) -> str:
    return ", ".join(map(repr, [types] if isinstance(types, str) else types))


def _path(parts: Sequence[str | int]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".")


def _is_date_time(text: str) -> bool:
    return _is_read(datetime, text)


def _is_time(text: str) -> bool:
    return _is_read(time, text)


def _is_read(kind: type[datetime] | type[time], text: str) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return True


# RFC 3339 wants a zone, which people who fill in a form do not write.
_FORMATS = {"date-time": _is_date_time, "time": _is_time}
