"""W3: 50 runs of a chain of 10 no-op tasks at once."""

from benchmarks.figures import Figure
from benchmarks.sources import chain
from benchmarks.watch import Watch
from benchmarks.workload import Bench, start

RUNS, LENGTH = 50, 10
ROUNDS = 3
BUDGET = 0.3


def measure(bench: Bench) -> list[Figure]:
    with bench.home("home", {"row.py": chain("row", LENGTH)}) as home:
        watch = start(home, "row")
        rate = max(_rate(watch, number) for number in range(ROUNDS))
    return [
        Figure(
            workload="W3",
            what=f"{RUNS} runs of a chain of {LENGTH} at once",
            measured=rate,
            unit="/s",
            floor=bench.floors.pool,
            budget=BUDGET,
            direction="at least",
            on_ratio=True,
        )
    ]


def _rate(watch: Watch, number: int) -> float:
    names = [f"round_{number}_{run}" for run in range(RUNS)]
    watch.trigger_all("row", names)
    runs = [watch.ended("row", name) for name in names]
    started = min(run.started_at for run in runs if run.started_at is not None)
    ended = max(run.ended_at for run in runs if run.ended_at is not None)
    return RUNS * LENGTH / (ended - started).total_seconds()
