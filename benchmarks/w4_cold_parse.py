"""W4: 200 DAG files of 10 tasks, from an empty home until all are listed."""

from benchmarks.figures import Figure
from benchmarks.sources import chain
from benchmarks.watch import Watch
from benchmarks.workload import Bench, seconds

FILES, TASKS = 200, 10
BUDGET = 3.0


def measure(bench: Bench) -> list[Figure]:
    sources = {f"dag_{number:03}.py": chain(f"dag_{number:03}", TASKS) for number in range(FILES)}
    with bench.home("home", sources) as home:
        home.run("db", "migrate")

        def parse() -> None:
            home.start("dag-processor")
            watch = Watch(home)
            home.wait_for("every DAG is listed", lambda: len(watch.dag_ids()) == FILES, timeout=120)

        taken = seconds(parse)
    return [
        Figure(
            workload="W4",
            what=f"{FILES} new files of {TASKS} tasks, until all are listed",
            measured=taken,
            unit="s",
            budget=BUDGET,
        )
    ]
