"""``python -m orchestrator.testing.reproduce --seed N …``: run one scenario again and show its histories."""

import argparse
import sys

import msgspec

from orchestrator.testing.scenario import Scenario
from orchestrator.testing.simulation import Simulation
from orchestrator.testing.turmoil import Turmoil


def main(arguments: list[str]) -> int:
    """Exit status 0 when every invariant holds, 1 when one is broken."""
    try:
        sim = _run(arguments)
    except AssertionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    show(sim)
    return 0


def show(sim: Simulation) -> None:
    """Print every history of a world in which every invariant holds."""
    for run_key, facts in sim.histories():
        for fact in facts:
            told = msgspec.json.encode(fact.event).decode()
            sys.stdout.write(f"run {run_key} {fact.seq:4} {fact.at:%H:%M:%S.%f} {type(fact.event).__name__} {told}\n")
    sys.stdout.write(f"every invariant holds; {sim.restarts} crashes, {sim.crashes.steps} steps\n")


def _run(arguments: list[str]) -> Simulation:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.testing.reproduce", description=__doc__)
    parser.add_argument("--turmoil", action="store_true", help="several DAGs, and people who meddle")
    is_turmoil = parser.parse_known_args(arguments)[0].turmoil
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--tasks", type=int, default=5 if is_turmoil else 6)
    parser.add_argument("--crash-rate", type=float, default=0.0)
    parser.add_argument("--outlives", action="store_true")
    if is_turmoil:
        parser.add_argument("--dags", type=int, default=2)
        parser.add_argument("--outage-rate", type=float, default=0.0)
        parser.add_argument("--noise", type=float, default=0.0)
        parser.add_argument("--meddling", type=float, default=0.3)
        parser.add_argument("--deferring", type=float, default=0.0)
    else:
        parser.add_argument("--crash-at", type=int, default=0)
        parser.add_argument("--clears", action="store_true")
    given = vars(parser.parse_args(arguments))
    del given["turmoil"]
    return Turmoil(**given).run() if is_turmoil else Scenario(**given).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
