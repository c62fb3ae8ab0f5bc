"""Given: values of a request's body, as they are recorded."""

import math
from typing import Any

import msgspec

from orchestrator.exceptions import UsageError


def raw(what: str, value: Any) -> msgspec.Raw:
    """A value as JSON; UsageError where it is none that can be recorded, such as half a character."""
    try:
        _require_finite(value)
        return msgspec.Raw(msgspec.json.encode(value))
    except RecursionError:
        raise UsageError(f"{what} is nested too deeply to be recorded; make it flatter") from None
    except UnicodeEncodeError:
        raise UsageError(f"{what} holds half a character (a lone \\ud800 to \\udfff), which is no text") from None
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise UsageError(f"{what} cannot be recorded: {error}") from None


def _require_finite(value: Any) -> None:
    match value:
        case float() if not math.isfinite(value):
            raise ValueError(f"{value} is no number of JSON")
        case int() if not -(2**63) <= value < 2**64:
            raise ValueError("it holds a number of more than 64 bits")
        case dict():
            for each in value.values():
                _require_finite(each)
        case list():
            for each in value:
                _require_finite(each)
        case _:
            pass
