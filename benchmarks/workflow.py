"""Workflow: what plain code costs that is replayed: a hop, a gather, the way back after a kill, a start, a crowd."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from statistics import median

import psutil

from benchmarks.figures import Direction, Figure
from benchmarks.sources import WORKFLOWS, chain
from benchmarks.watch import Watch, seconds_of
from benchmarks.workflow_crowd import measure as measure_crowd
from benchmarks.workflow_kill import measure as measure_kill
from benchmarks.workload import Bench, blue_processes, cpu_percent, start
from orchestrator.core.events import ActivityStarted
from orchestrator.testing.home import LiveHome

FILES = {"flows.py": WORKFLOWS}
FLOWS = ("in_a_row", "at_once", "waiting")
ROUNDS = 3
HOPS, BASE = 1_000, 100
OWN_MS, FLAT = 2.0, 1.3
TOGETHER = 0.3
WAITING = 1_000
COLD = {"workflows.idle_seconds": 1}


def measure(bench: Bench) -> list[Figure]:
    return [*_calls(bench), *measure_kill(bench), *_waiting(bench), *_starts(bench), *measure_crowd(bench)]


def _figure(
    what: str,
    measured: float,
    unit: str,
    *,
    floor: float | None = None,
    budget: float | None = None,
    direction: Direction = "at most",
    on_ratio: bool = False,
    note: str = "",
) -> Figure:
    return Figure(
        workload="WORKFLOW",
        what=what,
        measured=measured,
        unit=unit,
        floor=floor,
        budget=budget,
        direction=direction,
        on_ratio=on_ratio,
        note=note,
    )


# ── calls, one after the other and all at once ───────────────────────────────────────────────────────────────


def _calls(bench: Bench) -> Iterator[Figure]:
    with bench.home("calls", {**FILES, "row.py": chain("row", BASE)}) as home:
        watch = start(home, *FLOWS, "row")
        _run(watch, "in_a_row", "warm_up", BASE)
        yield from _in_a_row(bench, watch)
        yield from _at_once(bench, watch)


def _in_a_row(bench: Bench, watch: Watch) -> Iterator[Figure]:
    commits, many = 2 * bench.floors.commit_ms, 2_000 if bench.quick else 10_000
    yield _figure(
        f"one hop of {HOPS:,} calls in a row",
        _hop_ms(watch, HOPS),
        "ms",
        floor=commits,
        budget=commits + OWN_MS,
        note=f"the floor is two durable commits; budget: the floor + {OWN_MS} ms",
    )
    watch.trigger("row", "static")
    hop = seconds_of(watch.ended("row", "static")) * 1000 / BASE
    yield _figure(f"one hop of a chain of {BASE} tasks, in the same home", hop, "ms", floor=bench.floors.commit_ms)
    first, last = _first_and_last_ms(watch, many)
    yield _figure(
        f"one hop among the last of {many:,} calls, beside the first",
        last,
        "ms",
        floor=first,
        budget=FLAT,
        on_ratio=True,
        note=f"the best {BASE} of the last tenth, and of the first",
    )


def _first_and_last_ms(watch: Watch, calls: int) -> tuple[float, float]:
    """A hop early and late in one run; the best stretch of each, as the machine may have had other things to do."""
    run_id = _unused(calls)
    _run(watch, "in_a_row", run_id, calls)
    facts = watch.history("in_a_row", run_id)
    starts = [fact.at for fact in facts if isinstance(fact.event, ActivityStarted)]
    stretches = [(end - begin) / timedelta(milliseconds=BASE) for begin, end in pairwise(starts[::BASE])]
    tenth = max(1, len(stretches) // 10)
    return min(stretches[:tenth]), min(stretches[-tenth:])


def _hop_ms(watch: Watch, calls: int) -> float:
    """Of the best round."""
    return min(_run(watch, "in_a_row", _unused(calls), calls) for _ in range(ROUNDS)) * 1000 / calls


def _at_once(bench: Bench, watch: Watch) -> Iterator[Figure]:
    for calls in (1_000,) if bench.quick else (1_000, 10_000):
        rate = calls / min(_run(watch, "at_once", _unused(calls), calls) for _ in range(ROUNDS))
        yield _figure(
            f"{calls:,} calls at once",
            rate,
            "/s",
            floor=bench.floors.pool,
            budget=TOGETHER,
            direction="at least",
            on_ratio=True,
        )


def _unused(calls: int) -> str:
    return f"{calls}_{uuid.uuid4().hex}"


def _run(watch: Watch, dag_id: str, run_id: str, calls: int) -> float:
    """Seconds of one run."""
    watch.trigger(dag_id, run_id, {"calls": calls})
    return seconds_of(watch.ended(dag_id, run_id, timeout=600))


# ── many that wait ───────────────────────────────────────────────────────────────────────────────────────────


def _waiting(bench: Bench) -> Iterator[Figure]:
    with bench.home("waiting", FILES) as home:
        watch = start(home, *FLOWS)
        _run(watch, "in_a_row", "warm_up", BASE)
        scheduler = psutil.Process(watch.scheduler_pid())
        held, replayed = scheduler.memory_info().rss, _blue_bytes(home)
        watch.trigger_all("waiting", [f"waiting_{number}" for number in range(WAITING)])
        home.wait_for("all wait for their signal", lambda: _are_told(watch), timeout=120)
        share = cpu_percent(home, rest=2, window=5 if bench.quick else 30)
        note = f"{WAITING:,} workflows that wait for a signal"
        yield _figure("scheduler memory of a workflow that waits", _each(scheduler.memory_info().rss, held), "bytes")
        yield _figure("blue memory of a workflow that waits", _each(_blue_bytes(home), replayed), "bytes", note=note)
        yield _figure("CPU while they wait, of a core", share, "%", budget=0.5)


def _are_told(watch: Watch) -> bool:
    return len([run for run in watch.reads.runs("waiting", limit=WAITING) if run.started_at is not None]) >= WAITING


def _each(now: int, before: int) -> float:
    return (now - before) / WAITING


def _blue_bytes(home: LiveHome) -> int:
    return sum(process.memory_info().rss for process in blue_processes(home))


# ── from a trigger to the first activity ─────────────────────────────────────────────────────────────────────


def _starts(bench: Bench) -> Iterator[Figure]:
    with bench.home("starts", FILES, COLD) as home:
        watch = start(home, *FLOWS)
        cold = [_cold_start(home, watch, number) for number in range(ROUNDS)]
        warm = [_start_ms(watch, f"warm_{number}") for number in range(2 * ROUNDS)][1:]
    yield _figure("from a trigger to the first call's start, no blue process yet", median(cold), "ms")
    yield _figure("the same with a warm one", median(warm), "ms", budget=50)


def _cold_start(home: LiveHome, watch: Watch, number: int) -> float:
    home.wait_for("the blue processes have ended", lambda: not blue_processes(home))
    return _start_ms(watch, f"cold_{number}")


def _start_ms(watch: Watch, run_id: str) -> float:
    asked_at = watch.trigger("in_a_row", run_id, {"calls": 1})
    watch.ended("in_a_row", run_id)
    started = next(fact.at for fact in watch.history("in_a_row", run_id) if isinstance(fact.event, ActivityStarted))
    return (started - asked_at).total_seconds() * 1000
