"""Ways into a running workflow: what answers a signal, a query or an update.

In a class, ``@workflow.signal``, ``@workflow.query`` and ``@workflow.update`` stand over methods. Inside a workflow
that is a function they stand over functions in it, which may read and change its variables, from there on.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from orchestrator.authoring.blue import current_blue, is_blue
from orchestrator.authoring.hints import Inputs, converted, schemas_of
from orchestrator.authoring.identifiers import checked_id
from orchestrator.authoring.place import Place, author
from orchestrator.core.spec import Entrance
from orchestrator.exceptions import UsageError

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")

_MARK = "__orchestrator_door__"


class Kind(StrEnum):
    """What a way in is for."""

    SIGNAL = "signal"  # tells the code something, and has no answer
    QUERY = "query"  # asks it something, and changes nothing
    UPDATE = "update"  # asks for a change, and is answered


class Door:
    """One way in: a function of the author's, and how a payload becomes its arguments."""

    def __init__(
        self, kind: Kind, name: str | None, function: Callable[..., Any], place: Place, *, is_method: bool
    ) -> None:
        self.kind = kind
        self.function = function
        self.is_method = is_method
        self.validator: Callable[..., Any] | None = None
        self.name = checked_id(f"the name of a {kind}", name or getattr(function, "__name__", name), place)
        self.inputs = Inputs(f"{kind} {self.name!r}", function, place, is_method=is_method)

    @property
    def takes_payload(self) -> bool:
        """Whether it is given the payload as it is: a signal with one parameter."""
        return self.kind is Kind.SIGNAL and len(self.inputs.names) == 1

    def arguments(self, payload: Any) -> dict[str, Any]:
        """What to call the function with; UsageError if the payload does not fit it."""
        if payload is None and not self.inputs.required:
            return {}
        if self.takes_payload:
            (name,) = self.inputs.names
            return {name: converted(f"{self.inputs.what}: parameter {name!r}", payload, self.inputs.hints[name])}
        if not isinstance(payload, Mapping):
            raise UsageError(f"{self.inputs.what} takes its arguments by name, as an object, not {payload!r}")
        return self.inputs.bind(payload)

    def open(self, *instance: Any) -> None:
        """Let the workflow that runs now be reached here; ``instance`` is the one of a class."""
        current_blue().on(
            self.kind,
            self.name,
            lambda payload: self.function(*instance, **self.arguments(payload)),
            None if self.validator is None else functools.partial(self._validate, instance),
        )

    def _validate(self, instance: tuple[Any, ...], payload: Any) -> None:
        assert self.validator is not None
        self.validator(*instance, **self.arguments(payload))

    def entrance(self) -> Entrance:
        """The way in as plain data."""
        return Entrance(name=self.name, schema=self._schema(), doc=inspect.getdoc(self.function))

    def _schema(self) -> dict[str, Any]:
        """Of arguments by name; of a signal, of its payload, which may be left out where nothing is required."""
        if self.kind is not Kind.SIGNAL:
            return self.inputs.schema()
        whole = self._payload_schema() if self.takes_payload else self.inputs.schema()
        if self.inputs.required:
            return whole
        definitions = {"$defs": whole.pop("$defs")} if "$defs" in whole else {}
        return {"anyOf": [whole, {"type": "null"}], **definitions}

    def _payload_schema(self) -> dict[str, Any]:
        schemas, components = schemas_of(self.inputs.what, self.inputs.hints, self.inputs.place)
        (found,) = schemas.values()
        return {**found, "$defs": components} if components else found


def doors_of(kind: type) -> Iterator[Door]:
    """Those that a class has, its bases' included, by the name of the method."""
    for name in sorted(dir(kind)):
        found = getattr(getattr(kind, name, None), _MARK, None)
        if isinstance(found, Door):
            yield found


# ── decorators ───────────────────────────────────────────────────────────────────────────────────────────


class EntranceDecorator(Protocol):
    """``@workflow.signal(name=…)`` or ``@workflow.query(name=…)``."""

    def __call__(self, function: _Function, /) -> _Function: ...


@overload
def signal(function: _Function, /) -> _Function: ...
@overload
def signal(*, name: str) -> EntranceDecorator: ...
def signal(function: Any = None, /, *, name: str | None = None) -> Any:
    """This function hears each signal of its name: its one parameter is the payload, several are the payload's keys."""
    return _decorate(Kind.SIGNAL, function, name)


@overload
def query(function: _Function, /) -> _Function: ...
@overload
def query(*, name: str) -> EntranceDecorator: ...
def query(function: Any = None, /, *, name: str | None = None) -> Any:
    """This function answers queries of its name from what it sees; it changes nothing and calls nothing."""
    return _decorate(Kind.QUERY, function, name)


def _decorate(kind: Kind, function: Any, name: str | None) -> Any:
    if function is None:
        return functools.partial(_mark, kind, name=name)
    return _mark(kind, function, name=name)


def _mark(kind: Kind, function: Any, *, name: str | None) -> Any:
    door = _door(kind, function, name)
    function.__dict__[_MARK] = door
    if is_blue():
        door.open()
    return function


def _door(kind: Kind, function: Any, name: str | None) -> Door:
    place = author()
    if not hasattr(function, "__code__"):
        raise place.refuse(f"@workflow.{kind} stands over a function, not {function!r}")
    is_method = not is_blue()
    if is_method and "." not in function.__qualname__.rpartition("<locals>.")[2]:
        raise place.refuse(
            f"@workflow.{kind} stands over {function.__name__!r}, which is no method of a class and not in a workflow; "
            f"move it into the class or the function that is the workflow"
        )
    return Door(kind, name, function, place, is_method=is_method)


class Update(Generic[_Params, _Result]):
    """What ``@workflow.update`` makes; called like the function that it stands over."""

    def __init__(self, door: Door) -> None:
        self.door = door
        functools.update_wrapper(self, door.function)
        setattr(self, _MARK, door)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self.door.function, instance)

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        return cast(_Result, self.door.function(*args, **kwargs))

    def validator(self, function: Callable[_Params, Any]) -> Callable[_Params, Any]:
        """This function looks at the arguments first; what it raises is the answer, and the update not done."""
        self.door.validator = function
        if is_blue():
            self.door.open()
        return function


class UpdateDecorator(Protocol):
    """``@workflow.update(name=…)``."""

    def __call__(self, function: Callable[_Params, _Result], /) -> Update[_Params, _Result]: ...


@overload
def update(function: Callable[_Params, _Result], /) -> Update[_Params, _Result]: ...
@overload
def update(*, name: str) -> UpdateDecorator: ...
def update(function: Any = None, /, *, name: str | None = None) -> Any:
    """This function carries out updates of its name, and its result is the answer; it may call activities and wait.

    ``@name.validator`` over another one with the same parameters refuses by raising, before anything has changed.
    """
    return functools.partial(_update, name=name) if function is None else _update(function, name=name)


def _update(function: Any, *, name: str | None) -> Update[..., Any]:
    door = _door(Kind.UPDATE, function, name)
    if is_blue():
        door.open()
    return Update(door)


# ── without a decorator ──────────────────────────────────────────────────────────────────────────────────


def set_signal(name: str, function: Callable[..., Any]) -> None:
    """From here on ``function`` hears each signal of that name."""
    _open(Kind.SIGNAL, name, function, None)


def set_query(name: str, function: Callable[..., Any]) -> None:
    """From here on ``function`` answers queries of that name: ``set_query("state", lambda: state)``."""
    _open(Kind.QUERY, name, function, None)


def set_update(name: str, function: Callable[..., Any], *, validator: Callable[..., Any] | None = None) -> None:
    """From here on ``function`` carries out updates of that name, unless ``validator`` refuses them by raising."""
    _open(Kind.UPDATE, name, function, validator)


def _open(kind: Kind, name: str, function: Callable[..., Any], validator: Callable[..., Any] | None) -> None:
    current_blue()
    door = Door(kind, name, function, author(), is_method=False)
    door.validator = validator
    door.open()
