"""Deferrals: thousands of sensors that wait by triggers: what they hold, and whether anybody feels them."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from benchmarks.figures import Figure
from benchmarks.sources import deferrals
from benchmarks.watch import Watch
from benchmarks.workload import Bench, cpu_percent, start, trigger_processes
from orchestrator.core.events import ActivityDeferred, ActivityResumed
from orchestrator.names import TaskState
from orchestrator.testing.home import LiveHome

ROUNDS = 21
FELT = 1.5  # the reaction to an event or a trigger, beside that of a home in which nobody waits


def measure(bench: Bench) -> Iterator[Figure]:
    count = 1_000 if bench.quick else 10_000
    flags = bench.folder / "flags"
    flags.mkdir(parents=True)
    with bench.home("deferrals", {"deferrals.py": deferrals(count, flags)}) as home:
        watch = start(home, "many", "one", "first")
        alone = _latency(watch, flags), _reaction(watch)
        (process,) = trigger_processes(home)
        held, deferring = _memory(process), _defer(home, watch, count)
        what = f"{count:,} sensors wait in one process"
        yield _figure(f"{what}: from the first start to the last deferral", deferring, "s")
        busy = cpu_percent(home, rest=10, window=10)
        yield _figure(f"{what}: its memory for each", (_memory(process) - held) / count, "bytes", budget=15_000)
        yield _figure(f"{what}: of a core, all processes, a look each 5 s", busy, "%")
        event, reaction = _latency(watch, flags), _reaction(watch)
        yield _figure(f"{what}: from a file to what is recorded of it", event, "ms", floor=alone[0], budget=FELT)
        yield _figure(f"{what}: from a trigger to the first start", reaction, "ms", floor=alone[1], budget=FELT)
        yield _figure(f"{what}: from kill -9 and a start to an event", _restart(home, watch, flags), "s", budget=5.0)


def _figure(
    what: str, measured: float, unit: str, *, floor: float | None = None, budget: float | None = None
) -> Figure:
    on_ratio = floor is not None
    return Figure(
        workload="DEFERRALS", what=what, measured=measured, unit=unit, floor=floor, budget=budget, on_ratio=on_ratio
    )


def _memory(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss)


def _defer(home: LiveHome, watch: Watch, count: int) -> float:
    """Seconds until all wait."""
    watch.trigger("many", "run")

    def are_deferred() -> bool:
        run = watch.run("many", "run")
        return run is not None and len(watch.reads.activities(run.run_key, states=[TaskState.DEFERRED])) >= count

    home.wait_for("all wait", are_deferred, timeout=600)
    facts = [fact.at for fact in watch.history("many", "run") if isinstance(fact.event, ActivityDeferred)]
    began = watch.reads.run("many", "run").started_at
    assert began is not None
    return (facts[-1] - began).total_seconds()


def _latency(watch: Watch, flags: Path) -> float:
    """Milliseconds from a file's being made until the event is recorded.

    It is looked for each ms: where that is done seldom, it is mostly the moment between two looks that is measured, at
    which the file happened to come.
    """
    return median(_one_latency(watch, flags) for _ in range(ROUNDS))


def _one_latency(watch: Watch, flags: Path) -> float:
    run_id = watch.unused("one")
    path = flags / run_id
    watch.trigger("one", run_id, {"path": str(path)})
    while not (run := watch.run("one", run_id)) or not watch.reads.activities(run.run_key, states=[TaskState.DEFERRED]):
        time.sleep(0.005)
    time.sleep(0.1)  # the trigger has been begun
    made_at = time.time()
    path.touch()
    watch.ended("one", run_id)
    resumed = next(fact.at for fact in watch.history("one", run_id) if isinstance(fact.event, ActivityResumed))
    return (resumed.timestamp() - made_at) * 1000


def _reaction(watch: Watch) -> float:
    """Milliseconds from the commit of a trigger to the start of the first task."""
    return median(_one_reaction(watch) for _ in range(ROUNDS))


def _one_reaction(watch: Watch) -> float:
    run_id = watch.unused("first")
    asked_at = watch.trigger("first", run_id)
    watch.ended("first", run_id)
    row = watch.reads.tasks(watch.reads.run("first", run_id))[0]
    assert row.started_at is not None
    return (row.started_at - asked_at).total_seconds() * 1000


def _restart(home: LiveHome, watch: Watch, flags: Path) -> float:
    """Seconds from the start of a scheduler, after everything was killed, until an event of before is recorded."""
    home.kill()
    (flags / "7").touch()
    before = time.perf_counter()
    home.start("scheduler")

    def has_resumed() -> bool:
        run = watch.reads.run("many", "run")
        return bool(watch.reads.activities(run.run_key, states=[TaskState.SUCCESS], limit=1))

    home.wait_for("it goes on", has_resumed, timeout=120)
    return time.perf_counter() - before
