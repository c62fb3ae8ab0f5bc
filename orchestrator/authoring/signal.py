"""Signal: something that a run is told from outside, typed, and kept until its code takes it."""

from datetime import timedelta
from typing import Any, Generic, TypeVar, cast, overload

from orchestrator.authoring.blue import current_blue
from orchestrator.authoring.checks import checked, duration, optional
from orchestrator.authoring.hints import converted, schemas_of
from orchestrator.authoring.identifiers import checked_id
from orchestrator.authoring.inventory import note
from orchestrator.authoring.place import author
from orchestrator.core.spec import Entrance

_Payload = TypeVar("_Payload")
_Other = TypeVar("_Other")


class Signal(Generic[_Payload]):
    """A signal that the workflows of this file take: ``approved = Signal("approved", bool)``, beside them.

    Each one sent is taken once, oldest first; those that come before the code asks are kept. Without a type, the
    payload may be anything.
    """

    @overload
    def __init__(self: "Signal[Any]", name: str, *, doc: str | None = ...) -> None: ...
    @overload
    def __init__(self, name: str, type_: type[_Payload], *, doc: str | None = ...) -> None: ...
    @overload
    def __init__(self: "Signal[Any]", name: str, type_: object, *, doc: str | None = ...) -> None: ...
    def __init__(self, name: str, type_: Any = Any, *, doc: str | None = None) -> None:
        self.place = author()
        self.name = checked_id("the name of a signal", name, self.place)
        self.type = type_
        self.doc = doc
        note(self)

    def __repr__(self) -> str:
        return f"signal {self.name!r}"

    @property
    def received(self) -> bool:
        """Whether there is one that nobody has taken."""
        return current_blue().has_signal(self.name)

    @overload
    def take(self) -> _Payload | None: ...
    @overload
    def take(self, default: _Other) -> _Payload | _Other: ...
    def take(self, default: Any = None) -> Any:
        """The payload of the oldest that nobody has taken, without waiting; ``default`` if there is none."""
        found, payload = current_blue().take_signal(self.name)
        return self._typed(payload) if found else default

    def wait(self, timeout: timedelta | float | None = None) -> _Payload:
        """The payload of the next one, once it is there; TimeoutError if it has not come by then."""
        limit = checked(author(), repr(self), "timeout", timeout, optional(duration(zero=True)))
        blue = current_blue()
        name = self.name
        if not blue.has_signal(name) and not blue.wait_until(lambda: blue.has_signal(name), limit, signal=name):
            raise TimeoutError(f"{self!r} has not come within {limit}")
        return self._typed(blue.take_signal(name)[1])

    def _typed(self, payload: Any) -> _Payload:
        return cast(_Payload, converted(f"{self!r}, as it was sent", payload, self.type))

    def entrance(self) -> Entrance:
        """The signal as plain data; DagError if its type is none that JSON can hold."""
        schemas, components = schemas_of(repr(self), {"its payload": self.type}, self.place)
        found = schemas["its payload"]
        return Entrance(name=self.name, schema={**found, "$defs": components} if components else found, doc=self.doc)
