"""Growth: whether the cost of a task stays flat as a run, and as the database, grows."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import psutil

from benchmarks.figures import Figure
from benchmarks.sources import fan_out
from benchmarks.watch import Watch, seconds_of
from benchmarks.workload import Bench, start
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    Recorded,
    RunCreated,
    RunEnded,
)
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.names import UNMAPPED, RunState, RunType
from orchestrator.ports import Group, Part
from orchestrator.testing.home import LiveHome

WIDTHS = (100, 1_000, 10_000, 100_000)
BASE = 1_000
PAST = (100_000, 1_000_000)
PAST_RUN = 1_000
TURNS = 7
IN_A_RUN, IN_THE_DATABASE, BYTES_A_TASK = 1.3, 1.1, 3_000
SETTINGS = {"core.dagbag_import_timeout": 600}


def measure(bench: Bench) -> list[Figure]:
    return [*_with_the_run(bench), *_with_the_database(bench)]


# ── a run of more and more tasks ─────────────────────────────────────────────────────────────────────────────


def _with_the_run(bench: Bench) -> Iterator[Figure]:
    """Each beside a run of ``BASE`` in the same home, before it and after it; the first run, in which every worker
    loads the DAG's code, is also shown by itself."""
    widths = WIDTHS[:3] if bench.quick else WIDTHS
    costs, base, memory = [0.0], 1.0, 0.0
    for width in widths:
        costs, base, memory = _beside_base(bench, width)
        yield _ratio(f"a task in a run of {width:,}", min(costs), base, IN_A_RUN if width == WIDTHS[-1] else None)
    yield _ratio(f"a task in the first run of {widths[-1]:,}, with its load", costs[0], base, None)
    yield Figure(
        workload="GROWTH",
        what="scheduler memory a task, in the largest run",
        measured=memory / widths[-1],
        unit="bytes",
        budget=None if bench.quick else BYTES_A_TASK,
    )


def _beside_base(bench: Bench, width: int) -> tuple[list[float], float, float]:
    """Seconds a task at ``width`` of each round, at ``BASE`` at best, and the bytes that the scheduler grew by."""
    sources = {"wide.py": fan_out("wide", width), "base.py": fan_out("base", BASE)}
    with bench.home(f"wide_{width}", sources, SETTINGS) as home:
        watch = start(home, "wide", "base", timeout=600)
        base = _costs(watch, "base", BASE, 3)
        before = _scheduler(watch).memory_info().rss
        wide = _costs(watch, "wide", width, 3)
        grown = _scheduler(watch).memory_info().rss - before
        base += _costs(watch, "base", BASE, 3)
    return wide, min(base), grown


def _costs(watch: Watch, dag_id: str, width: int, rounds: int) -> list[float]:
    """Seconds a task, of each round."""
    return [_cost(watch, dag_id, width) for _ in range(rounds)]


def _cost(watch: Watch, dag_id: str, width: int) -> float:
    run_id = uuid.uuid4().hex
    watch.trigger(dag_id, run_id)
    return seconds_of(watch.ended(dag_id, run_id, timeout=600)) / (width + 2)


def _ratio(what: str, cost: float, base: float, budget: float | None) -> Figure:
    return Figure(
        workload="GROWTH", what=what, measured=cost * 1e6, unit="µs", floor=base * 1e6, budget=budget, on_ratio=True
    )


def _scheduler(watch: Watch) -> psutil.Process:
    return psutil.Process(watch.scheduler_pid())


# ── a database with more and more in it ──────────────────────────────────────────────────────────────────────


def _with_the_database(bench: Bench) -> Iterator[Figure]:
    """Each beside an empty database, in turns."""
    for past in PAST[:1] if bench.quick else PAST:
        source = {"wide.py": fan_out("wide", BASE)}
        with bench.home(f"empty_{past}", source) as empty, bench.home(f"past_{past}", source) as filled:
            cost, base = _in_turns(empty, filled, past)
        what = f"a task in a run of {BASE:,}, after {past:,} past activities"
        yield _ratio(what, cost, base, IN_THE_DATABASE if past == PAST[-1] else None)


def _in_turns(empty: LiveHome, filled: LiveHome, past: int) -> tuple[float, float]:
    """Seconds a task with ``past`` recorded activities, and with none: the best of some turns."""
    without, having = start(empty, "wide"), start(filled, "wide")
    filled.stop()
    _fill(having, past)
    filled.start()
    turns = [(_cost(having, "wide", BASE), _cost(without, "wide", BASE)) for _ in range(TURNS)]
    return min(cost for cost, _ in turns), min(base for _, base in turns)


def _fill(watch: Watch, past: int) -> None:
    """Write ended runs through the store's own commits, as a scheduler would have."""
    dag = watch.reads.dag("wide")
    plan = Plan(watch.reads.spec(dag.version_id), dag.version_id)
    store = watch.history_store()
    store.claim("benchmark")
    for key in store.reserve_run_keys(past // PAST_RUN):
        store.commit(Group(at=datetime.now(UTC), parts=[_ended_run(key, plan)]))
    store.release()


def _ended_run(key: int, plan: Plan) -> Part:
    at = datetime.now(UTC)
    created = RunCreated(
        dag_id=plan.spec.dag_id,
        run_id=f"past_{key}",
        run_uid=uuid.uuid4().hex,
        run_type=RunType.MANUAL,
        version_id=plan.version_id,
        fingerprint=plan.fingerprint,
    )
    records = [Recorded(seq, at, event) for seq, event in enumerate((created, *_lived_through(plan)), 1)]
    run = Run(key, plan, records[0])
    for record in records[1:]:
        run.apply(record)
    return Part(
        run=run, after=0, records=records, activities=[(name, UNMAPPED) for name in islice(plan.tasks, PAST_RUN)]
    )


def _lived_through(plan: Plan) -> Iterator[AnyEvent]:
    for name in islice(plan.tasks, PAST_RUN):
        yield ActivityScheduled(task_id=name)
        yield ActivityStarted(task_id=name, worker="past:1")
        yield ActivityCompleted(task_id=name)
    yield RunEnded(state=RunState.SUCCESS)
