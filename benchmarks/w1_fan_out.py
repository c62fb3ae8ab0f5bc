"""W1: one run of 1 + N + 1 no-op tasks, N of them parallel."""

from benchmarks.figures import Figure
from benchmarks.sources import fan_out
from benchmarks.watch import Watch, seconds_of
from benchmarks.workload import Bench, start

BUDGET = 0.4
JUDGED = 5000
ROUNDS = 3


def measure(bench: Bench) -> list[Figure]:
    widths = (500,) if bench.quick else (500, JUDGED)
    with bench.home("home", {f"wide_{width}.py": fan_out(f"wide_{width}", width) for width in widths}) as home:
        watch = start(home, *(f"wide_{width}" for width in widths))
        return [_figure(bench, width, max(_rate(watch, width, number) for number in range(ROUNDS))) for width in widths]


def _rate(watch: Watch, width: int, number: int) -> float:
    watch.trigger(f"wide_{width}", f"round_{number}")
    return (width + 2) / seconds_of(watch.ended(f"wide_{width}", f"round_{number}"))


def _figure(bench: Bench, width: int, rate: float) -> Figure:
    return Figure(
        workload="W1",
        what=f"{width:,} parallel tasks in one run",
        measured=rate,
        unit="/s",
        floor=bench.floors.pool,
        budget=BUDGET if width >= JUDGED else None,
        direction="at least",
        on_ratio=True,
    )
