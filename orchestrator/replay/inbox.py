"""Inbox: what a run is told and asked from outside: signals, kept until they are taken, updates and queries."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean


class Answering(NamedTuple):
    """What the code answers one name with."""

    function: Callable[..., Any]
    validator: Callable[..., Any] | None


class Inbox:
    """``start`` begins a strand that hands a payload to the function of a signal."""

    def __init__(self, start: Callable[[str, Callable[..., Any], Any], None]) -> None:
        self._start = start
        self._open: dict[tuple[str, str], Answering] = {}
        self._signals: dict[str, deque[Any]] = {}

    def open(self, kind: str, name: str, function: Callable[..., Any], validator: Callable[..., Any] | None) -> None:
        """From now on ``function`` answers this; it is handed the signals that are there already."""
        self._open[str(kind), name] = Answering(function, validator)
        if kind == "signal":
            for payload in self._signals.pop(name, ()):
                self._start(name, function, payload)

    def receive(self, name: str, payload: Any) -> None:
        """A signal: to its function, or kept until it is taken."""
        answering = self._open.get(("signal", name))
        if answering is None:
            self._signals.setdefault(name, deque()).append(payload)
        else:
            self._start(name, answering.function, payload)

    def has(self, name: str) -> bool:
        """Whether a signal waits to be taken."""
        return bool(self._signals.get(name))

    def take(self, name: str) -> tuple[bool, Any]:
        """The oldest signal of a name."""
        kept = self._signals.get(name)
        return (True, kept.popleft()) if kept else (False, None)

    def untaken(self) -> Iterator[tuple[str, Any]]:
        """All that wait to be taken, by name."""
        return ((name, payload) for name, kept in self._signals.items() for payload in kept)

    def answering(self, kind: str, name: str) -> Answering:
        """What answers a query or an update; NotFoundError names those that there are."""
        found = self._open.get((kind, name))
        if found is None:
            known = [other for of_kind, other in self._open if of_kind == kind]
            listed = f"it has {', '.join(sorted(known))}" if known else f"it takes no {kind} at this point"
            raise NotFoundError(f"the workflow has no {kind} {name!r}{did_you_mean(name, known)}; {listed}")
        return found
