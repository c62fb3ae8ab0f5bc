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
PAST = (0, 100_000, 1_000_000)
PAST_RUN = 1_000
IN_A_RUN, IN_THE_DATABASE, BYTES_A_TASK = 1.3, 1.1, 3_000
SETTINGS = {"core.dagbag_import_timeout": 600}


def measure(bench: Bench) -> list[Figure]:
    return [*_with_the_run(bench), *_with_the_database(bench)]


# ── a run of more and more tasks ─────────────────────────────────────────────────────────────────────────────


def _with_the_run(bench: Bench) -> Iterator[Figure]:
    base = None
    width, memory = 1, 0.0
    for width in WIDTHS[:3] if bench.quick else WIDTHS:
        cost, memory = _one_width(bench, width)
        base = cost if width == BASE else base
        yield Figure(
            workload="GROWTH",
            what=f"a task in a run of {width:,}",
            measured=cost * 1e6,
            unit="µs",
            floor=None if base is None else base * 1e6,
            budget=IN_A_RUN if width == WIDTHS[-1] else None,
            on_ratio=True,
        )
    yield Figure(
        workload="GROWTH",
        what="scheduler memory a task, in the largest run",
        measured=memory / width,
        unit="bytes",
        budget=None if bench.quick else BYTES_A_TASK,
    )


def _one_width(bench: Bench, width: int) -> tuple[float, float]:
    """Seconds a task, the best of some runs, and the bytes that the scheduler grew by."""
    name = f"wide_{width}"
    with bench.home(name, {f"{name}.py": fan_out(name, width)}, SETTINGS) as home:
        watch = start(home, name, timeout=600)
        before = _scheduler(watch).memory_info().rss
        rounds = []
        for number in range(3 if width <= BASE else 1):
            watch.trigger(name, f"round_{number}")
            rounds.append(seconds_of(watch.ended(name, f"round_{number}", timeout=600)) / (width + 2))
        return min(rounds), _scheduler(watch).memory_info().rss - before


def _scheduler(watch: Watch) -> psutil.Process:
    return psutil.Process(watch.scheduler_pid())


# ── a database with more and more in it ──────────────────────────────────────────────────────────────────────


def _with_the_database(bench: Bench) -> Iterator[Figure]:
    base = None
    for past in PAST[:2] if bench.quick else PAST:
        with bench.home(f"past_{past}", {"wide.py": fan_out("wide", BASE)}) as home:
            cost = _after(home, past)
        base = cost if base is None else base
        yield Figure(
            workload="GROWTH",
            what=f"a task in a run of {BASE:,}, after {past:,} past activities",
            measured=cost * 1e6,
            unit="µs",
            floor=base * 1e6,
            budget=IN_THE_DATABASE if past == PAST[-1] else None,
            on_ratio=True,
        )


def _after(home: LiveHome, past: int) -> float:
    """Seconds a task, the best of five runs, in a database with ``past`` recorded activities."""
    watch = start(home, "wide")
    if past:
        home.stop()
        _fill(watch, past)
        home.start()
    rounds = []
    for number in range(5):
        watch.trigger("wide", f"round_{number}")
        rounds.append(seconds_of(watch.ended("wide", f"round_{number}")) / (BASE + 2))
    return min(rounds)


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
