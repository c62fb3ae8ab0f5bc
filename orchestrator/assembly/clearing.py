"""Clearing and marking: which tasks are meant when some of a run are to run again, or to count as ended."""

from collections.abc import Iterable, Sequence

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import require_task, spec_version
from orchestrator.core.graph import ancestors, descendants
from orchestrator.core.requests import ClearTasks, MarkTask
from orchestrator.core.setups import cleared_with
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import TaskState
from orchestrator.storage.list_reads import RunFilter
from orchestrator.storage.listing import Paging, Span
from orchestrator.storage.views import RunRow

Place = tuple[str, int | None]
MOST_RUNS = 100
_BAD = (TaskState.FAILED, TaskState.UPSTREAM_FAILED)


def clearing_of(
    home: Home,
    run: RunRow,
    named: Sequence[Place] = (),
    *,
    upstream: bool = False,
    downstream: bool = False,
    only_failed: bool = False,
    same_version: bool = False,
    same_key: bool = False,
    by: str = "",
) -> ClearTasks:
    """The request that clears these tasks of a run, or all, each at one map index or at all (None), with those around
    them that are asked for, and with the setups and teardowns that go with them.

    ConflictError where nothing is left to clear.
    """
    version_id = spec_version(home, run) if same_version else home.reads.dag(run.dag_id).version_id
    spec = home.reads.spec(version_id)
    places = _spread(spec, named, upstream=upstream, downstream=downstream)
    if only_failed:
        places = _that_failed(home, run, places)
    if not places:
        raise ConflictError(f"nothing to clear: no such task of run {run.run_id!r} has failed")
    return ClearTasks(
        dag_id=run.dag_id,
        run_id=run.run_id,
        tasks=tuple(_with_setups(spec, places)),
        same_key=same_key,
        version_id=None if same_version else version_id,
        by=by,
    )


def markings_of(
    home: Home,
    run: RunRow,
    named: Sequence[Place],
    state: TaskState,
    *,
    upstream: bool = False,
    downstream: bool = False,
    by: str = "",
) -> list[MarkTask]:
    """The requests that have these tasks of a run, with those around them that are asked for, count as ``state``."""
    spec = home.reads.spec(spec_version(home, run))
    return [
        MarkTask(dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, map_index=map_index, state=state, by=by)
        for task_id, map_index in _spread(spec, named, upstream=upstream, downstream=downstream)
    ]


def runs_around(home: Home, run: RunRow, *, past: bool, future: bool) -> list[RunRow]:
    """The runs of its DAG with an earlier logical date, with a later one, or both, in their order, and the run itself.

    UsageError where they are too many to be cleared at once.
    """
    if run.logical_date is None or not (past or future):
        return [run]
    span = Span(lte=None if future else run.logical_date, gte=None if past else run.logical_date)
    paging = Paging(limit=MOST_RUNS + 1, order_by=("logical_date",))
    found = home.reads.list_runs(run.dag_id, RunFilter(spans={"logical_date": span}), paging)
    if found.total > MOST_RUNS:
        raise UsageError(f"these are {found.total} runs; at most {MOST_RUNS} are cleared at once")
    return [one for one in found.rows if one.logical_date != run.logical_date or one.run_id == run.run_id]


def _spread(spec: DagSpec, named: Sequence[Place], *, upstream: bool, downstream: bool) -> list[Place]:
    """The tasks, with those around them that were asked for, in the order of the DAG."""
    for task_id, _ in named:
        require_task(spec, task_id)
    found: dict[str, list[Place]] = {}
    for place in named or [(task.task_id, None) for task in spec.tasks]:
        found.setdefault(place[0], []).append(place)
    around: set[str] = set()
    for task_id, _ in named:
        around |= descendants(spec, task_id) if downstream else frozenset()
        around |= ancestors(spec, task_id) if upstream else frozenset()
    for task_id in around:
        found.setdefault(task_id, [(task_id, None)])
    return _in_order(spec, found)


def _that_failed(home: Home, run: RunRow, places: Iterable[Place]) -> list[Place]:
    wanted = set(places)
    failed = home.reads.activities(run.run_key, states=_BAD) if run.run_key else []
    return [(a.task_id, a.map_index) for a in failed if wanted & {(a.task_id, None), (a.task_id, a.map_index)}]


def _with_setups(spec: DagSpec, places: list[Place]) -> list[Place]:
    """With the setups and teardowns that go with them, all instances of those, in the order of the DAG."""
    extra = cleared_with(spec, [task_id for task_id, _ in places])
    if not extra:
        return places
    found: dict[str, list[Place]] = {name: [(name, None)] for name in extra}
    for place in places:
        found.setdefault(place[0], []).append(place)
    return _in_order(spec, found)


def _in_order(spec: DagSpec, found: dict[str, list[Place]]) -> list[Place]:
    return [place for task in spec.tasks for place in found.get(task.task_id, ())]
