"""The Gantt chart of a run: when each of its tasks waited and worked, try by try, and which ones made it so long."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import spec_version
from orchestrator.core.spec import DagSpec
from orchestrator.core.stretches import KINDS, Doing, Spot, Stretch, Stretches, stretches_of
from orchestrator.names import UNMAPPED, DagKind, TaskState
from orchestrator.storage.activity_reads import TaskPart
from orchestrator.storage.views import ActivityRow, RunRow
from orchestrator.web.views.grid import Row, rows_of
from orchestrator.web.views.longest import Reach, longest, longest_of_calls
from orchestrator.web.views.run_tasks import gravest
from orchestrator.web.wording import segment

PIECE = 200
"""How many instances of a mapped task are sent at once."""
_CALLS = 2000
_CHOICES = 25


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """Some time of a try: from ``start`` to ``end``, in seconds after the origin; None: until now."""

    doing: Doing
    state: str
    attempt: int
    start: float
    end: float | None
    worker: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The bars of a task, or of one instance; ``place`` is that of its row. Of a task with several instances, ``size``
    is how many and ``counts`` how many are in which state, and its bars go from the first to the last of them.
    """

    place: int = -1
    state: str = "none"
    bars: list[Bar] = []
    map_index: int = UNMAPPED
    name: str = ""
    size: int = 0
    counts: dict[str, int] = {}
    is_critical: bool = False


class Gantt(msgspec.Struct, frozen=True, kw_only=True):
    """Moments are seconds after ``origin``, a time in milliseconds since 1970. ``began`` is when the run did, ``ended``
    None while it goes on.
    """

    origin: float
    asked: float
    began: float | None
    ended: float | None
    state: str
    is_workflow: bool
    piece: int
    rows: list[Row]
    lines: list[Line]


class DagGantt(msgspec.Struct, frozen=True, kw_only=True):
    """The run whose chart is shown, and where it is: None and nowhere while there is none. ``chosen`` is its id where
    somebody chose it, ``runs`` are those to choose from, the newest first.
    """

    run: RunRow | None
    path: str
    chosen: str
    runs: list[RunRow]


class Instances(msgspec.Struct, frozen=True, kw_only=True):
    """Some instances of a mapped task, from the ``first`` one by map_index on."""

    first: int
    lines: list[Line]


def dag_gantt_page(home: Home, dag_id: str, dag_path: str, chosen: str) -> DagGantt:
    """Of the run that was ``chosen``, or the newest."""
    runs = home.reads.runs(dag_id, limit=_CHOICES)
    run = home.reads.run(dag_id, chosen) if chosen else next(iter(runs), None)
    if run is None:
        return DagGantt(run=None, path="", chosen="", runs=[])
    others = [] if any(one.run_id == run.run_id for one in runs) else [run]
    return DagGantt(run=run, path=f"{dag_path}/runs/{segment(run.run_id)}", chosen=chosen, runs=[*runs, *others])


def gantt(home: Home, run: RunRow) -> Gantt:
    """A few narrow questions, whatever the number of instances: tries are told anew only of tasks that had several."""
    spec = home.reads.spec(spec_version(home, run))
    parts: dict[str, list[TaskPart]] = defaultdict(list)
    for part in home.reads.task_parts(run.run_key) if run.run_key else ():
        parts[part.task_id].append(part)
    tries = _tries(home, run, [found[0] for found in parts.values() if _is_one(found)])
    origin = _origin(run, parts.values(), tries)
    rows = _rows(spec, parts)
    way = {task_id for task_id, _ in _way_of_calls(home, run)} if spec.kind is DagKind.WORKFLOW else _way(spec, parts)
    lines = [
        _line(place, parts[row.id], tries, origin, is_critical=row.id in way)
        for place, row in enumerate(rows)
        if not row.is_group and row.id in parts
    ]
    return Gantt(
        origin=origin.timestamp() * 1000,
        asked=_after(run.created_at, origin),
        began=None if run.started_at is None else _after(run.started_at, origin),
        ended=None if run.ended_at is None else _after(run.ended_at, origin),
        state=run.state.value,
        is_workflow=spec.kind is DagKind.WORKFLOW,
        piece=PIECE,
        rows=rows,
        lines=lines,
    )


def instances(home: Home, run: RunRow, task_id: str, first: int, origin: datetime) -> Instances:
    """A piece of the instances of a mapped task, or of the calls of an activity."""
    rows = home.reads.instances(run.run_key, task_id, offset=first, limit=PIECE) if run.run_key else []
    again = [row.map_index for row in rows if row.attempt > 1 or row.generation > 1]
    if rows and task_id in home.reads.put_off_tasks(run.run_key):
        again = [rows[0].map_index, rows[-1].map_index]
    tries: Stretches = {}
    if again:
        facts = home.reads.facts_of_tasks(run.run_key, [task_id], KINDS, first=min(again), last=max(again))
        tries = stretches_of(facts, {(task_id, row.map_index) for row in rows}.__contains__)
    is_call = home.reads.spec(spec_version(home, run)).kind is DagKind.WORKFLOW
    way = _way_of_calls(home, run) if is_call else frozenset()
    return Instances(first=first, lines=[_instance(row, tries, origin, way) for row in rows])


def _is_one(parts: Sequence[TaskPart]) -> bool:
    return len(parts) == 1 and parts[0].number == 1


def _tries(home: Home, run: RunRow, single: Collection[TaskPart]) -> Stretches:
    """Of those that have had more than one stretch of work."""
    put_off = set(home.reads.put_off_tasks(run.run_key)) if single else set()
    spots = {
        (part.task_id, part.map_index)
        for part in single
        if part.tries > 1 or part.generations > 1 or part.task_id in put_off
    }
    indexes = [index for _, index in spots] or [UNMAPPED]
    facts = home.reads.facts_of_tasks(
        run.run_key, [task_id for task_id, _ in spots], KINDS, first=min(indexes), last=max(indexes)
    )
    return stretches_of(facts, spots.__contains__)


def _origin(run: RunRow, parts: Iterable[Sequence[TaskPart]], tries: Stretches) -> datetime:
    """When the first thing happened; of a fork that may have been before it was asked for."""
    begun = [part.scheduled_at for found in parts for part in found if part.scheduled_at is not None]
    told = [stretches[0].began_at for stretches in tries.values() if stretches]
    return min([run.started_at or run.created_at, *begun, *told])


def _rows(spec: DagSpec, parts: dict[str, list[TaskPart]]) -> list[Row]:
    """Of a workflow only what it has called; tasks of earlier versions come last."""
    rows = rows_of(spec)
    if spec.kind is DagKind.WORKFLOW:
        called = sorted((found[0].scheduled_at, name) for name, found in parts.items() if found[0].scheduled_at)
        order = {name: place for place, (_, name) in enumerate(called)}
        rows = sorted((row for row in rows if row.id in parts), key=lambda row: order.get(row.id, len(order)))
    known = {row.id for row in rows}
    return rows + [Row(id=name, label=name) for name in parts if name not in known]


def _way(spec: DagSpec, parts: dict[str, list[TaskPart]]) -> frozenset[str]:
    return longest(spec, {task_id: _reach(found) for task_id, found in parts.items()})


def _way_of_calls(home: Home, run: RunRow) -> frozenset[Spot]:
    calls = home.reads.activities(run.run_key, limit=_CALLS) if run.run_key else []
    return longest_of_calls(
        {
            (row.task_id, row.map_index): Reach(
                began_at=row.scheduled_at, ended_at=row.ended_at, is_open=row.ended_at is None
            )
            for row in calls
        }
    )


def _reach(parts: Sequence[TaskPart]) -> Reach:
    if len(parts) == 1:
        (part,) = parts
        is_open = part.ended_at is None and part.scheduled_at is not None
        return Reach(began_at=part.scheduled_at, ended_at=part.ended_at, is_open=is_open)
    ends = [part.ended_at for part in parts if part.ended_at is not None]
    begins = [part.scheduled_at for part in parts if part.scheduled_at is not None]
    return Reach(
        began_at=min(begins, default=None),
        ended_at=max(ends, default=None),
        is_open=any(part.ended_at is None and part.scheduled_at is not None for part in parts),
    )


def _line(place: int, parts: Sequence[TaskPart], tries: Stretches, origin: datetime, *, is_critical: bool) -> Line:
    first = parts[0]
    state = first.state.value if len(parts) == 1 else gravest(part.state for part in parts)
    if _is_one(parts):
        bars = _bars(tries.get((first.task_id, first.map_index)), first, first.tries, origin)
        return Line(place=place, state=state, bars=bars, map_index=first.map_index, is_critical=is_critical)
    return Line(
        place=place,
        state=state,
        bars=_around(parts, state, origin),
        size=sum(part.number for part in parts),
        counts={part.state.value: part.number for part in parts},
        is_critical=is_critical,
    )


def _instance(row: ActivityRow, tries: Stretches, origin: datetime, way: Collection[Spot]) -> Line:
    spot: Spot = (row.task_id, row.map_index)
    return Line(
        state=row.state.value,
        bars=_bars(tries.get(spot), row, row.attempt, origin),
        map_index=row.map_index,
        name=row.rendered_map_index or "",
        is_critical=spot in way,
    )


def _bars(told: list[Stretch] | None, row: TaskPart | ActivityRow, attempt: int, origin: datetime) -> list[Bar]:
    """As its facts tell; where there is nothing to tell, as it stands."""
    if told:
        return [_bar(stretch, origin) for stretch in told]
    return _plain(row.scheduled_at, row.started_at, row.ended_at, row.state, attempt, origin, row.worker)


def _bar(told: Stretch, origin: datetime) -> Bar:
    end = None if told.ended_at is None else _after(told.ended_at, origin)
    return Bar(told.doing, told.state.value, told.attempt, _after(told.began_at, origin), end, told.worker)


def _around(parts: Sequence[TaskPart], state: str, origin: datetime) -> list[Bar]:
    """From the first to the last of several."""
    started = min((part.started_at for part in parts if part.started_at is not None), default=None)
    reach = _reach(parts)
    ended = None if reach.is_open else reach.ended_at
    return _plain(reach.began_at, started, ended, TaskState(state), 0, origin, "")


def _plain(
    scheduled: datetime | None,
    started: datetime | None,
    ended: datetime | None,
    state: TaskState,
    attempt: int,
    origin: datetime,
    worker: str,
) -> list[Bar]:
    bars: list[Bar] = []
    end = None if ended is None else _after(ended, origin)
    if scheduled is not None:
        until = end if started is None else _after(started, origin)
        bars.append(Bar(Doing.QUEUED, state.value, attempt, _after(scheduled, origin), until, worker))
    if started is not None:
        bars.append(Bar(Doing.RUNNING, state.value, attempt, _after(started, origin), end, worker))
    return bars


def _after(at: datetime, origin: datetime) -> float:
    return round((at - origin).total_seconds(), 6)
