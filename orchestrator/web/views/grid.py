"""The grid: runs beside each other, tasks below each other, in groups that fold."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec
from orchestrator.names import TaskState
from orchestrator.storage.grid_reads import Cell
from orchestrator.storage.views import RunRow, seconds_between
from orchestrator.web.views.bars import bars
from orchestrator.web.wording import segment

STATES = [state.value for state in TaskState]
RUNS = (25, 50, 100)
_DIGITS = "0123456789abcdef"
_LONGEST_GLANCE = 5000


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task, or a group of them; ``parent`` is the row of the group around it, -1 at the top."""

    id: str
    label: str
    depth: int = 0
    parent: int = -1
    is_group: bool = False
    is_mapped: bool = False
    about: str = ""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A run, the oldest first."""

    key: int
    run_id: str
    state: str
    size: int
    title: str
    path: str


class States(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run's states: a digit for each row, the place of its state among all, of a mapped task the gravest; how many
    instances are in which state, and how many seconds it took, by row.
    """

    states: str
    counts: dict[int, dict[str, int]] = {}
    seconds: dict[int, float] = {}


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """``older`` is the run_key before which the next page of runs begins; None where there are no older ones."""

    states: list[str]
    rows: list[Row]
    columns: list[Column]
    cells: list[States]
    older: int | None


def grid(home: Home, dag_id: str, now: datetime, *, count: int = RUNS[0], before: int | None = None) -> Grid:
    """Four questions, whatever the number of runs and tasks."""
    dag = home.reads.dag(dag_id)
    found = home.reads.runs(dag_id, limit=count + 1, before_key=before)
    runs = found[:count][::-1]
    rows = rows_of(home.reads.spec(dag.version_id))
    with_times = len(rows) * len(runs) <= _LONGEST_GLANCE
    by_run: dict[int, list[Cell]] = defaultdict(list)
    for cell in home.reads.cells(dag_id, [run.run_key for run in runs if run.run_key], with_times=with_times):
        by_run[cell.run_key].append(cell)
    places = {row.id: place for place, row in enumerate(rows) if not row.is_group}
    return Grid(
        states=STATES,
        rows=rows,
        columns=_columns(runs, now),
        cells=[_states(by_run[run.run_key], places, len(rows), now if with_times else None) for run in runs],
        older=runs[0].run_key if len(found) > count and runs[0].run_key else None,
    )


def rows_of(spec: DagSpec) -> list[Row]:
    """Groups stand where their first task does; tasks in their order, the topological one."""
    groups = {group.group_id: group for group in spec.groups}
    members: dict[str, list[TaskSpec | str]] = defaultdict(list)
    for task in spec.tasks:
        _place(task.group, groups, members)
        members[task.group].append(task)
    rows: list[Row] = []
    _lay_out(rows, "", -1, 0, groups, members)
    return rows


def _place(group_id: str, groups: dict[str, GroupSpec], members: dict[str, list[TaskSpec | str]]) -> None:
    """Put a group, and those around it, where they are met first."""
    if not group_id:
        return
    parent = groups[group_id].parent if group_id in groups else ""
    _place(parent, groups, members)
    if group_id not in members[parent]:
        members[parent].append(group_id)


def _lay_out(
    rows: list[Row],
    group_id: str,
    parent: int,
    depth: int,
    groups: dict[str, GroupSpec],
    members: dict[str, list[TaskSpec | str]],
) -> None:
    for member in members[group_id]:
        if isinstance(member, TaskSpec):
            rows.append(_row_of_task(member, parent, depth))
            continue
        group = groups.get(member, GroupSpec(group_id=member))
        label = group.display_name or member.rpartition(".")[2]
        is_mapped = group.mapping is not None
        rows.append(
            Row(
                id=member,
                label=label,
                depth=depth,
                parent=parent,
                is_group=True,
                is_mapped=is_mapped,
                about=group.tooltip or "",
            )
        )
        _lay_out(rows, member, len(rows) - 1, depth + 1, groups, members)


def _row_of_task(task: TaskSpec, parent: int, depth: int) -> Row:
    label = task.task_id.removeprefix(f"{task.group}.") if task.group else task.task_id
    return Row(
        id=task.task_id,
        label=task.display_name or label,
        depth=depth,
        parent=parent,
        is_mapped=task.is_mapped,
        about=task.operator,
    )


def _columns(runs: Sequence[RunRow], now: datetime) -> list[Column]:
    return [
        Column(
            key=run.run_key,
            run_id=run.run_id,
            state=run.state.value,
            size=bar.size,
            title=bar.title,
            path=f"/dags/{segment(run.dag_id)}/runs/{segment(run.run_id)}",
        )
        for run, bar in zip(runs, bars(runs, now), strict=True)
    ]


_GRAVEST = (
    "failed",
    "upstream_failed",
    "awaiting_input",
    "up_for_retry",
    "restarting",
    "running",
    "up_for_reschedule",
    "deferred",
    "queued",
    "scheduled",
    "none",
    "removed",
    "skipped",
    "success",
)
GRAVITY = {state: place for place, state in enumerate(_GRAVEST)}


def _states(cells: Iterable[Cell], places: dict[str, int], size: int, now: datetime | None) -> States:
    """``now`` None: without seconds."""
    digits = [_DIGITS[0]] * size
    gravest: dict[int, int] = {}
    counts: dict[int, dict[str, int]] = {}
    seconds: dict[int, float] = {}
    for cell in cells:
        place = places.get(cell.task_id)
        if place is None:
            continue
        gravity = GRAVITY[cell.state]
        if gravity < gravest.get(place, len(GRAVITY)):
            gravest[place] = gravity
            digits[place] = _DIGITS[STATES.index(cell.state)]
        if cell.is_mapped:
            counts.setdefault(place, {})[cell.state] = cell.number
        lasted = seconds_between(cell.started_at, cell.ended_at or now)
        if now is not None and lasted is not None:
            seconds[place] = round(max(lasted, seconds.get(place, 0.0)), 2)
    return States(states="".join(digits), counts=counts, seconds=seconds)
