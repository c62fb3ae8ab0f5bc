"""How long the runs of a DAG take, and which of its tasks make them so long, or are getting slower."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from statistics import median, quantiles

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.storage.duration_reads import TaskTime
from orchestrator.storage.views import DagRow, RunRow, seconds_between
from orchestrator.web import wording

RUNS = (25, 50, 100)
HEIGHT = 200
_LINES = 4
_MOST_CELLS = 15_000
_FEWEST = 3
_MUCH = 0.1
_MATTERS = 0.05
WIDE, HIGH = 100, 20
ROOM = 20
"""There is room for so many bars at least: the only one of a new DAG is a bar, and no wall."""
_ROUND = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
_UNITS = (86_400, 3_600, 60, 1)


class RunBar(msgspec.Struct, frozen=True, kw_only=True):
    """A run: ``size`` is how high its bar is, and ``queued`` the part on top that it waited; of ``HEIGHT``."""

    run: RunRow
    title: str
    size: float
    queued: float


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A line across the bars."""

    name: str
    seconds: float
    at: float


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """``share`` is that of the time of all tasks, ``change`` how much longer the newer half of runs took, None where
    there are too few to tell; ``points`` draw its durations in ``WIDE`` by ``HIGH``.
    """

    time: TaskTime
    share: float
    mean: float
    change: float | None
    points: str

    @property
    def is_slower(self) -> bool:
        """By so much that somebody should look."""
        return self.change is not None and self.change > _MUCH and self.time.lately - self.time.before > _MATTERS


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """The last ended runs, the oldest first. ``scale`` are the texts of the axis, the highest first; ``task_runs`` is
    how many of the runs the tasks are told of.
    """

    bars: list[RunBar]
    levels: list[Level]
    scale: list[str]
    tasks: list[TaskLine]
    task_runs: int
    failed: int


def durations(home: Home, dag: DagRow, *, count: int, landing: bool, now: datetime) -> Durations:
    """Three questions. With ``landing``, how long after it was due each run had ended."""
    found = [run for run in home.reads.runs(dag.dag_id, limit=count + dag.header.max_active_runs) if run.started_at]
    runs = [run for run in found if run.is_ended][:count][::-1]
    times = [_lasted(run, landing=landing, now=now) for run in runs]
    waits = [0.0 if landing else seconds_between(run.created_at, run.started_at) or 0.0 for run in runs]
    highest = _round(max(map(sum, zip(times, waits, strict=True)), default=0.0))
    few = runs[-max(_FEWEST, _MOST_CELLS // max(dag.task_count, 1)) :]
    return Durations(
        bars=[
            RunBar(
                run=run,
                title=_title(run, time, wait, landing=landing),
                size=_size(time, highest),
                queued=_size(wait, highest),
            )
            for run, time, wait in zip(runs, times, waits, strict=True)
        ],
        levels=_levels(times, highest),
        scale=[wording.duration(highest * step / _LINES) for step in range(_LINES, -1, -1)] if runs else [],
        tasks=_tasks(home, dag, few),
        task_runs=len(few),
        failed=sum(run.state.value == "failed" for run in runs),
    )


def _lasted(run: RunRow, *, landing: bool, now: datetime) -> float:
    begun = (run.slot or run.data_interval_end or run.created_at) if landing else run.started_at
    return seconds_between(begun, run.ended_at or now) or 0.0


def _size(seconds: float, highest: float) -> float:
    return round(HEIGHT * seconds / highest, 2) if highest else 0.0


def _title(run: RunRow, time: float, wait: float, *, landing: bool) -> str:
    parts = [run.run_id, wording.in_words(run.state)]
    parts.append(f"had landed after {wording.duration(time)}" if landing else f"took {wording.duration(time)}")
    if wait >= 1:
        parts.append(f"waited {wording.duration(wait)} before")
    return " · ".join(parts)


def _levels(times: Sequence[float], highest: float) -> list[Level]:
    if len(times) < 2:
        return []
    known = {"median": median(times), "p95": quantiles(times, n=20, method="inclusive")[-1]}
    return [
        Level(name=name, seconds=seconds, at=round(HEIGHT - _size(seconds, highest), 2))
        for name, seconds in known.items()
    ]


def _round(seconds: float) -> float:
    """A number somewhat higher that quarters of read well."""
    if seconds <= 0:
        return 1.0
    unit = next((unit for unit in _UNITS if seconds >= unit), 1)
    tens = 1.0
    while seconds / unit > 10 * tens:
        tens *= 10
    while seconds / unit < tens:
        tens /= 10
    return next(unit * tens * step for step in _ROUND if unit * tens * step >= seconds)


def _tasks(home: Home, dag: DagRow, runs: Sequence[RunRow]) -> list[TaskLine]:
    if not runs:
        return []
    keys = [run.run_key for run in runs]
    times = home.reads.task_times(dag.dag_id, keys, keys[len(keys) // 2])
    each: dict[str, dict[int, float]] = defaultdict(dict)
    for key, task_id, seconds in home.reads.times_in_runs(dag.dag_id, keys, [time.task_id for time in times]):
        each[task_id][key] = seconds
    total = sum(time.total for time in times)
    return [
        TaskLine(
            time=time,
            share=time.total / total if total else 0.0,
            mean=time.total / time.runs,
            change=_change(time),
            points=_points([each[time.task_id].get(key) for key in keys]),
        )
        for time in times
    ]


def _change(time: TaskTime) -> float | None:
    return (
        None
        if time.runs < 2 * _FEWEST or not time.before or not time.lately
        else round(time.lately / time.before - 1, 2) + 0.0
    )


def _points(seconds: Sequence[float | None]) -> str:
    """Of an SVG line; runs in which it did not run are passed over."""
    highest = max((one for one in seconds if one), default=0.0) or 1.0
    step = WIDE / max(len(seconds) - 1, 1)
    return " ".join(
        f"{place * step:.1f},{HIGH - 1 - (HIGH - 2) * one / highest:.1f}"
        for place, one in enumerate(seconds)
        if one is not None
    )
