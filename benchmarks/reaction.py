"""Reaction: how soon something happens after a person asked for it."""

from functools import partial
from statistics import median

from benchmarks.figures import Figure
from benchmarks.sources import chain
from benchmarks.watch import Watch
from benchmarks.workload import Bench, seconds, start
from orchestrator.testing.home import LiveHome

ROUNDS = 7


def measure(bench: Bench) -> list[Figure]:
    with bench.home("home", {f"dag_{n}.py": chain(f"dag_{n}", 3) for n in range(10)}) as home:
        watch = start(home, "dag_0")
        return [
            _figure("from a committed trigger to the first task's start", _to_first_start(watch) * 1000, "ms", 50),
            _figure("from a saved DAG file to the list", _to_listed(home, watch), "s", 1.0),
            _figure("`orchestrator --help`", _command(home, "--help"), "s", 0.25),
            _figure("`orchestrator dags list`", _command(home, "dags", "list"), "s", 0.5),
        ]


def _figure(what: str, measured: float, unit: str, budget: float) -> Figure:
    return Figure(workload="REACTION", what=what, measured=measured, unit=unit, budget=budget)


def _to_first_start(watch: Watch) -> float:
    return median(_start_after_trigger(watch, f"round_{number}") for number in range(ROUNDS))


def _start_after_trigger(watch: Watch, run_id: str) -> float:
    asked_at = watch.trigger("dag_0", run_id)
    watch.ended("dag_0", run_id)
    row = watch.reads.tasks(watch.reads.run("dag_0", run_id))[0]
    assert row.started_at is not None
    return (row.started_at - asked_at).total_seconds()


def _to_listed(home: LiveHome, watch: Watch) -> float:
    def save_and_wait(number: int) -> None:
        home.write_dag(f"new_{number}.py", chain(f"new_{number}", 3))
        home.wait_for("the new DAG is listed", lambda: f"new_{number}" in watch.dag_ids())

    return median(seconds(partial(save_and_wait, number)) for number in range(ROUNDS))


def _command(home: LiveHome, *arguments: str) -> float:
    home.run(*arguments).check_returncode()
    return median(seconds(lambda: home.run(*arguments)) for _ in range(ROUNDS))
