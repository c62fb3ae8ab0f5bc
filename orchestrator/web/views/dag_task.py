"""A task of a DAG, over its runs: how it went, and what it is."""

from collections import defaultdict
from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.spec import TaskSpec
from orchestrator.exceptions import NotFoundError
from orchestrator.names import TaskState
from orchestrator.nearest import did_you_mean
from orchestrator.storage.grid_reads import Cell
from orchestrator.storage.views import RunRow, seconds_between
from orchestrator.web.prose import Prose, prose
from orchestrator.web.views.bars import size_of
from orchestrator.web.views.run_tasks import gravest
from orchestrator.web.wording import duration, in_words, path_of_activity

PER_PAGE = 50
STATES = ("success", "failed", "running", "skipped", "upstream_failed", "awaiting_input")


class RunOfTask(msgspec.Struct, frozen=True, kw_only=True):
    """The task in one run: a bar of ``size`` 1 to 10, and a line; ``counts`` of its instances, if it is mapped."""

    run: RunRow
    state: str
    counts: dict[str, int]
    started_at: datetime | None
    seconds: float | None
    size: int
    path: str
    title: str


class DagTask(msgspec.Struct, frozen=True, kw_only=True):
    """``runs`` are the newest first; ``older`` is the run_key before which the next page begins."""

    task: TaskSpec
    after: list[str]
    doc: Prose | None
    runs: list[RunOfTask]
    state: str
    before: int | None
    older: int | None


def dag_task(home: Home, dag_id: str, task_id: str, state: str, before: int | None, now: datetime) -> DagTask:
    """Three questions; NotFoundError where the DAG has no such task now and had none in its last runs."""
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    wanted = TaskState(state) if state in set(TaskState) else None
    found = home.reads.runs_of_task(dag_id, task_id, state=wanted, before_key=before, limit=PER_PAGE + 1)
    task = next((one for one in spec.tasks if one.task_id == task_id), None)
    if task is None and not found:
        near = did_you_mean(task_id, (one.task_id for one in spec.tasks))
        raise NotFoundError(f"the DAG {dag_id!r} has no task {task_id!r}{near}")
    runs = found[:PER_PAGE]
    return DagTask(
        task=task or TaskSpec(task_id=task_id),
        after=[one.task_id for one in spec.tasks if task_id in one.upstream],
        doc=prose(task.doc) if task and task.doc else None,
        runs=_runs(home, dag_id, task_id, runs, now),
        state=wanted.value if wanted else "",
        before=before,
        older=runs[-1].run_key if len(found) > PER_PAGE else None,
    )


def _runs(home: Home, dag_id: str, task_id: str, runs: list[RunRow], now: datetime) -> list[RunOfTask]:
    cells: dict[int, list[Cell]] = defaultdict(list)
    for cell in home.reads.cells(dag_id, [run.run_key for run in runs], task_id=task_id):
        cells[cell.run_key].append(cell)
    lasted = {key: _lasted(some, now) for key, some in cells.items()}
    longest = max((seconds for seconds in lasted.values() if seconds), default=0.0)
    return [
        _run(run, task_id, cells[run.run_key], lasted[run.run_key], longest) for run in runs if run.run_key in lasted
    ]


def _lasted(cells: list[Cell], now: datetime) -> float | None:
    """From when the first of them began until the last has ended."""
    began = min((cell.started_at for cell in cells if cell.started_at), default=None)
    open_ones = any(cell.started_at and not cell.ended_at for cell in cells)
    ended = now if open_ones else max((cell.ended_at for cell in cells if cell.ended_at), default=None)
    return seconds_between(began, ended)


def _run(run: RunRow, task_id: str, cells: list[Cell], seconds: float | None, longest: float) -> RunOfTask:
    counts = {cell.state: cell.number for cell in cells}
    is_mapped = any(cell.is_mapped for cell in cells)
    state = gravest(counts)
    path, _ = path_of_activity(run.dag_id, run.run_id, task_id, -1)
    return RunOfTask(
        run=run,
        state=state,
        counts=counts if is_mapped else {},
        started_at=min((cell.started_at for cell in cells if cell.started_at), default=None),
        seconds=seconds,
        size=size_of(seconds, longest),
        path=f"{path}/instances" if is_mapped else path,
        title=f"{run.run_id} · {in_words(state)} · {duration(seconds)}",
    )
