"""``python -m tests.simulation.reproduce --seed N …``: run one turmoil of workflows again and show its histories.

It is the line that a failing seed prints.
"""

import argparse
import random
import sys

import msgspec

from orchestrator.testing.reproduce import show
from tests.simulation.blue_checks import survive
from tests.simulation.blue_turmoil import BlueTurmoil


def drawn(seed: int, *, small: bool) -> BlueTurmoil:
    """The turmoil that a sweep makes of a seed."""
    dice = random.Random(seed)
    return BlueTurmoil(
        seed=seed,
        stories=dice.randint(1, 2 if small else 4),
        size=3 if small else dice.choice((3, 8)),
        crash_rate=dice.choice((0.0, 0.02, 0.1)),
        outage_rate=dice.choice((0.0, 0.05, 0.2)),
        loss_rate=dice.choice((0.0, 0.1)),
        noise=dice.choice((0.0, 0.0, 0.3)),
        meddling=dice.choice((0.1, 0.5, 0.9)),
        outlives=dice.random() < 0.5,
    )


def main(arguments: list[str]) -> int:
    """Exit status 0 when every promise is kept, 1 when one is broken."""
    try:
        unrest = survive(_turmoil(arguments))
    except AssertionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    show(unrest.sim)
    return 0


def _turmoil(arguments: list[str]) -> BlueTurmoil:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.reproduce", description=__doc__)
    for field in msgspec.structs.fields(BlueTurmoil):
        name = f"--{field.name.replace('_', '-')}"
        if field.type is bool:
            parser.add_argument(name, action="store_true")
        else:
            assert field.type in (int, float), field
            parser.add_argument(name, type=field.type, default=field.default, required=field.required)
    return BlueTurmoil(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
