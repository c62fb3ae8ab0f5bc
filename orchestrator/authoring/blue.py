"""What the code of a workflow needs while it runs; whoever replays it fills it."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar, Generic, NoReturn, Protocol, TypeVar, cast

import msgspec

from orchestrator.core.spec import TaskSpec
from orchestrator.exceptions import UsageError
from orchestrator.names import ParentClose, RunType

_Value = TypeVar("_Value")


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """The run that this code is. ``is_replaying``: what it does now is on record; for messages, never to decide."""

    dag_id: str
    run_id: str
    run_uid: str
    run_type: RunType
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    is_replaying: bool


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow begins with: the run's ``params`` by name; or what `continue_as_new` was given, and no params."""

    params: Mapping[str, Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}


class Definition(Protocol):
    """A workflow, as the machine that replays it sees it. ``file`` is relative to the folder of the code."""

    @property
    def dag_id(self) -> str: ...

    @property
    def file(self) -> str: ...

    @property
    def line(self) -> int: ...

    @property
    def activities(self) -> Mapping[str, TaskSpec]:
        """What its code can call, by activity id."""

    def begin(self, given: Given) -> Any:
        """Run its code, in which ``current_blue()`` is the machine: what it returns, or a coroutine to be driven."""


class Future(Generic[_Value]):
    """Something that will have come. ``result()`` waits for it, as ``await`` does; gives back or raises what came."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._is_done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._cancel: Callable[[], None] | None = None
        self._watchers: dict[Callable[[], None], None] | None = None

    def __repr__(self) -> str:
        return f"<Future: {self.what}, {'done' if self._is_done else 'pending'}>"

    def done(self) -> bool:
        """Whether it has come, with a value or with an error."""
        return self._is_done

    def result(self) -> _Value:
        """What came, once it has; ActivityError or ChildError where that failed."""
        if not self._is_done:
            current_blue().wait_for(self)
        if self._error is not None:
            raise self._error
        return cast(_Value, self._value)

    def exception(self) -> BaseException | None:
        """The error that it ended with, once it has ended; None if it ended well."""
        if not self._is_done:
            current_blue().wait_for(self)
        return self._error

    def cancel(self) -> None:
        """Give it up, if it has not come: an activity is ended, a timer taken off, a child run cancelled."""
        if not self._is_done and self._cancel is not None:
            self._cancel()

    def __await__(self) -> Generator[Any, Any, _Value]:
        """Waits as ``result()`` does: under the same mechanism, so that nothing is ever handed to an event loop."""
        yield from ()  # makes this a generator, as await wants it
        return self.result()

    # ── for whoever makes it come ────────────────────────────────────────────────────────────────────────

    def settle(self, value: Any = None, error: BaseException | None = None) -> None:
        """It has come: whoever watches it is called, in the order in which they began to."""
        self._is_done, self._value, self._error, self._cancel = True, value, error, None
        watchers, self._watchers = self._watchers, None
        for watcher in watchers or ():
            watcher()

    def watched_by(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` once it has come; twice the same one counts once."""
        if self._watchers is None:
            self._watchers = {}
        self._watchers[watcher] = None

    def unwatched_by(self, watcher: Callable[[], None]) -> None:
        """``watcher`` waits for it no more."""
        if self._watchers is not None:
            self._watchers.pop(watcher, None)

    def cancelled_by(self, cancel: Callable[[], None]) -> None:
        """What ``cancel()`` does."""
        self._cancel = cancel


class Blue(Protocol):
    """The machine that replays a workflow, as its code sees it. Everything here is deterministic."""

    @property
    def run(self) -> RunView: ...

    def call(self, activity_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Future[Any]:
        """Start an activity."""

    def timer(self, delay: timedelta) -> Future[None]: ...

    def child(self, dag_id: str, conf: Mapping[str, Any], *, run_id: str | None, close: ParentClose) -> Future[Any]:
        """Start a run of a DAG or of another workflow; its result once it has ended."""

    def signal(self, dag_id: str, run_id: str, name: str, payload: Any) -> Future[None]:
        """Send a signal to another run; comes once that has it."""

    def spawn(self, what: str, function: Callable[[], Any]) -> Future[Any]:
        """Run more of this workflow's code beside the rest, until it ends."""

    def wait_for(self, *futures: Future[Any]) -> None:
        """Go on when at least one of these has come."""

    def wait_until(
        self, condition: Callable[[], bool], timeout: timedelta | None, *, signal: str | None = None
    ) -> bool:
        """Go on when the condition holds, looked at whenever something has come; False if the time ran out.

        ``signal`` is the name of the one that the condition looks for, to be told to people.
        """

    def take_signal(self, name: str) -> tuple[bool, Any]:
        """The oldest signal of that name that nobody has taken: whether there is one, and its payload."""

    def has_signal(self, name: str) -> bool:
        """Whether there is a signal of that name that nobody has taken."""

    def on(self, kind: str, name: str, function: Callable[..., Any], validator: Callable[..., Any] | None) -> None:
        """Answer a "signal", "query" or "update" of that name with ``function``.

        It takes one argument, the payload as ``core.values`` decodes it: of a query and of an update the dict of
        arguments by name. It checks them itself (UsageError), and a coroutine that it returns is to be driven. The
        ``validator`` of an update is called with the same, before the update counts as taken; it refuses by raising.
        """

    def value(self, name: str, make: Callable[[], Any]) -> Any:
        """What ``make`` gave the first time, recorded; it may cause effects, and runs once as far as is known."""

    def patched(self, name: str) -> bool: ...

    def now(self) -> datetime:
        """The moment of the fact that the code takes in, aware UTC."""

    def random(self) -> Random:
        """Numbers that are drawn from the run's own seed."""

    def shielded(self, is_shielded: bool) -> bool:
        """Whether cancellation reaches this strand of the code from now on; what was so before."""

    def continue_as_new(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> NoReturn:
        """End here and begin anew with this input, as values that ``core.values`` can encode."""

    def is_long(self) -> bool:
        """Whether so much has happened since the code began, or began anew, that a loop had better begin anew."""


_blue: ContextVar[Blue | None] = ContextVar("orchestrator_blue", default=None)


@contextmanager
def replaying(blue: Blue) -> Iterator[None]:
    """Everything called inside is the code of a workflow."""
    token = _blue.set(blue)
    try:
        yield
    finally:
        _blue.reset(token)


def replay_from_here(blue: Blue) -> None:
    """All that runs from now on in this context, which nobody else shares, is the code of a workflow.

    Without a block to leave: code that gets nowhere is interrupted at any moment, and there is nothing to clean up.
    """
    _blue.set(blue)


def is_blue() -> bool:
    """Whether a workflow's code runs now."""
    return _blue.get() is not None


def current_blue() -> Blue:
    """The machine that runs the workflow that runs now; UsageError outside of one."""
    blue = _blue.get()
    if blue is None:
        raise UsageError(
            "this works only in the code of a workflow, while it runs; call it inside a @workflow function"
        )
    return blue


class Fenced:
    """Whoever puts a fence around the code of workflows says here how to lift it, where an effect is meant."""

    lifted: ClassVar[Callable[[], AbstractContextManager[object]]] = nullcontext
