"""Vigil: runs triggers as coroutines of one event loop, each until it has its event."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from orchestrator.authoring.trigger import BaseTaskEndEvent, BaseTrigger, TriggerEvent
from orchestrator.core import values
from orchestrator.core.orders import Completed, Failed, Fired, Skipped
from orchestrator.core.particulars import NULL, Failure, XCom
from orchestrator.core.waits import Came, Ticket, Wait
from orchestrator.exceptions import UsageError
from orchestrator.names import FailureKind, TaskState
from orchestrator.worker.failure import failure_of
from orchestrator.worker.triggers.classes import trigger_class
from orchestrator.worker.triggers.journal import Journal

RETURN_VALUE = "return_value"
MAX_EVENT = 1024 * 1024  # bytes of JSON; it stands in the history

logger = logging.getLogger("orchestrator")


class WaitingTask(NamedTuple):
    """For whom a trigger waits."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int


class Vigil:
    """``tell`` hears of each end, once. All of it is called in the thread of the event ``loop``.

    ``prepare`` is called before a class is looked up for a wait: it sees that the code of the wait can be imported.
    ``let_through`` are exceptions that end the loop.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        journal: Journal,
        prepare: Callable[[Wait], object],
        tell: Callable[[Fired], None],
        let_through: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._loop = loop
        self._journal = journal
        self._prepare = prepare
        self._tell = tell
        self._let_through = let_through
        self._tasks: dict[Ticket, asyncio.Task[None]] = {}
        self._waits: dict[asyncio.Task[None], Wait] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, waits: Iterable[Wait]) -> None:
        """Run these, but for what runs already."""
        for wait in waits:
            if wait.ticket not in self._tasks:
                task = self._loop.create_task(self._keep(wait))
                self._tasks[wait.ticket] = task
                self._waits[task] = wait

    def end(self, tickets: Iterable[Ticket]) -> None:
        """Cancel these; they clean up, and nothing is told of them."""
        for ticket in tickets:
            task = self._tasks.pop(ticket, None)
            if task is not None:
                task.cancel()

    async def end_all(self) -> None:
        """Cancel all, and wait until they have cleaned up."""
        tasks = list(self._waits)
        self.end(list(self._tasks))
        await asyncio.gather(*tasks, return_exceptions=True)

    def wait_of(self, task: "asyncio.Task[object] | None") -> Wait | None:
        """For whom that task of the loop runs; None where it is no trigger's own. From any thread."""
        return self._waits.get(task) if task is not None else None  # type: ignore[arg-type]

    # ── one trigger ──────────────────────────────────────────────────────────────────────────────────────

    async def _keep(self, wait: Wait) -> None:
        with self._journal.of(wait.log):
            try:
                report = await self._outcome(wait)
            finally:
                task = asyncio.current_task()
                is_wanted = self._tasks.get(wait.ticket) is task
                if is_wanted:
                    del self._tasks[wait.ticket]
                if task is not None:
                    del self._waits[task]
            if is_wanted:
                self._tell(report)

    async def _outcome(self, wait: Wait) -> Fired:
        """What it came to."""
        try:
            trigger = self._made(wait)
            try:
                event = await first_event(trigger)
            finally:
                await _clean_up(trigger)
            return _fired(wait, event)
        except asyncio.CancelledError:
            if self._tasks.get(wait.ticket) is not asyncio.current_task():
                raise
            failure = Failure(message="the trigger has cancelled itself")
        except self._let_through:
            raise
        except BaseException as error:
            failure = failure_of(error, wait.code)
            for line in (*failure.frames, f"the trigger has failed: {failure.message}"):
                logger.error("%s", line)
        return _said(wait, Came(failure=failure))

    def _made(self, wait: Wait) -> BaseTrigger:
        self._prepare(wait)
        trigger = trigger_class(wait.trigger.classpath)(**values.decode(wait.trigger.kwargs))
        key = wait.key
        trigger.task_instance = WaitingTask(wait.dag_id, wait.run_id, key.task_id, key.map_index, key.attempt)
        trigger.trigger_id = wait.seq
        return trigger


async def first_event(trigger: BaseTrigger) -> TriggerEvent:
    """What it waits for; UsageError where it ends without having told anything, or tells what is no event."""
    kind = type(trigger).__name__
    events: Any = trigger.run()
    if inspect.isawaitable(events):
        if inspect.iscoroutine(events):
            events.close()
        raise UsageError(f"run() of {kind} does not yield; make it an `async def` with a `yield TriggerEvent(…)` in it")
    try:
        async for event in events:
            if isinstance(event, TriggerEvent):
                return event
            raise UsageError(f"run() of {kind} must yield a TriggerEvent, not {event!r}")
    finally:
        await _close(events)
    raise UsageError(f"run() of {kind} ended without an event; have it yield a TriggerEvent")


async def _close(events: AsyncIterator[TriggerEvent]) -> None:
    close = getattr(events, "aclose", None)
    if close is not None:
        await close()


async def _clean_up(trigger: BaseTrigger) -> None:
    try:
        await trigger.cleanup()
    except Exception:
        logger.exception("cleanup() of the trigger %s failed", type(trigger).__name__)


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────


def _fired(wait: Wait, event: TriggerEvent) -> Fired:
    if isinstance(event, BaseTaskEndEvent):
        return Fired(key=wait.key, at=_now(), seq=wait.seq, end=_end(wait, event))
    return _said(wait, Came(event=msgspec.Raw(_json(event.payload, "the event"))))


def _said(wait: Wait, came: Came) -> Fired:
    return Fired(key=wait.key, at=_now(), seq=wait.seq, payload=came.raw())


def _end(wait: Wait, event: BaseTaskEndEvent) -> Completed | Failed | Skipped:
    key, at, kind = wait.key, _now(), type(event).__name__
    xcoms = {name: _xcom(name, value) for name, value in event.xcoms.items() if name != RETURN_VALUE}
    match event.task_instance_state:
        case TaskState.SUCCESS:
            result = _xcom(RETURN_VALUE, event.xcoms.get(RETURN_VALUE))
            return Completed(key=key, at=at, result=result.value, length=result.length, xcoms=xcoms)
        case TaskState.SKIPPED:
            return Skipped(key=key, at=at, reason=f"its trigger said {kind}", xcoms=xcoms)
        case _:
            failure = Failure(message=f"its trigger {wait.trigger.classpath} said {kind}")
            return Failed(key=key, at=at, kind=FailureKind.NON_RETRYABLE, failure=failure, xcoms=xcoms)


def _xcom(name: str, value: object) -> XCom:
    if value is None:
        return XCom(value=NULL)
    length = len(value) if isinstance(value, list | dict) else None
    return XCom(value=msgspec.Raw(_json(value, f"the XCom {name!r} of the event")), length=length)


def _json(value: object, what: str) -> bytes:
    data = values.encode(value, what)
    if len(data) > MAX_EVENT:
        raise UsageError(
            f"{what} has {len(data)} bytes of JSON, more than {MAX_EVENT}; have the trigger tell where the data is, "
            f"and the task fetch it"
        )
    return data


def _now() -> datetime:
    return datetime.now(UTC)
