"""NEIGHBOUR: a run of one task while a map of another DAG wants all slots."""

import time
from statistics import median

from benchmarks.figures import Figure
from benchmarks.sources import chain
from benchmarks.watch import Watch
from benchmarks.workload import Bench, start
from orchestrator.testing.home import LiveHome

ROUNDS = 9
_PAUSE = 0.2  # seconds between two rounds

MAP = """
from orchestrator import DAG, task


@task
def items():
    return list(range({width}))


@task
def nothing(item):
    return None


with DAG("crowd", schedule=None):
    nothing.expand(item=items())
"""


def measure(bench: Bench) -> list[Figure]:
    width = 20_000 if bench.quick else 100_000
    dags = {"crowd.py": MAP.format(width=width), "alone.py": chain("alone", 1)}
    with bench.home("home", dags, {"core.parallelism": 32}) as home:
        watch = start(home, "crowd", "alone")
        took = _beside_a_map(home, watch)
    return [
        _figure(f"a run of one task beside a map of {width:,}, from its trigger to its end", median(took)),
        _figure("the longest of them", max(took)),
    ]


def _figure(what: str, seconds: float) -> Figure:
    return Figure(workload="NEIGHBOUR", what=what, measured=seconds, unit="s", budget=0.5)


def _beside_a_map(home: LiveHome, watch: Watch) -> list[float]:
    """Seconds of each round that began while the map ran."""
    watch.trigger("crowd", "all")
    home.wait_for("the map is under way", lambda: _has_begun(watch))
    took: list[float] = []
    for number in range(ROUNDS):
        if watch.reads.run("crowd", "all").is_ended:
            break
        asked_at = watch.trigger("alone", f"round_{number}")
        run = watch.ended("alone", f"round_{number}")
        assert run.ended_at is not None
        took.append((run.ended_at - asked_at).total_seconds())
        time.sleep(_PAUSE)
    return took


def _has_begun(watch: Watch) -> bool:
    run = watch.run("crowd", "all")
    return run is not None and bool(watch.reads.activities(run.run_key, task_id="nothing"))
