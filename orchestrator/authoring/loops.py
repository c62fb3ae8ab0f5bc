"""Beginning anew: continue_as_new, and loops over a state whose history stays short by itself."""

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Literal, NoReturn, TypeAlias

import msgspec

from orchestrator.authoring.blue import current_blue
from orchestrator.authoring.hints import converted, plain
from orchestrator.authoring.place import Place
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean

_Schema: TypeAlias = dict[str, Any]


class Again(Enum):
    """The answer of a turn that is not the last one."""

    AGAIN = "again"


AGAIN: Final[Literal[Again.AGAIN]] = Again.AGAIN


def continue_as_new(*args: Any, **kwargs: Any) -> NoReturn:
    """Begin this workflow anew with these arguments, in the same run: its history so far is not replayed any more.

    Calls, timers and child runs that are open are given up; signals that nobody has taken stay.
    """
    current_blue().continue_as_new(tuple(map(plain, args)), {name: plain(value) for name, value in kwargs.items()})


class State:
    """The state of a loop: an object whose fields are the run's params, and what is recorded to begin anew."""

    def __init__(self, what: str, kind: Any, place: Place) -> None:
        self.what = what
        self.kind = kind
        self.place = place

    def schema(self) -> _Schema:
        """The JSON Schema of the state; DagError if it is no object."""
        try:
            found = msgspec.json.schema(self.kind)
        except (TypeError, ValueError) as error:
            raise self.place.refuse(f"{self.what}: state cannot be {self.kind!r}: {error}") from None
        definitions: dict[str, _Schema] = found.pop("$defs", {})
        if "$ref" in found:
            found = definitions.pop(found["$ref"].rpartition("/")[2])
        if found.get("type") != "object":
            raise self.place.refuse(
                f"{self.what}: state must be a dataclass, a TypedDict, a msgspec.Struct or dict, not {self.kind!r}"
            )
        if "properties" in found:
            found["additionalProperties"] = False
        return {**found, "$defs": definitions} if definitions else found

    def defaults(self) -> dict[str, Any]:
        """The defaults of its fields, as JSON values."""
        properties: dict[str, _Schema] = self.schema().get("properties", {})
        return {name: field["default"] for name, field in properties.items() if "default" in field}

    def bind(self, given: Mapping[str, Any]) -> Any:
        """A state with these fields; UsageError about the first that does not fit."""
        known = self.schema().get("properties", given)
        for name in given:
            if name not in known:
                raise UsageError(f"{self.what} ({self.place}): its state has no {name!r}{did_you_mean(name, known)}")
        return converted(f"{self.what} ({self.place}), its state", dict(given), self.kind)


def run_turns(turn: Callable[[Any], Any], state: Any) -> Any:
    """What the last turn returns; a coroutine to be driven where ``turn`` is an ``async def``."""
    if inspect.iscoroutinefunction(turn):
        return _run_async_turns(turn, state)
    while (answer := turn(state)) is AGAIN:
        _cut(state)
    return answer


async def _run_async_turns(turn: Callable[[Any], Any], state: Any) -> Any:
    while (answer := await turn(state)) is AGAIN:
        _cut(state)
    return answer


def _cut(state: Any) -> None:
    """Between two turns: leave the history behind, where it has become long."""
    blue = current_blue()
    if blue.is_long():
        blue.continue_as_new((), plain(state))
