"""Effects: what a run has done after a seq that would be done again by whoever goes on from there."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from orchestrator.core.board import Place
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivitySkipped,
    ActivityStarted,
    AnyEvent,
    ChildStarted,
    OutcomeResolved,
    Recorded,
    ValueRecorded,
)
from orchestrator.core.particulars import NULL, PayloadRef
from orchestrator.core.plan import Plan
from orchestrator.core.taking_over import Past
from orchestrator.names import DagKind, Delivery, FailureKind, TaskState

_NEVER_RAN = frozenset({FailureKind.QUEUED_TIMEOUT, FailureKind.LOADING})


class What(StrEnum):
    """What it was that acted on the world outside."""

    ACTIVITY = "activity"
    CHILD = "child"
    SIGNAL = "signal"


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, and would happen again.

    ``name`` is a task, a child's name or a signal's; ``attempts`` how often an activity's body began; ``outcome`` in a
    word what is recorded of it last; ``result`` or ``payload`` what it gave.
    """

    what: What
    name: str
    map_index: int = -1
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    attempts: int = 1
    outcome: str = ""
    result: msgspec.Raw = NULL
    payload: PayloadRef | None = None


def repeated(facts: Sequence[Recorded], past: Past, target: Plan, given: Iterable[Place] = ()) -> list[Effect]:
    """The effects that ``facts`` tell of and that are to happen again by ``target``, in order of their beginning.

    What had ended by then does not, nor what is ``given`` a result.
    """
    settled = {*past.ends, *given}
    bodies: dict[Place, _Body] = {}
    others: list[Effect] = []
    for fact in facts:
        place = _begun(fact.event)
        if place is None:
            others += _other(fact, past)
        elif place not in settled and _runs(target, place):
            bodies.setdefault(place, _Body()).take(fact.event)
    return [*(body.effect(place, target) for place, body in bodies.items()), *others]


class _Body:
    """What is recorded of the attempts of one activity."""

    def __init__(self) -> None:
        self._attempts: set[int] = set()
        self._last: AnyEvent | None = None

    def take(self, event: AnyEvent) -> None:
        self._attempts.add(getattr(event, "attempt", 0))
        self._last = event

    def effect(self, place: Place, target: Plan) -> Effect:
        task = target.tasks[place[0]]
        last = self._last
        has_result = isinstance(last, ActivityCompleted | OutcomeResolved)
        return Effect(
            what=What.ACTIVITY,
            name=place[0],
            map_index=place[1],
            delivery=task.delivery,
            attempts=len(self._attempts),
            outcome=_outcome(last),
            result=getattr(last, "result", NULL),
            payload=getattr(last, "payload", None) if has_result else None,
        )


def _begun(event: AnyEvent) -> Place | None:
    """The activity whose body has begun, as this event shows."""
    match event:
        case ActivityStarted() | ActivityCompleted() | ActivityDeferred() | OutcomeResolved():
            return event.task_id, event.map_index
        case ActivityFailed() if event.kind not in _NEVER_RAN:
            return event.task_id, event.map_index
        case ActivityLost() if event.unknown or not event.free:
            return event.task_id, event.map_index
        case ActivitySkipped() if event.attempt:
            return event.task_id, event.map_index
        case _:
            return None


def _runs(target: Plan, place: Place) -> bool:
    task = target.tasks.get(place[0])
    return task is not None and not task.does_nothing


def _outcome(event: AnyEvent | None) -> str:
    match event:
        case ActivityCompleted():
            return TaskState.SUCCESS
        case OutcomeResolved():
            return event.state
        case ActivityFailed():
            return f"{TaskState.FAILED}: {event.failure.message}"
        case ActivityLost():
            return "its outcome is unknown" if event.unknown else "its worker was lost"
        case ActivitySkipped():
            return TaskState.SKIPPED
        case ActivityDeferred():
            return TaskState.DEFERRED
        case _:
            return TaskState.RUNNING


def _other(fact: Recorded, past: Past) -> Iterator[Effect]:
    """A child that is started anew, or a signal that is sent again."""
    event = fact.event
    match event:
        case ChildStarted() if event.child_run_key and (fact.seq > past.until.seq or event.child_id not in past.over):
            if past.run.created.kind is DagKind.WORKFLOW:  # of a DAG, the task that waits for it is listed
                yield Effect(what=What.CHILD, name=event.child_id, outcome=f"run {event.run_id} of {event.dag_id}")
        case ValueRecorded(sent=True) if fact.seq > past.until.seq:
            yield Effect(what=What.SIGNAL, name=event.name, outcome="sent", result=event.value)
        case _:
            return
