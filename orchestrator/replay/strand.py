"""Strand: one thread of a workflow's code, as a greenlet; sync and async code alike give way by switching."""

import inspect
import traceback
from collections.abc import Callable
from contextvars import copy_context
from types import CodeType, FrameType
from typing import Any

from greenlet import greenlet

from orchestrator.authoring.blue import Future


class Evicted(BaseException):
    """The code ends where it stands, although it is not done; no author's code can go on after it."""


class Strand:
    """Code that runs until it waits. ``run`` is its whole life; it begins with the first ``go``.

    ``thrown`` is raised in it when it goes on. ``must_hear``: a cancellation that has not reached it yet.
    """

    __slots__ = (
        "_greenlet",
        "_wake",
        "future",
        "is_ready",
        "must_hear",
        "refusals",
        "shielded",
        "thrown",
        "waits_for",
        "what",
    )

    def __init__(self, what: str, run: Callable[["Strand"], None], wake: Callable[["Strand"], None]) -> None:
        self.what = what
        self.future: Future[Any] = Future(what)
        self.shielded = False
        self.must_hear: BaseException | None = None
        self.thrown: BaseException | None = None
        self.is_ready = False
        self.refusals = 0
        self.waits_for: tuple[Future[Any], ...] = ()
        self._wake = wake
        self._greenlet = greenlet(lambda: run(self))
        self._greenlet.gr_context = copy_context()

    @property
    def is_dead(self) -> bool:
        return self._greenlet.dead

    @property
    def has_begun(self) -> bool:
        return bool(self._greenlet) or self._greenlet.dead

    @property
    def frame(self) -> FrameType | None:
        """Where it stands, while it waits."""
        return self._greenlet.gr_frame

    def go(self, hub: greenlet) -> None:
        """Let it run until it waits or ends."""
        if self._greenlet.parent is not hub:
            self._greenlet.parent = hub
        self._greenlet.switch()

    def wake(self) -> None:
        """Something that it waits for has come."""
        self._wake(self)

    def watch(self, futures: tuple[Future[Any], ...]) -> None:
        self.waits_for = futures
        for future in futures:
            future.watched_by(self.wake)

    def unwatch(self) -> None:
        for future in self.waits_for:
            future.unwatched_by(self.wake)
        self.waits_for = ()


def drive(result: Any, foreign: Callable[[str, str | None], BaseException], name: Callable[[str], str | None]) -> Any:
    """What a function gave, or what its coroutine comes to. Where that hands anything to an event loop, what
    ``foreign`` makes of it is raised: it is told what was awaited, and the author's line; ``name`` knows their files.
    """
    if not inspect.iscoroutine(result):
        return result
    try:
        handed = result.send(None)
    except StopIteration as stop:
        return stop.value
    error = foreign(*_awaited(result, handed, name))
    try:
        result.throw(error)
    except BaseException:  # whatever it makes of that: it is over
        raise error from None
    result.close()
    raise error


def _awaited(coroutine: Any, handed: object, name: Callable[[str], str | None]) -> tuple[str, str | None]:
    """What the innermost line of the author's awaits, and that line."""
    what, where, current = _spelt(handed), None, coroutine
    while inspect.iscoroutine(current):
        code, line = current.cr_code, current.cr_frame.f_lineno if current.cr_frame else 0
        file = name(code.co_filename)
        if file is None:
            return (_function(code, current.cr_frame) if where else what), where
        where = f"{file}:{line}"
        current = current.cr_await
    return (what if current is None else _spelt(current)), where


def _spelt(thing: object) -> str:
    return f"a {type(thing).__module__}.{type(thing).__qualname__}"


def _function(code: CodeType, frame: FrameType | None) -> str:
    module = frame.f_globals.get("__name__", "") if frame else ""
    return f"{module.removesuffix('.tasks')}.{code.co_qualname}".lstrip(".")


def raised_by_asyncio(error: BaseException) -> str | None:
    """What of asyncio's found that there is no event loop or task to work with, and said so by this error."""
    last = None
    for last, _ in traceback.walk_tb(error.__traceback__):  # noqa: B007 - the innermost
        pass
    if last is None or not last.f_globals.get("__name__", "").startswith("asyncio."):
        return None
    return f"asyncio.{last.f_code.co_qualname.partition('.')[0]}"


def awaited_on_stack(frame: FrameType | None, name: Callable[[str], str | None]) -> tuple[str, str | None]:
    """The same, asked from inside of what was awaited."""
    called = None
    while frame is not None:
        file = name(frame.f_code.co_filename)
        if file is not None:
            what = _function(called.f_code, called) if called else "an event loop"
            return what, f"{file}:{frame.f_lineno}"
        called, frame = frame, frame.f_back
    return "an event loop", None
