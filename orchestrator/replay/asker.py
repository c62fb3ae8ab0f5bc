"""Asker: the door through which a workflow's code asks for things; each is handed to the ledger."""

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, NoReturn

import msgspec

from orchestrator.authoring.blue import Definition, Future, RunView
from orchestrator.core import values
from orchestrator.core.activations import (
    Call,
    CancelCall,
    CancelChild,
    CancelTimer,
    Continue,
    MarkVersion,
    RecordValue,
    SetTimer,
    SignalRun,
    StartChild,
    WorkflowCommand,
)
from orchestrator.core.events import ActivityRequested, ChildStarted, TimerSet, ValueRecorded
from orchestrator.exceptions import UsageError, ValueEncodingError, WorkflowCancelled, WorkflowError
from orchestrator.names import ParentClose
from orchestrator.nearest import did_you_mean
from orchestrator.replay.beginning import Beginning
from orchestrator.replay.course import Course
from orchestrator.replay.ledger import Key, Place, Slot
from orchestrator.replay.outcomes import cancelled
from orchestrator.replay.strand import Evicted, Strand

_LONG = 5_000  # facts
CONDITION = "a condition"


class Asker:
    """The Blue of code that began at ``beginning``. ``at`` and ``seq`` are of the fact that the code takes in.

    ``heard`` is told of what came before it was asked for.
    """

    def __init__(
        self,
        beginning: Beginning,
        definition: Definition,
        course: Course,
        view: Callable[[int], RunView],
        heard: Callable[[Slot], None],
    ) -> None:
        self.at = beginning.at
        self.seq = beginning.seq
        self._beginning = beginning
        self._definition = definition
        self._course = course
        self._hub = course.hub
        self._ledger = course.ledger
        self._inbox = course.inbox
        self._places = course.places
        self._view = view
        self._heard = heard
        self._random = Random(beginning.seed)
        self._counts: dict[str, int] = {}
        self._patches: dict[str, bool] = {}

    # ── what it is ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def run(self) -> RunView:
        return self._view(self.seq)

    def now(self) -> datetime:
        return self.at

    def random(self) -> Random:
        return copy(self._random) if self._hub.reading else self._random

    def is_long(self) -> bool:
        return self.seq - self._beginning.seq > _LONG

    # ── what it starts ───────────────────────────────────────────────────────────────────────────────────

    def call(self, activity_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Future[Any]:
        strand = self._enter()
        if activity_id not in self._definition.activities:
            raise UsageError(
                f"workflow {self._definition.dag_id!r} has no activity {activity_id!r}"
                f"{did_you_mean(activity_id, self._definition.activities)}; define it with @activity in the workflow's "
                f"file or in a module that this imports"
            )
        data = _input(activity_id, args, kwargs)
        digest = hashlib.sha256(data).hexdigest()
        command = Call(task_id=activity_id, digest=digest, input=msgspec.Raw(data), shielded=strand.shielded)
        slot = self._ask(("call", activity_id, digest), command, Future(activity_id), strand)
        return self._pending(slot, self._cancel_call)

    def timer(self, delay: timedelta) -> Future[None]:
        strand = self._enter()
        timer_id = self._id("timer")
        try:
            fire_at = self.at + delay
        except OverflowError:
            raise UsageError(f"a timer of {delay} would ring beyond the year 9999; take a shorter one") from None
        command = SetTimer(timer_id=timer_id, fire_at=fire_at, shielded=strand.shielded)
        slot = self._ask(("timer", timer_id), command, Future(timer_id), strand)
        return self._pending(slot, self._cancel_timer)

    def child(self, dag_id: str, conf: Mapping[str, Any], *, run_id: str | None, close: ParentClose) -> Future[Any]:
        strand = self._enter()
        child_id = self._id(dag_id)
        data = values.encode(dict(conf), f"the conf of child {dag_id}")
        command = StartChild(
            child_id=child_id,
            dag_id=dag_id,
            run_id=run_id,
            conf=msgspec.Raw(data),
            close=close,
            shielded=strand.shielded,
        )
        slot = self._ask(("child", child_id), command, Future(f"child {child_id}"), strand)
        return self._pending(slot, self._cancel_child)

    def signal(self, dag_id: str, run_id: str, name: str, payload: Any) -> Future[None]:
        strand = self._enter()
        send_id = self._id("signal")
        data = values.encode(payload, f"the payload of signal {name}")
        command = SignalRun(name=send_id, dag_id=dag_id, run_id=run_id, signal=name, payload=msgspec.Raw(data))
        slot = self._ask(("value", send_id), command, Future(f"signal {name} to {dag_id} {run_id}"), strand)
        return self._pending(slot, None)

    def spawn(self, what: str, function: Callable[[], Any]) -> Future[Any]:
        strand = self._enter()
        spawned = self._course.spawn(what, function)
        spawned.shielded = strand.shielded
        spawned.future.cancelled_by(partial(self._cancel_strand, spawned))
        return spawned.future

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────────────

    def wait_for(self, *futures: Future[Any]) -> None:
        self._enter()
        if futures:
            self._hub.wait(futures)

    def wait_until(
        self, condition: Callable[[], bool], timeout: timedelta | None, *, signal: str | None = None
    ) -> bool:
        self._enter()
        if self._holds(condition):
            return True
        timer = None if timeout is None else self.timer(timeout)
        watched: tuple[Future[Any], ...] = () if timer is None else (timer,)
        try:
            while True:
                self._hub.wait_for_a_change(watched, signal)
                if self._holds(condition):
                    return True
                if timer is not None and timer.done():
                    return False
        finally:
            self._hub.stir()  # others may wait for what this strand is about to do
            if timer is not None and not self._hub.is_over:
                timer.cancel()

    def shielded(self, is_shielded: bool) -> bool:
        strand = self._hub.own()
        before, strand.shielded = strand.shielded, is_shielded
        return before

    # ── what it is told ──────────────────────────────────────────────────────────────────────────────────

    def take_signal(self, name: str) -> tuple[bool, Any]:
        if self._hub.reading != CONDITION:
            self._enter()
        return self._inbox.take(name)

    def has_signal(self, name: str) -> bool:
        return self._inbox.has(name)

    def on(self, kind: str, name: str, function: Callable[..., Any], validator: Callable[..., Any] | None) -> None:
        self._enter()
        self._inbox.open(kind, name, function, validator)

    # ── what is recorded at once ─────────────────────────────────────────────────────────────────────────

    def value(self, name: str, make: Callable[[], Any]) -> Any:
        strand = self._enter()
        value_id = self._id(f"value-{name}")
        found = self._look_up(("value", value_id))
        if found is not None and found.fact is not None and isinstance(found.fact.event, ValueRecorded):
            return values.decode(found.fact.event.value)
        with self._hub.only_reading(f"what gives the value {name!r}"), self._hub.outside():
            made = make()
        data = values.encode(made, f"the value {name!r}")
        self._ask(("value", value_id), RecordValue(name=value_id, value=msgspec.Raw(data)), None, strand)
        return values.decode(data)

    def patched(self, name: str) -> bool:
        if name not in self._patches:
            strand = self._enter()
            key = ("marker", name)
            is_new = self._look_up(key) is None
            self._patches[name] = not is_new or self._ledger.first_unclaimed() is None
            if is_new and self._patches[name]:
                self._ask(key, MarkVersion(name=name, version=1), None, strand)
        return self._patches[name]

    def continue_as_new(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> NoReturn:
        self._enter()
        self._course.renewal = self._beginning.anew(args, kwargs, self._course.untaken())
        self._course.end(Continue())
        raise Evicted

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────

    def _enter(self) -> Strand:
        """The strand that asks, unless it may not."""
        if self._hub.reading is not None:
            raise UsageError(
                f"{self._hub.reading} only reads: it may not start, wait for or change anything; "
                f"move that into the workflow's own code"
            )
        strand = self._hub.own()
        if strand.must_hear is not None and not strand.shielded:
            error, strand.must_hear = strand.must_hear, None
            raise error
        return strand

    def _id(self, kind: str) -> str:
        """The next id of that kind, unique within the run."""
        count = self._counts.get(kind, 0) + 1
        self._counts[kind] = count
        return f"{kind}-{self._beginning.prefix}{count}"

    def _ask(self, key: Key, command: WorkflowCommand, future: Future[Any] | None, strand: Strand) -> Slot:
        place: Place = self._places.innermost(sys._getframe(2))  # noqa: SLF001 - there is no public way as cheap
        slot = self._ledger.ask(key, command, future, place)
        slot.is_shielded = strand.shielded
        return slot

    def _pending(self, slot: Slot, cancel: Callable[[Slot], None] | None) -> Future[Any]:
        assert slot.future is not None
        if cancel is not None:
            slot.future.cancelled_by(partial(cancel, slot))
        if slot.key[0] != "call":
            self._ledger.open[slot.key] = slot
        if slot.outcome is not None:
            self._heard(slot)
        return slot.future

    def _look_up(self, key: Key) -> Slot | None:
        self._hub.look_ahead(lambda: self._ledger.is_known(key))
        return self._ledger.claim(key)

    def _holds(self, condition: Callable[[], bool]) -> bool:
        with self._hub.only_reading(CONDITION):
            return bool(condition())

    # ── giving up ────────────────────────────────────────────────────────────────────────────────────────

    def _cancel_call(self, slot: Slot) -> None:
        self._enter()
        self._ledger.settle(slot, error=cancelled(str(slot.key[1])))
        self._give_up(slot)

    def _cancel_timer(self, slot: Slot) -> None:
        self._enter()
        self._ledger.settle(slot, error=WorkflowError(f"{slot.key[1]} was cancelled"))
        self._ledger.open.pop(slot.key, None)
        self._give_up(slot)

    def _cancel_child(self, slot: Slot) -> None:
        """It ends by itself, and is waited for until then."""
        self._enter()
        if not slot.is_given_up:
            self._give_up(slot)

    def _give_up(self, slot: Slot) -> None:
        """Ask for its end, as soon as it is on record: before that there is nothing to end."""
        slot.is_given_up = True
        if slot.fact is not None:
            self.end(slot)

    def end(self, slot: Slot) -> None:
        """Ask for the end of what is on record and was given up."""
        assert slot.fact is not None
        event = slot.fact.event
        if isinstance(event, ActivityRequested):
            call = CancelCall(task_id=event.task_id, map_index=event.map_index)
            self._ledger.ask(("cancel", event.task_id, event.map_index), call, None, slot.place)
        elif isinstance(event, TimerSet):
            self._ledger.ask(("cancel", event.timer_id), CancelTimer(timer_id=event.timer_id), None, slot.place)
        elif isinstance(event, ChildStarted):
            done = RecordValue(name=f"cancel-{event.child_id}")  # to cancel a child leaves no other fact here
            asked = self._ledger.ask(("value", done.name), done, None, slot.place)
            asked.also = CancelChild(child_id=event.child_id)

    def _cancel_strand(self, spawned: Strand) -> None:
        self._enter()
        error = WorkflowCancelled(f"{spawned.what} was cancelled")
        if spawned.has_begun and not spawned.shielded:
            self._hub.throw(spawned, error)
        else:
            spawned.must_hear = error


def _input(activity_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """The input of a call; ValueEncodingError names the argument that cannot be recorded."""
    try:
        return values.encode({"args": list(args), "kwargs": dict(kwargs)})
    except ValueEncodingError:
        for number, value in enumerate(args, 1):
            values.encode(value, f"argument {number} of {activity_id}")
        for name, value in kwargs.items():
            values.encode(value, f"argument {name!r} of {activity_id}")
        raise
