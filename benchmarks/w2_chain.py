"""W2: a chain of 100 no-op tasks, each recorded before the next one starts."""

from benchmarks.figures import Figure
from benchmarks.sources import chain
from benchmarks.watch import seconds_of
from benchmarks.workload import Bench, start

LENGTH = 100
ROUNDS = 3
OWN_MS = 0.7


def measure(bench: Bench) -> list[Figure]:
    with bench.home("home", {"row.py": chain("row", LENGTH)}) as home:
        watch = start(home, "row")
        rounds = []
        for number in range(ROUNDS):
            watch.trigger("row", f"round_{number}")
            rounds.append(seconds_of(watch.ended("row", f"round_{number}")) * 1000 / LENGTH)
    return [
        Figure(
            workload="W2",
            what=f"one hop of a chain of {LENGTH}",
            measured=min(rounds),
            unit="ms",
            floor=bench.floors.commit_ms,
            budget=bench.floors.commit_ms + OWN_MS,
            note=f"budget: the floor + {OWN_MS} ms",
        )
    ]
