"""Type hints of an author's function: what they say of its parameters, as a JSON Schema and as a check of values."""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, get_type_hints

import msgspec

from orchestrator.authoring.place import Place
from orchestrator.exceptions import DagError, UsageError
from orchestrator.nearest import did_you_mean

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_Schema = dict[str, Any]


class Inputs:
    """What a function takes by name. A parameter without a hint takes anything.

    Hints are looked at when they are needed first, so that they may speak of what stands further down in the file.
    ``what`` names the function in errors.
    """

    def __init__(self, what: str, function: Callable[..., Any], place: Place, *, is_method: bool = False) -> None:
        self.what = what
        self.place = place
        self._function = function
        self.signature = _signature(function, is_method=is_method)
        for parameter in self.signature.parameters.values():
            if parameter.kind not in _BY_NAME:
                raise place.refuse(f"{what} takes {parameter}, but its input is given by name; name each parameter")

    @property
    def names(self) -> list[str]:
        return list(self.signature.parameters)

    @property
    def required(self) -> list[str]:
        return [name for name, one in self.signature.parameters.items() if one.default is one.empty]

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The type of each parameter; DagError if a hint names what cannot be found."""
        function = inspect.unwrap(self._function)
        written = {name: hint for name, hint in function.__annotations__.items() if name in self.signature.parameters}
        try:
            found = get_type_hints(SimpleNamespace(__annotations__=written), function.__globals__, include_extras=True)
        except Exception as error:
            raise self.place.refuse(f"the hints of {self.what} cannot be read: {error}") from None
        return {name: found.get(name, Any) for name in self.signature.parameters}

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The default of each parameter that has one, as JSON values; DagError if one cannot be that."""
        found = {}
        for name, parameter in self.signature.parameters.items():
            if parameter.default is not parameter.empty:
                found[name] = self._json(name, parameter.default)
        return found

    def _json(self, name: str, value: object) -> Any:
        try:
            return msgspec.json.decode(msgspec.json.encode(value))
        except (TypeError, ValueError, OverflowError) as error:
            raise self.place.refuse(f"{self.what}: the default of {name!r} must be a JSON value: {error}") from None

    def schema(self) -> _Schema:
        """The JSON Schema of an object of its arguments by name; DagError if a hint says nothing that JSON can hold."""
        schemas, components = schemas_of(f"{self.what}, hints", self.hints, self.place)
        for name, default in self.defaults.items():
            schema = {"anyOf": [schemas[name], {"type": "null"}]} if default is None else schemas[name]
            schemas[name] = {**schema, "default": default}
        found = {"type": "object", "properties": schemas, "required": self.required, "additionalProperties": False}
        return {**found, "$defs": components} if components else found

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, as the hints want them, from values; UsageError about the first that does not fit.

        One that equals a default's JSON is left to the default, of which the caller has a copy.
        """
        for name in given:
            if name not in self.signature.parameters:
                raise UsageError(f"{self._whole} has no parameter {name!r}{did_you_mean(name, self.names)}")
        for name in self.required:
            if name not in given:
                raise UsageError(f"{self._whole} needs {name!r}, which is missing")
        return {name: self._bound(name, given) for name in self.names}

    def _bound(self, name: str, given: Mapping[str, Any]) -> Any:
        if name in self.defaults and (name not in given or _same(given[name], self.defaults[name])):
            return copy.deepcopy(self.signature.parameters[name].default)
        return converted(f"{self._whole}: parameter {name!r}", given[name], self.hints[name])

    @property
    def _whole(self) -> str:
        return f"{self.what} ({self.place})"

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call, by name; UsageError if the function cannot be called so."""
        try:
            found = dict(self.signature.bind_partial(*args, **kwargs).arguments)
        except TypeError as error:
            raise UsageError(f"{self._whole} cannot be called so: {error}") from None
        for name in self.required:
            if name not in found:
                raise UsageError(f"{self._whole} cannot be called so: missing a required argument: {name!r}")
        return found


def _signature(function: Callable[..., Any], *, is_method: bool) -> inspect.Signature:
    found = inspect.signature(function)
    return found.replace(parameters=list(found.parameters.values())[1:]) if is_method else found


def _same(value: object, default: object) -> bool:
    try:
        return msgspec.json.encode(value, order="sorted") == msgspec.json.encode(default, order="sorted")
    except (TypeError, ValueError, OverflowError):
        return False


def schemas_of(what: str, hints: Mapping[str, Any], place: Place) -> tuple[dict[str, _Schema], dict[str, _Schema]]:
    """The JSON Schema of each type by name, and the definitions that these refer to; DagError names the culprit."""
    try:
        found, components = msgspec.json.schema_components(list(hints.values()), ref_template="#/$defs/{name}")
    except (TypeError, ValueError) as error:
        raise _culprit(what, hints, place, error) from None
    return dict(zip(hints, found, strict=True)), components


def _culprit(what: str, hints: Mapping[str, Any], place: Place, error: Exception) -> DagError:
    for name, hint in hints.items():
        try:
            msgspec.json.schema(hint)
        except (TypeError, ValueError):
            shown = hint.__name__ if isinstance(hint, type) else hint
            return place.refuse(
                f"{what}: {name!r} is {shown}, which no JSON can give; hint JSON's types, dataclasses or TypedDicts"
            )
    return place.refuse(f"{what}: {error}")


def converted(what: str, value: object, hint: Any) -> Any:
    """``value`` as ``hint`` wants it; UsageError says what is wrong with it."""
    if hint is Any:
        return value
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        words = str(error)
        raise UsageError(f"{what}: {words[:1].lower()}{words[1:]}") from None


def plain(value: Any) -> Any:
    """``value`` with the structs and dataclasses in it as dicts, to be recorded, and bound to hints again."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if type(value) is list:
        return [plain(item) for item in value]
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    return value
