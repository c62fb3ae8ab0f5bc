"""The rows that a run's state projects to; live commits and a rebuild make them by the same functions.

Rows are tuples in the order of their table's columns, ready for the driver.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from orchestrator.core.activity import Activity
from orchestrator.core.board import Place
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityRequested,
    ActivitySkipped,
    AnyEvent,
    ChildEnded,
    OutcomeResolved,
    Recorded,
    RunCancelRequested,
    RunContinued,
    RunEnded,
    RunMoved,
    RunReset,
    TimerCancelled,
    TimerFired,
    TimerSet,
)
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.codec import CODEC
from orchestrator.storage.tables import micros, micros_or_none, xcoms

Row: TypeAlias = tuple[Any, ...]
Pushing: TypeAlias = ActivityCompleted | ActivityFailed | ActivitySkipped | ActivityDeferred | OutcomeResolved

INERT = "imported while it was open; it does not go on here"


def history_rows(run_key: int, records: Iterable[Recorded], position: int) -> list[Row]:
    """The facts at the places after ``position``."""
    rows = []
    for place, fact in enumerate(records, position + 1):
        name, version, body = CODEC.encode(fact.event)
        rows.append((place, run_key, fact.seq, name, version, micros(fact.at), body))
    return rows


def plain(words: str) -> str:
    """Text that every database takes: no NUL, no lone surrogate."""
    return words.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def run_row(run: Run, last_seq: int) -> Row:
    """A row of ``runs``; ``last_seq`` is where its history ends."""
    created = run.created
    return (
        run.run_key,
        created.run_uid,
        created.dag_id,
        created.run_id,
        created.run_type.value,
        micros_or_none(created.logical_date),
        micros_or_none(created.data_interval_start),
        micros_or_none(created.data_interval_end),
        None if created.imported else micros_or_none(created.slot),  # here it is this home's own schedule that has it
        plain(created.triggered_by),
        None if created.note is None else plain(created.note),
        micros(run.created_at),
        *run_progress(run),
        last_seq,
        *callback_counts(run),
    )


def run_progress(run: Run) -> Row:
    """What of a row of ``runs`` changes as the run goes on, but for ``last_seq``.

    A run that was imported while it was open has its last moment as its end, since nothing goes on in it here: for
    whoever asks for open runs there is none.
    """
    ended_at = run.heard_at if run.is_inert else run.ended_at
    block = run.blocked if isinstance(run, WorkflowRun) else None
    return (
        run.version_id,
        run.state.value,
        plain(run.reason or (block.message if block else INERT if run.is_inert else "")),
        run.paused,
        run.cancelling is not None,
        None if block is None else block.kind.value,
        micros_or_none(run.started_at),
        micros_or_none(ended_at),
    )


def callback_counts(run: Run) -> tuple[int, int]:
    """How many callbacks have still to end, and how many have raised."""
    return len(run.callbacks), run.callbacks.failed


def all_places(run: Run) -> Iterator[Place]:
    """Every activity that the run has ever heard of."""
    for task_id, node in run.nodes.items():
        yield task_id, UNMAPPED
        for map_index in node.many or ():
            yield task_id, map_index


def activity_rows(run: Run, places: Iterable[Place]) -> tuple[list[Row], list[Place]]:
    """Rows of ``activities``, and the places that have none: their version does not know them (any more), a reset went
    back to before they were asked for, or nothing has happened to them (yet)."""
    run_key, nodes = run.run_key, run.nodes
    rows: list[Row] = []
    rowless: list[Place] = []
    for task_id, map_index in places:
        node = nodes.get(task_id)
        activity = None if node is None else node.peek(map_index)
        if node is None or activity is None or _is_untouched(activity):
            rowless.append((task_id, map_index))
            continue
        task = node.task
        rows.append(
            (
                run_key,
                task_id,
                map_index,
                activity.state.value,
                activity.attempt,
                activity.generation,
                activity.failures,
                activity.losses,
                micros_or_none(activity.scheduled_at),
                micros_or_none(activity.started_at),
                micros_or_none(activity.ended_at),
                micros_or_none(activity.retry_at),
                activity.scheduled_seq,
                activity.result_seq,
                activity.length,
                activity.worker,
                task.pool,
                task.pool_slots,
                task.operator,
                activity.deferred_seq if activity.is_asking else None,
                node.called(map_index) if node.names else None,
            )
        )
    return rows, rowless


def _is_untouched(activity: Activity) -> bool:
    if activity.state is TaskState.REMOVED:
        return True
    if activity.requested_seq:
        return False
    return activity.state is TaskState.NONE and activity.attempt == 0 and activity.generation == 1


_XCOM_SEQ = xcoms.columns.keys().index("seq")


class Notes:
    """What some facts say besides: timers that are set or over, payloads referred to, whether the run moved, and
    whether its timers are to be read from its state, since one fact speaks of many of them.

    ``xcoms`` are rows of what tasks pushed; ``undone`` says from which seq on those of a run count no more.
    """

    def __init__(self) -> None:
        self.timers: dict[tuple[int, str], int | None] = {}
        self.payloads: list[Row] = []
        self.xcoms: list[Row] = []
        self.undone: list[tuple[int, int]] = []
        self.ended: list[int] = []
        self.moved: list[int] = []
        self.rearmed: set[int] = set()

    def take(self, run_key: int, records: Sequence[Recorded]) -> None:
        for fact in records:
            if type(fact.event) in _NOTED:
                self._note(run_key, fact.seq, fact.event)

    def _note(self, run_key: int, seq: int, event: AnyEvent) -> None:
        if isinstance(event, Pushing) and event.xcoms:
            self._push(run_key, seq, event)
        elif isinstance(event, _REFERRING) and event.payload is not None:
            self.payloads.append((run_key, seq, event.payload.sha256))
        match event:
            case TimerSet():
                self.timers[run_key, event.timer_id] = micros(event.fire_at)
            case TimerFired() | TimerCancelled():
                self.timers[run_key, event.timer_id] = None
            case RunEnded():
                self.timers = {place: at for place, at in self.timers.items() if place[0] != run_key}
                self.ended.append(run_key)
            case RunMoved():
                self.moved.append(run_key)
            case RunReset():
                self.rearmed.add(run_key)
                self.undone.append((run_key, event.seq))
                self.xcoms = [row for row in self.xcoms if row[0] != run_key or row[_XCOM_SEQ] <= event.seq]
            case RunCancelRequested() | RunContinued():
                self.rearmed.add(run_key)
            case _:
                pass  # one that refers to a payload, or pushes something, and says no more

    def _push(self, run_key: int, seq: int, event: Pushing) -> None:
        place = (run_key, event.task_id, event.map_index)
        self.xcoms += [(*place, plain(key), event.attempt, seq, one.length) for key, one in event.xcoms.items()]
        result = event.payload if isinstance(event, ActivityCompleted | OutcomeResolved) else None
        refs = {ref.sha256 for ref in (result, *(one.payload for one in event.xcoms.values())) if ref is not None}
        self.payloads += [(run_key, seq, sha256) for sha256 in sorted(refs)]


_REFERRING = (ActivityRequested, ActivityCompleted, OutcomeResolved, ChildEnded, RunContinued, RunEnded)
_NOTED = frozenset(
    {
        *_REFERRING,
        *Pushing.__args__,
        TimerSet,
        TimerFired,
        TimerCancelled,
        RunMoved,
        RunCancelRequested,
        RunContinued,
        RunReset,
    }
)


def timer_rows(run: Run) -> list[Row]:
    """Rows of ``timers``: those that a workflow's run waits for."""
    waiting = run.timers if isinstance(run, WorkflowRun) else {}
    return [(run.run_key, timer_id, micros(fire_at)) for timer_id, fire_at in waiting.items()]
