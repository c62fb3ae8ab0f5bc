"""Parcels: what goes to a function in another Python, and what comes back from it.

The one place where a pickle is opened: in the worker that has started the other process, and nowhere else.
"""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timezone
from importlib import import_module
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from orchestrator.authoring.mapped_sequences import View
from orchestrator.authoring.place import Place
from orchestrator.exceptions import UsageError

Serializer: TypeAlias = Literal["pickle", "cloudpickle", "dill", "json"]
SERIALIZERS = ("pickle", "cloudpickle", "dill", "json")

_PROTOCOL = 4  # the newest that every Python which can run a body reads


def checked_serializer(place: Place, what: str, serializer: Any) -> Serializer:
    """What was asked for, "pickle" where nothing was; DagError if it is unknown or not installed here."""
    name: Serializer = "pickle" if serializer is None else serializer
    if name not in SERIALIZERS:
        raise place.refuse(f"{what}: serializer must be one of {', '.join(SERIALIZERS)}, not {serializer!r}")
    if importlib.util.find_spec(name) is None:
        raise place.refuse(
            f"{what}: serializer={name!r} is not installed here, and both sides need it; pip install {name}"
        )
    return name


def packed(serializer: Serializer, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], context: Any) -> bytes:
    """The arguments; UsageError names the one that cannot be passed."""
    whole = {"args": plain(args), "kwargs": plain(kwargs), "context": plain(context)}
    try:
        return _dumps(serializer, whole)
    except Exception as error:
        for name, value in [*enumerate(whole["args"]), *whole["kwargs"].items(), *whole["context"].items()]:
            _require(serializer, task_id, name, value)
        raise UsageError(f"task {task_id!r}: its arguments cannot be passed by {serializer}: {error}") from None


def unpacked(serializer: Serializer, task_id: str, data: bytes) -> Any:
    """The result; UsageError if it cannot be read here."""
    try:
        return json.loads(data) if serializer == "json" else import_module(serializer).loads(data)
    except Exception as error:
        raise UsageError(
            f"task {task_id!r}: its result cannot be read outside of its environment: {type(error).__name__}: {error}; "
            f"return what Python has by itself, such as lists, dicts, texts and numbers"
        ) from None


def plain(value: Any) -> Any:
    """``value`` without what only this program, or pendulum, could read: lists and datetimes of Python's own."""
    if isinstance(value, View):
        return [plain(item) for item in value]
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(plain(item) for item in value)
    if isinstance(value, datetime) and type(value).__module__.partition(".")[0] == "pendulum":
        return _datetime(value)
    return value


def _datetime(moment: datetime) -> datetime:
    key, offset = getattr(moment.tzinfo, "key", None), moment.utcoffset()
    zone = None if offset is None else UTC if key == "UTC" else ZoneInfo(key) if key else timezone(offset)
    return datetime.combine(moment.date(), moment.time(), zone).replace(fold=moment.fold)


def _dumps(serializer: Serializer, value: Any) -> bytes:
    if serializer == "json":
        return json.dumps(value, default=_as_text).encode()
    data: bytes = import_module(serializer).dumps(value, protocol=_PROTOCOL)
    return data


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is no JSON")


def _require(serializer: Serializer, task_id: str, name: int | str, value: Any) -> None:
    try:
        _dumps(serializer, value)
    except Exception as error:
        raise UsageError(
            f"task {task_id!r}: its argument {name!r}, a {type(value).__name__}, cannot be passed to another Python by "
            f"{serializer}: {error}; pass the plain values that the function needs"
        ) from None
