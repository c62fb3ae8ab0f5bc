"""Guards: what stands in for functions that raise no audit event, and looks who calls."""

import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from orchestrator.dagbag.quarantine.effects import Kind
from orchestrator.dagbag.quarantine.fence import standing
from orchestrator.dagbag.quarantine.free import is_free


class Watched(NamedTuple):
    """A function that has an effect. ``describe`` is given its arguments; None: this call does no harm.

    ``path`` says, from the same arguments, which file it writes; to one that may be written it does none either.
    ``is_direct``: what counts is that the author's own code calls it; what a library does is not the author's.
    """

    kind: Kind
    describe: Callable[..., str | None]
    instead: str = ""
    is_direct: bool = False
    path: Callable[..., object] | None = None


def look(watched: Watched, frame: FrameType, /, *arguments: Any, **named: Any) -> None:
    """QuarantineError if the call that ``frame`` makes, with these arguments, is refused."""
    fence = standing(watched.kind)
    if fence is None:
        return

    def describe() -> str | None:
        if watched.path is not None and is_free(watched.path(*arguments, **named), roots=fence.roots):
            return None
        return watched.describe(*arguments, **named)

    fence.meet(watched.kind, frame, describe, instead=watched.instead, is_direct=watched.is_direct)


class Guard:
    """Stands in for a function; like one of C's it is no method where a class keeps it."""

    def __init__(self, function: Callable[..., Any], watched: Watched) -> None:
        self.__wrapped__ = function
        self.__name__ = self.__qualname__ = function.__name__
        self.__module__ = function.__module__
        self.__doc__ = function.__doc__
        self._watched = watched

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if standing(self._watched.kind) is not None:  # clocks are asked often
            look(self._watched, sys._getframe(1), *arguments, **named)  # noqa: SLF001 - inspect.stack() costs milliseconds
        return self.__wrapped__(*arguments, **named)

    def __reduce__(self) -> str:
        return self.__name__

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def guard(module: ModuleType, name: str, watched: Watched) -> None:
    """Put a guard before a module's function, or a class that is made to be called; nothing if there is none."""
    found = getattr(module, name, None)
    if isinstance(found, type):
        setattr(module, name, _guarded_class(found, watched))
    elif callable(found) and not isinstance(found, Guard):
        setattr(module, name, Guard(found, watched))


def guard_method(cls: type, name: str, watched: Watched) -> None:
    """Put a guard before a class method or a method of a class that is written in Python."""
    found = vars(cls).get(name)
    function = found.__func__ if isinstance(found, classmethod) else found
    if not callable(function):
        return

    def call(of: Any, *arguments: Any, **named: Any) -> Any:
        look(watched, sys._getframe(1), *arguments, **named)  # noqa: SLF001 - as above
        return function(of, *arguments, **named)

    call.__name__, call.__qualname__, call.__doc__ = function.__name__, function.__qualname__, function.__doc__
    setattr(cls, name, classmethod(call) if isinstance(found, classmethod) else call)


def _guarded_class(cls: type, watched: Watched) -> type:
    """The class, derived from once more, so that who derives from it or asks for it goes on as before."""

    original: Callable[..., None] = getattr(cls, "__init__")  # noqa: B009 - mypy rightly doubts it

    def begin(self: Any, *arguments: Any, **named: Any) -> None:
        look(watched, sys._getframe(1), *arguments, **named)  # noqa: SLF001 - as above
        original(self, *arguments, **named)

    return type(cls.__name__, (cls,), {"__init__": begin, "__module__": cls.__module__, "__doc__": cls.__doc__})
