"""What must hold of a whole simulated world: its histories read anew, apart from the engine's own code."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from orchestrator.core.board import Place
from orchestrator.core.calling import LATE_REPORT
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityResumed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ActivityUpstreamFailed,
    AnyEvent,
    OutcomeResolved,
    Recorded,
    RunCancelRequested,
    RunCreated,
    RunEnded,
    RunMoved,
    TaskExpanded,
)
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.core.timetables import next_slot
from orchestrator.names import FINISHED, UNMAPPED, CallbackKind, Delivery, FailureKind, RunState, TaskState
from orchestrator.ports import Group
from orchestrator.testing.callback_reading import CallbackReading
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.invariants import check_order, may_run
from orchestrator.testing.people import People
from orchestrator.testing.random_dags import DAYS_END, POOLS
from orchestrator.testing.simulation import Simulation

Ranged: TypeAlias = ActivityScheduled | ActivitySkipped | ActivityUpstreamFailed | ActivityMarked | ActivityCleared


def check_world(sim: Simulation, specs: Sequence[DagSpec], people: People) -> None:
    """Every invariant, on every run of a world that has come to rest."""
    runs = {}
    for run_key, facts in sim.histories():
        check_order(facts)
        reading = Reading(sim, facts)
        run = runs[run_key] = replay(run_key, facts, lambda version_id: Plan(sim.store.spec(version_id), version_id))
        assert run.is_ended, f"run {run.run_id} never ended: {run.state}, {reading.left()}"
        assert not run.open, f"run {run.run_id} has ended with open attempts: {run.open}"
        assert not reading.open, f"run {run.run_id} has ended with attempts that nobody closed: {reading.open}"
        reading.agrees_with(run)
        reading.callbacks.check(facts)
        assert run.is_settled, f"run {run.run_id} has ended with open callbacks: {list(run.callbacks)}"
    check_deliveries(sim, people, {run.created.run_uid: run for run in runs.values()})
    check_slots(specs, list(runs.values()))


class Reading:
    """A history as somebody with a pencil would read it. It stops at the first fact that should not be there."""

    def __init__(self, sim: Simulation, facts: Sequence[Recorded]) -> None:
        self._sim = sim
        self.states: dict[Place, TaskState] = {}
        self.open: dict[Place, int] = {}
        self.begun: set[Place] = set()
        self._attempts: Counter[Place] = Counter()
        self._outdated: Counter[Place] = Counter()
        self._done: dict[Place, int] = {}
        self._sizes: dict[str, int] = {}
        self._tasks: dict[str, TaskSpec] = {}
        self.callbacks = CallbackReading()
        self._ends = 0
        self._cancelled_by: str | None = None
        for fact in facts:
            try:
                self._take(fact)
            except AssertionError as error:
                raise AssertionError(f"seq {fact.seq} of {facts[0].event}: {error}") from error

    def left(self) -> list[Place]:
        """What is not finished."""
        return [place for place in self._places() if self._state(place) not in FINISHED]

    def agrees_with(self, run: Run) -> None:
        """The fold has come to the same states and to the same counts."""
        mine = {place: self._state(place) for place in self._places()}
        fold = {
            (name, index): _peeked(run, name, index) for name, node in run.nodes.items() for index in node.indexes()
        }
        assert mine == fold, f"the fold says {fold}, the history {mine}"
        assert run.unfinished == sum(state not in FINISHED for state in mine.values()), "unfinished is miscounted"
        for name, node in run.nodes.items():
            count, seen = Counter(self._upstream(name)), node.upstreams
            assert (seen.total, seen.success, seen.skipped) == (
                count.total(),
                count[TaskState.SUCCESS],
                count[TaskState.SKIPPED],
            ), f"the upstreams of {name} are miscounted"

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, fact: Recorded) -> None:
        event = fact.event
        match event:
            case RunCreated() | RunMoved():
                self._follow(event.version_id)
            case TaskExpanded():
                self._sizes[event.task_id] = math.prod(event.shape)
            case ActivityScheduled():
                for place in _places_of(event):
                    self._schedule(place, event.attempt)
            case ActivityStarted():
                self.begun.add((event.task_id, event.map_index))
            case ActivityCompleted():
                self._complete((event.task_id, event.map_index), event.attempt)
                if self._end((event.task_id, event.map_index), event.attempt, TaskState.SUCCESS):
                    self._call(event, CallbackKind.SUCCESS)
            case ActivityFailed():
                again = TaskState.FAILED if event.retry_at is None else TaskState.UP_FOR_RETRY
                applied = self._end((event.task_id, event.map_index), event.attempt, again)
                if applied and event.kind is not FailureKind.CANCELLED:
                    self._call(event, CallbackKind.FAILURE if event.retry_at is None else CallbackKind.RETRY)
            case ActivityDeferred():
                self._end((event.task_id, event.map_index), event.attempt, TaskState.DEFERRED)
            case ActivityResumed():
                self._resume((event.task_id, event.map_index), event.attempt)
            case ActivityLost():
                lost = TaskState.AWAITING_INPUT if event.unknown else TaskState.SCHEDULED
                self._end((event.task_id, event.map_index), event.attempt, lost)
            case ActivitySkipped():
                for place in _places_of(event):
                    if self._end(place, event.attempt, TaskState.SKIPPED) and event.attempt:
                        self._call(event, CallbackKind.SKIPPED)
            case ActivityUpstreamFailed():
                self.states |= dict.fromkeys(_places_of(event), TaskState.UPSTREAM_FAILED)
            case ActivityMarked():
                self.states |= dict.fromkeys(_places_of(event), event.state)
            case ActivityCleared():
                self._cancelled_by = None
                for place in _places_of(event):
                    self.states[place] = TaskState.NONE
                    self._outdated[place] = self._attempts[place]
                    self._done.pop(place, None)
            case OutcomeResolved():
                place = (event.task_id, event.map_index)
                if self._state(place) is TaskState.AWAITING_INPUT:
                    if event.by == LATE_REPORT:
                        self._call(event, CallbackKind.SUCCESS)
                    self.states[place] = event.state if event.state in FINISHED else TaskState.SCHEDULED
            case _:
                self._take_of_run(event)

    def _take_of_run(self, event: AnyEvent) -> None:
        """What says nothing about an activity's state."""
        if isinstance(event, RunCancelRequested) and self._cancelled_by is None:
            self._cancelled_by = event.by
        elif isinstance(event, RunEnded):
            self._call_at_end(event)

    def _call(
        self, event: ActivityCompleted | ActivityFailed | ActivitySkipped | OutcomeResolved, kind: CallbackKind
    ) -> None:
        kinds = self._tasks[event.task_id].callbacks
        self.callbacks.note(kinds, kind, event.task_id, event.map_index, event.attempt)

    def _call_at_end(self, event: RunEnded) -> None:
        self._ends += 1
        if self._cancelled_by is None or self._cancelled_by in ("dagrun_timeout", "fail_fast"):
            kind = CallbackKind.SUCCESS if event.state is RunState.SUCCESS else CallbackKind.FAILURE
            self.callbacks.note(self._spec.callbacks, kind, "", UNMAPPED, self._ends)

    def _schedule(self, place: Place, attempt: int) -> None:
        state = self._state(place)
        assert state not in FINISHED, f"{place} was {state} and is scheduled again"
        assert place not in self.open, f"{place} is handed out while attempt {self.open[place]} is open"
        goes_on = state is TaskState.UP_FOR_RESCHEDULE and attempt == self._attempts[place]
        assert goes_on or attempt > self._attempts[place], f"{place} has attempt {attempt} a second time"
        if state is TaskState.NONE:
            rule, upstream = self._tasks[place[0]].trigger_rule, self._upstream(place[0])
            assert may_run(rule, upstream), f"{place} starts although {rule} met {upstream}"
        self._attempts[place] = self.open[place] = attempt
        self.begun.discard(place)
        self.states[place] = TaskState.QUEUED

    def _complete(self, place: Place, attempt: int) -> None:
        """Evidence of an earlier attempt may be there more than once."""
        is_again = self._done.get(place) == attempt == self._attempts[place] and self._state(place) is TaskState.SUCCESS
        assert not is_again, f"{place} has the completion of attempt {attempt} a second time"
        self._done[place] = attempt

    def _end(self, place: Place, attempt: int, state: TaskState) -> bool:
        """Somebody reports on an attempt, or (attempt 0) the engine decides without one; whether that counts."""
        if place[0] not in self._tasks:
            return False
        was_open = self.open.get(place) == attempt
        if was_open:
            del self.open[place]
        known, current = self._state(place), self._attempts[place] == attempt
        is_committed = (
            state is TaskState.SUCCESS
            and self._tasks[place[0]].delivery is Delivery.TRANSACTIONAL
            and self._outdated[place] < attempt <= self._attempts[place]
            and known not in FINISHED
        )
        is_given_up = state is TaskState.FAILED and known is TaskState.AWAITING_INPUT and current
        is_told = self._waits(place, attempt) and state in FINISHED  # its trigger ends it
        counts = not attempt or is_committed or is_given_up or is_told or (was_open and known is TaskState.QUEUED)
        if counts:
            self.states[place] = state
        return counts

    def _follow(self, version_id: int) -> None:
        self._spec = self._sim.store.spec(version_id)
        before, self._tasks = self._tasks, {task.task_id: task for task in self._spec.tasks}
        for task_id in before.keys() - self._tasks.keys():
            self._retire(before[task_id])

    def _resume(self, place: Place, attempt: int) -> None:
        assert self._waits(place, attempt), f"{place} is resumed, and was {self._state(place)}"
        self.states[place] = TaskState.UP_FOR_RESCHEDULE

    def _waits(self, place: Place, attempt: int) -> bool:
        return self._state(place) is TaskState.DEFERRED and self._attempts[place] == attempt

    def _retire(self, task: TaskSpec) -> None:
        """A task that is gone from the run may come back: what it had finished is finished, nothing else."""
        for place in [place for place in self.states if place[0] == task.task_id]:
            began = place in self.begun and self.states[place] is TaskState.QUEUED
            self.open.pop(place, None)
            if began and task.delivery is Delivery.AT_MOST_ONCE:
                self.states[place] = TaskState.AWAITING_INPUT
            elif self.states[place] not in FINISHED | {TaskState.AWAITING_INPUT}:
                self.states[place] = TaskState.NONE

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────

    def _state(self, place: Place) -> TaskState:
        return self.states.get(place, TaskState.NONE)

    def _indexes(self, task_id: str) -> range:
        size = self._sizes.get(task_id, 0)
        return range(size) if size else range(UNMAPPED, 0)

    def _places(self) -> list[Place]:
        return [(task_id, map_index) for task_id in self._tasks for map_index in self._indexes(task_id)]

    def _upstream(self, task_id: str) -> list[TaskState]:
        upstream = self._tasks[task_id].upstream
        return [self._state((name, map_index)) for name in upstream for map_index in self._indexes(name)]


def _places_of(event: Ranged) -> list[Place]:
    return [(event.task_id, map_index) for map_index in range(event.map_index, event.map_index + event.count)]


def _peeked(run: Run, task_id: str, map_index: int) -> TaskState:
    activity = run.nodes[task_id].peek(map_index)
    return TaskState.NONE if activity is None else activity.state


def check_deliveries(sim: Simulation, people: People, runs: dict[str, Run]) -> None:
    """at_most_once begins once under a key unless a person says: again; transactional has its effect once."""
    for key, times in sim.executor.bodies.items():
        run_uid, task_id, _, generation = key.rsplit("/", 3)
        if not generation.isdigit():
            continue  # callbacks are called at least once
        run = runs[run_uid]
        delivery = people.deliveries[run.dag_id, task_id]
        if delivery is Delivery.AT_MOST_ONCE:
            allowed = 1 + sim.retried_by_a_person[key] + people.again[run.dag_id, run.run_id, task_id]
            assert times <= allowed, f"{key} promises at most one execution and began {times} times"
        if delivery is Delivery.TRANSACTIONAL:
            assert sim.executor.effects[key] <= 1, f"{key} had its effect {sim.executor.effects[key]} times"


def check_slots(specs: Sequence[DagSpec], runs: Sequence[Run]) -> None:
    """No slot has two runs; with catchup every slot has one."""
    for spec in specs:
        slots = [run.created.slot for run in runs if run.dag_id == spec.dag_id and run.created.slot is not None]
        assert len(slots) == len(set(slots)), f"a slot of {spec.dag_id} has two runs"
        if spec.catchup and spec.schedule is not None:
            assert sorted(slots) == _all_slots(spec), f"catchup of {spec.dag_id} has left out slots"


def _all_slots(spec: DagSpec) -> list[datetime]:
    found: list[datetime] = []
    while (slot := next_slot(spec, last=found[-1] if found else None, unpaused_at=EPOCH, now=DAYS_END)) is not None:
        found.append(slot.fire_at)
    return found


class LimitWatch:
    """Looks at what is open after each commit: no limit is ever exceeded."""

    def __init__(self, parallelism: int) -> None:
        self._parallelism = parallelism
        self._runs: dict[int, tuple[Run, tuple[Place, ...]]] = {}
        self._calls: dict[int, int] = {}
        self._active: dict[int, str] = {}

    def look(self, group: Group) -> None:
        for part in group.parts:
            run = part.run
            self._runs[run.run_key] = (run, tuple(run.open))
            self._calls[run.run_key] = len(run.callbacks.handed_out())
            self._active.pop(run.run_key, None)
            if run.started_at and not run.is_ended:
                self._active[run.run_key] = run.dag_id
        open_ = [(run, place) for run, places in self._runs.values() for place in places]
        both = len(open_) + sum(self._calls.values())
        assert both <= self._parallelism, f"{len(open_)} attempts are open, and callbacks: {self._calls}"
        slots: Counter[str] = Counter()
        tasks: Counter[tuple[str, ...]] = Counter()
        for run, (task_id, _) in open_:
            task = run.plan.tasks[task_id]
            slots[task.pool] += task.pool_slots
            for name, most in (
                ((run.dag_id, run.run_id), run.plan.spec.max_active_tasks),
                ((run.dag_id, task_id, ""), task.max_active_tis_per_dag),
                ((run.dag_id, task_id, "", run.run_id), task.max_active_tis_per_dagrun),
            ):
                tasks[name] += 1
                assert most is None or tasks[name] <= most, f"{tasks[name]} of {name} are open, {most} may be"
        assert all(used <= POOLS[pool] for pool, used in slots.items()), f"{slots} are more than {POOLS}"
        active = Counter(self._active.values())
        limits = {run.dag_id: run.plan.spec.max_active_runs for run, _ in self._runs.values()}
        assert all(active[dag_id] <= most for dag_id, most in limits.items()), f"{active} runs are active of {limits}"
