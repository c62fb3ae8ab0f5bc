"""Forking: the facts that a run begins with that takes over what another had recorded up to a seq. Pure policy."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from orchestrator.core.board import Place
from orchestrator.core.callback_events import CALLBACK_EVENTS
from orchestrator.core.event import Asked
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityLost,
    ActivityScheduled,
    AnyEvent,
    ChildStarted,
    OutcomeResolved,
    Recorded,
    RunBlocked,
    RunCancelRequested,
    RunCreated,
    RunEnded,
    RunMoved,
    RunPaused,
    RunResumed,
    RunStarted,
    TaskExpanded,
    TimerSet,
    ValueRecorded,
)
from orchestrator.core.particulars import Origin, RunLink
from orchestrator.core.plan import Plan
from orchestrator.core.requests import Edit, ForkRun
from orchestrator.core.runs import Plans
from orchestrator.core.taking_over import Past, places
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.names import UNMAPPED, DagKind, TaskState
from orchestrator.nearest import did_you_mean

_STAYS_BEHIND = (RunStarted, RunPaused, RunResumed, RunEnded, RunBlocked, *CALLBACK_EVENTS)
_EDITED = "its result was given when the run was forked"


def fork(
    run_key: int, facts: Sequence[Recorded], ask: ForkRun, plans: Plans, now: datetime, latest: int | None = None
) -> list[Recorded]:
    """The history that the new run begins with; ``facts`` are its source's, whose key is ``run_key``.

    ``latest`` is the version that the DAG has now. It takes over what had ended by ``ask.seq``, with the edits; nothing
    in it is open. Moments are those of the first recording, so that code that is replayed asks for the same.
    UsageError, NotFoundError or ConflictError say what does not fit; nothing that is recorded is changed by it.
    """
    return fork_from(Past(facts, ask.seq, plans), run_key, ask, plans, now, latest)


def fork_from(
    past: Past, run_key: int, ask: ForkRun, plans: Plans, now: datetime, latest: int | None = None
) -> list[Recorded]:
    """The same, from a past that is folded already."""
    target = past.run.plan if ask.version_id is None else plans(ask.version_id)
    check(past, ask, target)
    instead_of = None if latest == target.version_id else latest
    draft = _Draft(past, ask, now, instead_of)
    draft.copy()
    draft.move(target)
    draft.answer()
    created = msgspec.structs.replace(_created(run_key, past, ask, len(draft.facts)), instead_of=instead_of)
    return [Recorded(1, now, created), *draft.facts]


def check(past: Past, ask: ForkRun, target: Plan) -> None:
    """Refuse edits of what the new run will not have, or could not be told of."""
    for edit in ask.edits:
        if edit.task_id not in target.tasks:
            near = did_you_mean(edit.task_id, target.tasks)
            raise NotFoundError(f"DAG {ask.dag_id!r} has no task {edit.task_id!r} in the version to run{near}")
        _check_place(past, edit, target)
        _check_choice(past, edit)
    named = [(edit.task_id, edit.map_index) for edit in ask.edits]
    if len(named) != len(set(named)):
        raise UsageError("one result is given twice; give each task one")


def _check_place(past: Past, edit: Edit, target: Plan) -> None:
    node, task = past.run.nodes.get(edit.task_id), target.tasks[edit.task_id]
    is_expanded = node is not None and node.is_expanded and node.is_mapped == task.is_mapped
    known = node.indexes() if node is not None and is_expanded else range(0 if task.is_mapped else UNMAPPED, 0)
    if edit.map_index in known:
        return
    what = "calls" if task.is_activity else "map indexes"
    there = f"has the {what} 0 to {len(known) - 1}" if is_expanded else f"has no {what}"
    name = edit.task_id if edit.map_index < 0 else f"{edit.task_id}[{edit.map_index}]"
    raise UsageError(f"{name} cannot be given a result: by seq {past.until.seq} the task {there}")


def _check_choice(past: Past, edit: Edit) -> None:
    """What a branch chose is no result, and would stay as it was."""
    for fact in past.facts:
        event = fact.event
        if isinstance(event, ActivityCompleted) and event.task_id == edit.task_id and event.skip:
            raise ConflictError(
                f"task {edit.task_id!r} is a branch, and its choice at seq {fact.seq} is not its result; fork before it"
            )


def _created(run_key: int, past: Past, ask: ForkRun, taken: int) -> RunCreated:
    source = past.run.created
    return msgspec.structs.replace(
        source,
        run_id=ask.run_id,
        run_uid=source.run_uid if ask.same_key else ask.run_uid,
        slot=None,
        parent=None,
        child_id=None,
        imported=False,
        triggered_by=ask.by or "cli",
        note=ask.note,
        forked=RunLink(run_key=run_key, dag_id=source.dag_id, run_id=source.run_id, seq=ask.seq),
        taken=taken,
        origin=_origin(past),
    )


def _origin(past: Past) -> Origin | None:
    """Where the code of a workflow began; None where it had not."""
    created = past.run.created
    if created.kind is not DagKind.WORKFLOW or created.origin is not None:
        return created.origin
    began = next((fact for fact in past.facts if isinstance(fact.event, RunStarted | Asked)), None)
    if began is None:
        return None
    # a run that was reset to its first fact while it ran began with that
    return Origin(run_uid=created.run_uid, at=began.at if isinstance(began.event, RunStarted) else past.facts[0].at)


class _Draft:
    """The facts after RunCreated, as they are put together."""

    def __init__(self, past: Past, ask: ForkRun, now: datetime, instead_of: int | None) -> None:
        self.facts: list[Recorded] = []
        self._past = past
        self._ask = ask
        self._now = now
        self._instead_of = instead_of
        self._is_workflow = past.run.created.kind is DagKind.WORKFLOW
        self._edits: dict[Place, Edit] = {(edit.task_id, edit.map_index): edit for edit in ask.edits}
        self._seqs: list[int] = []  # of each fact here, that of its source
        self._given_up = {f"cancel-{child_id}" for child_id in past.run.children if child_id not in past.over}
        self._expanded = {task_id for task_id, _ in [*past.ends, *self._edits]}

    def copy(self) -> None:
        """Take over what had ended."""
        for fact in self._past.facts[1:]:
            for event in self._taken(fact):
                self._add(event, fact.at, fact.seq)

    def move(self, target: Plan) -> None:
        """Go over to the version to run, if it is another."""
        if target.version_id != self._past.run.version_id:
            moved = RunMoved(version_id=target.version_id, fingerprint=target.fingerprint, instead_of=self._instead_of)
            self._add(moved, self._now)

    def answer(self) -> None:
        """Give the results of what had not ended; those of all others stand in their places."""
        for place, edit in self._edits.items():
            if not self._is_in_place(place):
                attempt = self._attempt(place) + 1
                for event in _given(edit, attempt, self._ask.by, is_open=False):
                    self._add(event, self._now)

    def _add(self, event: AnyEvent, at: datetime, seq: int = 0) -> None:
        if isinstance(event, Asked) and event.heard:
            event = msgspec.structs.replace(event, heard=1 + bisect_right(self._seqs, event.heard))
        self.facts.append(Recorded(len(self.facts) + 2, at, event))
        self._seqs.append(seq)

    def _taken(self, fact: Recorded) -> Iterator[AnyEvent]:
        event = fact.event
        if isinstance(event, _STAYS_BEHIND):
            return
        match event:
            case RunCancelRequested() if not self._is_workflow:
                return
            case RunMoved():
                yield msgspec.structs.replace(event, instead_of=self._instead_of)
            case ActivityCleared():
                yield from [event] if self._ask.same_key else []
            case TaskExpanded():
                yield from [event] if event.task_id in self._expanded else []
            case TimerSet() if event.timer_id not in self._past.over:
                yield msgspec.structs.replace(event, fire_at=self._now + self._rest(event.fire_at))
            case ChildStarted() if event.child_id not in self._past.over:
                return  # it is asked for again
            case ValueRecorded() if event.name in self._given_up:
                return  # and given up again
            case _:
                yield from self._of_activities(fact)

    def _rest(self, fire_at: datetime) -> timedelta:
        """How long a timer had still to go."""
        return max(fire_at - self._past.until.at, timedelta(0))

    def _of_activities(self, fact: Recorded) -> Iterator[AnyEvent]:
        spoken_of = places(fact.event)
        if not spoken_of:
            yield fact.event
            return
        for place in spoken_of:
            if self._is_in_place(place) and (end := self._past.ends[place]).seq == fact.seq:
                attempt = end.attempt + (not end.was_open)
                yield from _given(self._edits[place], attempt, self._ask.by, is_open=end.was_open)
        kept = [place for place in spoken_of if self._past.keeps(fact, place) and not self._is_after_edit(fact, place)]
        yield from _narrowed(fact.event, kept, len(spoken_of))

    def _is_in_place(self, place: Place) -> bool:
        """Whether an edited result stands where the recorded outcome did."""
        return place in self._edits and place in self._past.ends

    def _is_after_edit(self, fact: Recorded, place: Place) -> bool:
        return self._is_in_place(place) and fact.seq >= self._past.ends[place].seq

    def _attempt(self, place: Place) -> int:
        node = self._past.run.nodes.get(place[0])
        activity = None if node is None else node.peek(place[1])
        return 0 if activity is None else activity.attempt


def _narrowed(event: AnyEvent, kept: list[Place], count: int) -> Iterator[AnyEvent]:
    """The event about these activities only, in as few as it takes."""
    if len(kept) == count:
        yield event
        return
    stretches: list[list[int]] = []
    for _, map_index in kept:
        if stretches and stretches[-1][0] + stretches[-1][1] == map_index:
            stretches[-1][1] += 1
        else:
            stretches.append([map_index, 1])
    for first, length in stretches:
        yield msgspec.structs.replace(event, map_index=first, **({"count": length} if count > 1 else {}))


def _given(edit: Edit, attempt: int, by: str, *, is_open: bool) -> Iterator[AnyEvent]:
    """A result that a person gave: of an attempt of unknown outcome, so that it is told from one that a body earned."""
    task_id, index = edit.task_id, edit.map_index
    if not is_open:
        yield ActivityScheduled(task_id=task_id, map_index=index, attempt=attempt)
    yield ActivityLost(task_id=task_id, map_index=index, attempt=attempt, reason=_EDITED, unknown=True)
    yield OutcomeResolved(
        task_id=task_id,
        map_index=index,
        attempt=attempt,
        state=TaskState.SUCCESS,
        result=edit.result,
        length=_length(edit.result),
        by=by,
    )


def _length(result: msgspec.Raw) -> int | None:
    value = msgspec.json.decode(result)
    return len(value) if isinstance(value, list | dict) else None
