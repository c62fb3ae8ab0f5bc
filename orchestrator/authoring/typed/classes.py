"""Instances of an author's own classes: enums, dataclasses, named tuples and pydantic models, field by field.

No constructor is called to restore one: it is as it was, whatever its ``__init__`` or ``__post_init__`` would do.
"""

import dataclasses
import sys
from collections.abc import Mapping
from enum import Enum, Flag
from typing import Any, Protocol

from orchestrator.core.typed import Plain, UnrecordableError
from orchestrator.core.values import TAG
from orchestrator.exceptions import ValueDecodingError


class Classes(Protocol):
    """Which classes may be restored, and where they are."""

    def name_of(self, kind: type) -> str:
        """Under which name ``find`` finds it; UnrecordableError if it does not."""

    def find(self, name: str) -> Any:
        """ValueDecodingError if it is not there, or may not be restored."""


def instance_to_plain(value: Any, classes: Classes, plain: Plain) -> dict[str, object] | None:
    """The tagged JSON of an instance; None if its class is none of these kinds."""
    kind = type(value)
    if isinstance(value, Enum):
        return {TAG: "enum", "class": classes.name_of(kind), **_member(value, plain)}
    if dataclasses.is_dataclass(kind):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _tagged("dataclass", classes.name_of(kind), _fields_to_plain(fields, plain))
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        fields = dict(zip(kind._fields, value, strict=True))
        return _tagged("namedtuple", classes.name_of(kind), _fields_to_plain(fields, plain))
    if _is_model(kind):
        fields = {name: getattr(value, name) for name in kind.model_fields}
        extra = _fields_to_plain(value.model_extra or {}, plain)
        found = _tagged("model", classes.name_of(kind), _fields_to_plain(fields, plain))
        return {**found, "set": sorted(value.model_fields_set), **({"extra": extra} if extra else {})}
    if _is_serializable(kind):
        said = plain(value.serialize(), ".serialize()")
        return {TAG: "serialized", "class": classes.name_of(kind), "version": _version(kind), "value": said}
    return None


def restored(tag: str, fields: Mapping[str, Any], classes: Classes) -> Any:
    """The instance that was recorded so; ValueDecodingError if its class has become another."""
    name = str(fields["class"])
    kind = classes.find(name)
    if not isinstance(kind, type) or not _KINDS[tag](kind):
        raise ValueDecodingError(
            f"a recorded value is of the class {name}, which is no {tag} in this version of the code"
        )
    if tag == "enum":
        return _member_of(kind, name, fields)
    if tag == "serialized":
        return _deserialized(kind, name, fields)
    given = dict(fields["value"])
    known = _known(tag, kind)
    for field in given.keys() - known.keys():
        raise ValueDecodingError(
            f"a recorded {name} has a field {field!r}, which it has not in this version of the code"
        )
    for field, default in known.items():
        if field not in given:
            given[field] = _default(name, field, default)
    if tag == "namedtuple":
        return kind(**given)
    if tag == "model":
        return _model(kind, given, fields)
    made: Any = object.__new__(kind)
    for field, value in given.items():
        object.__setattr__(made, field, value)
    return made


# ── enums ────────────────────────────────────────────────────────────────────────────────────────────────


def _member(value: Any, plain: Plain) -> dict[str, object]:
    if isinstance(value, Flag):
        return {"value": plain(value.value, ".value")}
    return {"name": value.name}


def _member_of(kind: Any, name: str, fields: Mapping[str, Any]) -> Any:
    try:
        return kind(fields["value"]) if issubclass(kind, Flag) else kind[fields["name"]]
    except (KeyError, ValueError):
        member = fields.get("name", fields.get("value"))
        raise ValueDecodingError(
            f"a recorded {name} is {member!r}, which it has not in this version of the code"
        ) from None


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────

_MISSING = object()


def _is_model(kind: type) -> bool:
    """A model exists only where pydantic has been loaded."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(kind, pydantic.BaseModel)


def _is_serializable(kind: Any) -> bool:
    """As in Airflow: what its ``serialize()`` gives, its ``deserialize(data, version)`` takes."""
    return callable(getattr(kind, "serialize", None)) and callable(getattr(kind, "deserialize", None))


def _version(kind: Any) -> int:
    return int(getattr(kind, "__version__", 1))


def _deserialized(kind: Any, name: str, fields: Mapping[str, Any]) -> Any:
    version = int(fields["version"])
    if version > _version(kind):
        raise ValueDecodingError(
            f"a recorded {name} is of version {version}, and this version of the code has its version {_version(kind)}"
        )
    return kind.deserialize(fields["value"], version)


_KINDS: Mapping[str, Any] = {
    "enum": lambda kind: issubclass(kind, Enum),
    "dataclass": dataclasses.is_dataclass,
    "namedtuple": lambda kind: issubclass(kind, tuple) and hasattr(kind, "_fields"),
    "model": _is_model,
    "serialized": _is_serializable,
}


def _tagged(tag: str, name: str, value: dict[str, object]) -> dict[str, object]:
    return {TAG: tag, "class": name, "value": value}


def _fields_to_plain(fields: Mapping[str, Any], plain: Plain) -> dict[str, object]:
    found = {name: plain(value, f".{name}") for name, value in fields.items()}
    if TAG in found:
        raise UnrecordableError(f"it has a field {TAG}, which tells types apart in what is recorded; rename the field")
    return found


def _known(tag: str, kind: Any) -> dict[str, Any]:
    """The fields of today's class, each with a function that gives its default, or without."""
    if tag == "namedtuple":
        return {name: _constant(kind._field_defaults, name) for name in kind._fields}
    if tag == "model":
        return {
            name: _MISSING if field.is_required() else lambda field=field: field.get_default(call_default_factory=True)
            for name, field in kind.model_fields.items()
        }
    return {field.name: _default_of(field) for field in dataclasses.fields(kind)}


def _constant(defaults: Mapping[str, Any], name: str) -> Any:
    return (lambda: defaults[name]) if name in defaults else _MISSING


def _default_of(field: Any) -> Any:
    if field.default is not dataclasses.MISSING:
        return lambda: field.default
    return _MISSING if field.default_factory is dataclasses.MISSING else field.default_factory


def _default(name: str, field: str, default: Any) -> Any:
    if default is _MISSING:
        raise ValueDecodingError(
            f"a recorded {name} has no field {field!r}, which it needs in this version of the code; give it a default"
        )
    return default()


def _model(kind: Any, given: dict[str, Any], fields: Mapping[str, Any]) -> Any:
    made = kind.model_construct(_fields_set=set(fields.get("set", ())))
    made.__dict__.clear()
    made.__dict__.update(given)
    if fields.get("extra"):
        object.__setattr__(made, "__pydantic_extra__", dict(fields["extra"]))
    return made
