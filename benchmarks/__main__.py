"""``python -m benchmarks``: measure, show one table, say what was missed."""

import importlib
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from benchmarks import floors
from benchmarks.figures import Figure, as_json, as_table
from benchmarks.workload import Bench

WORKLOADS = {
    "W1": "benchmarks.w1_fan_out",
    "W2": "benchmarks.w2_chain",
    "W3": "benchmarks.w3_many_runs",
    "W4": "benchmarks.w4_cold_parse",
    "W5": "benchmarks.w5_kill",
    "W6": "benchmarks.w6_footprint",
    "REACTION": "benchmarks.reaction",
    "NEIGHBOUR": "benchmarks.neighbour",
    "GROWTH": "benchmarks.growth",
    "QUARANTINE": "benchmarks.quarantine",
    "WORKFLOW": "benchmarks.workflow",
    "DEFERRALS": "benchmarks.deferrals",
}
WEB = {
    "PAGES": "benchmarks.web_pages",
    "WATCHERS": "benchmarks.web_watchers",
}
"""Those that take minutes, and a browser: measured where they are asked for."""

_WIDTH = 110  # wide enough for the table where the output is no terminal


@click.command()
@click.argument("also", nargs=-1, metavar="[W2 W3 …]")
@click.option("--only", multiple=True, metavar="W1", help="Measure only this workload; may be given again.")
@click.option("--json", "in_json", is_flag=True, help="Print JSON and nothing else on stdout.")
@click.option("--quick", is_flag=True, help="Smaller sizes: to see that it works, not to quote.")
def main(also: Sequence[str], only: Sequence[str], *, in_json: bool, quick: bool) -> None:
    """Measure W1 to W6, reaction and more, each beside this machine's floors of this run.

    PAGES and WATCHERS are measured where they are named.
    """
    chosen = [name.upper() for name in (*only, *also)] or list(WORKLOADS)
    known = WORKLOADS | WEB
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise click.UsageError(f"there is no workload {unknown[0]}; there are {', '.join(known)}")
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as folder:
        figures = _measure(chosen, Path(folder), quick=quick, console=console)
    if in_json:
        click.echo(as_json(figures))
    else:
        screen = Console()
        screen.width = max(screen.width, _WIDTH)
        screen.print(as_table(figures))
    missed = sum(figure.met is False for figure in figures)
    budgets = sum(figure.met is not None for figure in figures)
    console.print(f"{platform.machine()}, Python {platform.python_version()}: {missed} of {budgets} budgets missed")


def _measure(chosen: Sequence[str], folder: Path, *, quick: bool, console: Console) -> list[Figure]:
    with console.status("floors: a bare process pool, bare pipes, bare durable commits"):
        found = floors.measure(folder)
    figures = [
        Figure(workload="FLOOR", what="bare process pool, no-op calls", measured=found.pool, unit="/s"),
        Figure(workload="FLOOR", what="bare pipes, no-op calls", measured=found.pipes, unit="/s"),
        Figure(workload="FLOOR", what="durable one-row commits", measured=found.commits, unit="/s"),
    ]
    for name in chosen:
        module: Any = importlib.import_module((WORKLOADS | WEB)[name])
        with console.status(f"{name}: {module.__doc__.splitlines()[0]}"):
            bench = Bench(folder=folder / name.lower(), floors=found, quick=quick)
            measured = module.measure(bench)
        figures += [msgspec.structs.replace(figure, workload=name) for figure in measured]
    return figures


if __name__ == "__main__":
    main()
