"""The tasks of a run as a table, with those that are mapped told as one line and their counts."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import spec_version
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.activity_reads import TaskTally
from orchestrator.storage.views import ActivityRow, RunRow, seconds_between
from orchestrator.web.views.grid import GRAVITY

SHOWN = 1_000


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A task; of a mapped one, the gravest state of its instances, and how many are in each (``counts``)."""

    task_id: str
    state: str
    operator: str
    attempt: int
    started_at: datetime | None
    duration: float | None
    counts: dict[str, int]


class TaskTable(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` are the first of ``total``."""

    lines: list[TaskLine]
    total: int


def run_tasks(home: Home, run: RunRow) -> TaskTable:
    """In topological order; none while the run is only asked for. One question, however many instances there are."""
    if run.is_pending:
        return TaskTable(lines=[], total=0)
    lines = lines_of(home, run, home.reads.spec(spec_version(home, run)))
    return TaskTable(lines=lines[:SHOWN], total=len(lines))


def lines_of(home: Home, run: RunRow, spec: DagSpec, task_ids: Collection[str] | None = None) -> list[TaskLine]:
    """The tasks of a run that has begun, or some of them, in the order of the DAG."""
    tallies = home.reads.task_tallies(run.run_key, task_ids or ())
    tasks = [task for task in spec.tasks if task_ids is None or task.task_id in task_ids]
    return [
        _counted(task, tallies.get(task.task_id)) for task in tasks if task.task_id in tallies or not task.is_activity
    ]


def task_table(rows: Iterable[ActivityRow]) -> TaskTable:
    """``rows`` of one task stand together."""
    lines = [_line(list(found)) for _, found in groupby(rows, key=lambda row: row.task_id)]
    return TaskTable(lines=lines[:SHOWN], total=len(lines))


def gravest(states: Iterable[str]) -> str:
    """The state that a task is shown in whose instances are in these."""
    return min(states, key=lambda state: GRAVITY[TaskState(state)])


def _counted(task: TaskSpec, tally: TaskTally | None) -> TaskLine:
    if tally is None:
        return TaskLine(
            task_id=task.task_id,
            state=TaskState.NONE,
            operator=task.operator,
            attempt=0,
            started_at=None,
            duration=None,
            counts={},
        )
    counts = {state.value: number for state, number in tally.counts.items()}
    is_over = tally.ended == sum(counts.values())
    return TaskLine(
        task_id=task.task_id,
        state=gravest(counts),
        operator=task.operator,
        attempt=tally.tries,
        started_at=tally.started_at,
        duration=seconds_between(tally.started_at, tally.ended_at) if is_over else None,
        counts=counts if tally.is_mapped else {},
    )


def _line(rows: list[ActivityRow]) -> TaskLine:
    first = rows[0]
    counts = dict(Counter(row.state.value for row in rows))
    is_one = len(rows) == 1 and first.map_index == UNMAPPED
    return TaskLine(
        task_id=first.task_id,
        state=gravest(counts),
        operator=first.operator,
        attempt=max(row.attempt for row in rows),
        started_at=first.started_at,
        duration=first.duration if is_one else None,
        counts={} if is_one else counts,
    )
