"""The tasks of a run as a table, with those that are mapped told as one line and their counts."""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.views import ActivityRow, RunRow
from orchestrator.web.views.grid import GRAVITY

SHOWN = 1_000


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A task; of a mapped one, the gravest state of its instances, and how many are in each (``counts``)."""

    task_id: str
    state: str
    operator: str
    attempt: int
    map_index: int
    duration: float | None
    row: ActivityRow
    counts: dict[str, int]


class TaskTable(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` are the first of ``total``."""

    lines: list[TaskLine]
    total: int


def run_tasks(home: Home, run: RunRow) -> TaskTable:
    """In topological order; none while the run is only asked for."""
    return task_table([] if run.is_pending else home.reads.tasks(run))


def task_table(rows: Iterable[ActivityRow]) -> TaskTable:
    """``rows`` of one task stand together."""
    lines = [_line(list(found)) for _, found in groupby(rows, key=lambda row: row.task_id)]
    return TaskTable(lines=lines[:SHOWN], total=len(lines))


def _line(rows: list[ActivityRow]) -> TaskLine:
    first = rows[0]
    counts = dict(Counter(row.state.value for row in rows))
    is_one = len(rows) == 1 and first.map_index == UNMAPPED
    return TaskLine(
        task_id=first.task_id,
        state=min(counts, key=lambda state: GRAVITY[TaskState(state)]),
        operator=first.operator,
        attempt=max(row.attempt for row in rows),
        map_index=first.map_index,
        duration=first.duration if is_one else None,
        row=first,
        counts={} if is_one else counts,
    )
