"""W6: cold start, what an idle orchestrator costs, and what an install weighs."""

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.figures import Figure
from benchmarks.sources import ONCE, chain
from benchmarks.watch import Watch
from benchmarks.workload import Bench, cpu_percent, pss_mb, seconds
from orchestrator.testing.home import LiveHome

START_BUDGET, MEMORY_BUDGET, CPU_BUDGET, DISTRIBUTIONS_BUDGET = 2.0, 150.0, 0.5, 40


def measure(bench: Bench) -> list[Figure]:
    starts = [_first_run(bench, number) for number in range(3)]
    return [
        Figure(
            workload="W6",
            what="from launch to the first recorded run",
            measured=min(starts),
            unit="s",
            budget=START_BUDGET,
        ),
        *_idle(bench),
        *_install(),
    ]


def _first_run(bench: Bench, number: int) -> float:
    with bench.home(f"start_{number}", {"first.py": ONCE}) as home:
        return seconds(lambda: _run_once(home))


def _run_once(home: LiveHome) -> Watch:
    home.start()
    watch = Watch(home)
    home.wait_for("the first run ends", lambda: any(run.is_ended for run in watch.reads.runs("first")))
    return watch


def _idle(bench: Bench) -> list[Figure]:
    window = 5.0 if bench.quick else 30.0
    with bench.home("idle", {f"dag_{n}.py": chain(f"dag_{n}", 10) for n in range(10)} | {"first.py": ONCE}) as home:
        _run_once(home)
        share = cpu_percent(home, rest=5, window=window)
        processes = home.processes()
        memory = pss_mb(processes)
    note = f"{len(processes)} processes, 11 DAG files, over {window:g} s"
    return [
        Figure(
            workload="W6",
            what="idle memory (PSS over all processes)",
            measured=memory,
            unit="MB",
            budget=MEMORY_BUDGET,
            note=note,
        ),
        Figure(workload="W6", what="idle CPU, of a core", measured=share, unit="%", budget=CPU_BUDGET),
    ]


def _install() -> list[Figure]:
    found = _closure("orchestrator")
    size = sum(_size(each) for each in found.values()) / 1e6
    return [
        Figure(
            workload="W6",
            what="distributions in a default install",
            measured=len(found),
            unit="",
            budget=DISTRIBUTIONS_BUDGET,
        ),
        Figure(workload="W6", what="size of a default install", measured=size, unit="MB"),
    ]


def _closure(name: str) -> dict[str, Distribution]:
    """Every distribution that ``pip install NAME`` brings, extras left out."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        needed = map(Requirement, found[name].requires or ())
        waiting += [need.name.lower() for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def _size(found: Distribution) -> int:
    places = [Path(str(found.locate_file(file))) for file in found.files or ()]
    return sum(place.stat().st_size for place in places if place.is_file())
