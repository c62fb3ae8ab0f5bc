"""A workflow with a long history, all of whose processes are killed: how soon it goes on, and what its replay holds."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from benchmarks.figures import Figure
from benchmarks.sources import WORKFLOWS
from benchmarks.watch import Watch
from benchmarks.workload import Bench, blue_processes, start
from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    Recorded,
    RunCreated,
    RunStarted,
)
from orchestrator.core.plan import Plan
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import DagKind, RunType
from orchestrator.ports import Group, Part
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.testing.home import LiveHome

DAG, RUN, ACTIVITY = "in_a_row", "long", "noop"
REBUILT_SECONDS = 10.0
TO_COME = 1_000_000  # calls: more than are made while this is looked at
STRETCH = 5_000  # calls in one commit
MORE = 50  # calls after a restart, until the next kill


def measure(bench: Bench) -> Iterator[Figure]:
    calls = 10_000 if bench.quick else 100_000
    with bench.home("kill", {"flows.py": WORKFLOWS}) as home:
        watch = start(home, DAG)
        watch.trigger(DAG, "first", {"calls": 100})
        watch.ended(DAG, "first")
        fresh = _blue_mb(home)
        home.stop()
        write_history(watch, calls)
        _go_on(home, watch)
        home.kill()
        seconds = _go_on(home, watch)
        held = _blue_mb(home)
    yield Figure(
        workload="WORKFLOW",
        what=f"from the restart after a kill to the next new call's start, {calls:,} on record",
        measured=seconds,
        unit="s",
        budget=REBUILT_SECONDS,
    )
    yield Figure(
        workload="WORKFLOW",
        what="memory of the blue process that has replayed them (RSS)",
        measured=held,
        unit="MB",
        floor=fresh,
        note="beside one that has replayed 100",
    )


def _go_on(home: LiveHome, watch: Watch) -> float:
    """Start everything, and let it make some calls; seconds from the launch to the start of the first."""
    run_key = watch.reads.run(DAG, RUN).run_key
    before = watch.reads.run(DAG, RUN).last_seq
    launched_at = datetime.now(UTC)
    home.start()
    home.wait_for("it goes on", lambda: watch.reads.run(DAG, RUN).last_seq > before + 4 * MORE, timeout=300)
    new = watch.reads.facts(run_key, after=before, until=before + 4 * MORE)
    first = next(fact.at for fact in new if isinstance(fact.event, ActivityStarted))
    return (first - launched_at).total_seconds()


def _blue_mb(home: LiveHome) -> float:
    return max(process.memory_info().rss for process in blue_processes(home)) / 1e6


# ── a long history, written as a scheduler would have ────────────────────────────────────────────────────────


def write_history(watch: Watch, calls: int) -> None:
    """A run in the middle of its work, with that many calls on record; no scheduler may be there meanwhile."""
    version_id = watch.reads.dag(DAG).version_id
    plan = Plan(watch.reads.spec(version_id), version_id)
    store = watch.history_store()
    store.claim("benchmark")
    [run_key] = store.reserve_run_keys(1)
    created = RunCreated(
        dag_id=DAG,
        run_id=RUN,
        run_uid=uuid.uuid4().hex,
        run_type=RunType.MANUAL,
        version_id=version_id,
        fingerprint=plan.fingerprint,
        kind=DagKind.WORKFLOW,
        conf=msgspec.Raw(msgspec.json.encode({"calls": TO_COME})),
    )
    run = WorkflowRun(run_key, plan, Recorded(1, datetime.now(UTC), created))
    _commit(store, run, [Recorded(1, datetime.now(UTC), created), *_apply(run, [RunStarted()])], ())
    for first in range(0, calls, STRETCH):
        numbers = range(first, min(first + STRETCH, calls))
        facts = _apply(run, (event for number in numbers for event in _lived_through(number)))
        _commit(store, run, facts, numbers)
    store.release()


def _apply(run: WorkflowRun, events: Iterable[AnyEvent]) -> list[Recorded]:
    facts = []
    for event in events:
        facts.append(Recorded(run.seq + 1, datetime.now(UTC), event))
        run.apply(facts[-1])
    return facts


def _commit(store: SqlHistoryStore, run: WorkflowRun, facts: list[Recorded], numbers: Iterable[int]) -> None:
    part = Part(run=run, after=facts[0].seq - 1, records=facts, activities=[(ACTIVITY, number) for number in numbers])
    store.commit(Group(at=datetime.now(UTC), parts=[part]))


def _lived_through(number: int) -> Iterator[AnyEvent]:
    data = values.encode({"args": [number], "kwargs": {}})
    digest = hashlib.sha256(data).hexdigest()
    yield ActivityRequested(task_id=ACTIVITY, map_index=number, digest=digest, input=msgspec.Raw(data))
    yield ActivityScheduled(task_id=ACTIVITY, map_index=number)
    yield ActivityStarted(task_id=ACTIVITY, map_index=number, worker="past:1")
    yield ActivityCompleted(task_id=ACTIVITY, map_index=number)
