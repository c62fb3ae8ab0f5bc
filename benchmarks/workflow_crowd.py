"""Workflow: many runs at once: what a node of a DAG costs that is a workflow, and whether anybody waits for long."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import psutil

from benchmarks.figures import Figure
from benchmarks.sources import CROWD, nodes
from benchmarks.watch import Watch, seconds_of
from benchmarks.workload import Bench, blue_processes, start
from orchestrator.core.events import SignalReceived

CALLS = 20
FLAT = 1.3


def measure(bench: Bench) -> Iterator[Figure]:
    yield from _nodes(bench, *((25, 100) if bench.quick else (250, 1_000)))
    yield from _crowd(bench, *((25, 100) if bench.quick else (100, 1_000)))


def _nodes(bench: Bench, few: int, many: int) -> Iterator[Figure]:
    """A DAG whose tasks are all workflows: each is a child run with one call."""
    files = {"crowd.py": CROWD, "few.py": nodes("few", few), "many.py": nodes("many", many)}
    with bench.home("nodes", files) as home:
        watch = start(home, "few", "many", "node")
        scheduler = psutil.Process(watch.scheduler_pid())
        watch.trigger("few", "warm")
        watch.ended("few", "warm")
        held = scheduler.memory_info().rss
        floor = min(_node_ms(watch, "few", few) for _ in range(3))
        each = min(_node_ms(watch, "many", many) for _ in range(3))
        kept = (scheduler.memory_info().rss - held) / many
    yield Figure(
        workload="WORKFLOW",
        what=f"one of {many:,} nodes of a DAG that are workflows, beside one of {few:,}",
        measured=each,
        unit="ms",
        floor=floor,
        budget=FLAT,
        on_ratio=True,
    )
    yield Figure(workload="WORKFLOW", what="scheduler memory of such a node", measured=kept, unit="bytes")


def _node_ms(watch: Watch, dag_id: str, count: int) -> float:
    run_id = watch.unused(dag_id)
    watch.trigger(dag_id, run_id)
    return seconds_of(watch.ended(dag_id, run_id)) * 1000 / count


def _crowd(bench: Bench, few: int, many: int) -> Iterator[Figure]:
    """Runs that all get the signal that they wait for, and then call one activity after the other."""
    with bench.home("crowd", {"crowd.py": CROWD}) as home:
        watch = start(home, "talks")
        scheduler = psutil.Process(watch.scheduler_pid())
        floor, _, _ = max(_let_go(watch, few) for _ in range(3))
        held = scheduler.memory_info().rss
        rate, longest, last = _let_go(watch, many)
        kept = (scheduler.memory_info().rss - held) / many
        replayed = sum(process.memory_info().rss for process in blue_processes(home)) / 1e6
        rate = max(rate, _let_go(watch, many)[0])
    what = f"{many:,} workflows of {CALLS} calls at once"
    yield Figure(
        workload="WORKFLOW",
        what=f"{what}, beside {few:,}",
        measured=rate,
        unit="/s",
        floor=floor,
        budget=1 / FLAT,
        direction="at least",
        on_ratio=True,
    )
    yield Figure(workload="WORKFLOW", what=f"{what}: the longest that one heard nothing", measured=longest, unit="s")
    yield Figure(
        workload="WORKFLOW", what=f"{what}: the last to end, beside the median", measured=last, unit="", budget=FLAT
    )
    yield Figure(workload="WORKFLOW", what=f"{what}: scheduler memory of one", measured=kept, unit="bytes")
    yield Figure(workload="WORKFLOW", what=f"{what}: blue memory of all", measured=replayed, unit="MB")


def _let_go(watch: Watch, count: int) -> tuple[float, float, float]:
    """Calls a second; the longest pause of a run, in seconds; the last to end, in units of the median."""
    first = watch.unused("talks")
    names = [f"{first}_{number}" for number in range(count)]
    watch.trigger_all("talks", names)
    for name in names:
        watch.succeeded("talks", name, "noop")
    watch.signal_all("talks", names, "go_on")
    ended = [watch.ended("talks", name).ended_at for name in names]
    heard = [_moments(watch, name) for name in names]
    began = min(moments[0] for moments in heard)
    took = sorted((end - began).total_seconds() for end in ended if end is not None)
    pauses = [(after - before).total_seconds() for moments in heard for before, after in pairwise(moments)]
    return count * CALLS / took[-1], max(pauses), took[-1] / took[len(took) // 2]


def _moments(watch: Watch, run_id: str) -> list[datetime]:
    """Those of all facts from the signal on."""
    facts = watch.history("talks", run_id)
    heard = next(fact.seq for fact in facts if isinstance(fact.event, SignalReceived))
    return [fact.at for fact in facts if fact.seq >= heard]
