"""Random workflows under everything that people, executor, database and machine can do to them."""

import os
import random

import pytest

from tests.simulation.blue_checks import check_all, check_memory
from tests.simulation.blue_turmoil import BlueTurmoil, Unrest

SWEEP = int(os.environ.get("ORCHESTRATOR_TEST_SEEDS", "2000")) // 10


def drawn(seed: int, *, small: bool) -> BlueTurmoil:
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


def survive(turmoil: BlueTurmoil) -> None:
    unrest = Unrest(turmoil)
    unrest.check = lambda: check_memory(unrest)
    try:
        unrest.live()
        check_all(unrest)
    except AssertionError as error:
        raise AssertionError(f"{error}\nof {turmoil}") from error


@pytest.mark.parametrize("seed", range(12))
def test_workflows_keep_every_promise_in_turmoil(seed: int) -> None:
    survive(drawn(seed, small=True))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_workflows_keep_every_promise_in_hundreds_of_turmoils() -> None:
    for seed in range(1000, 1000 + SWEEP):
        survive(drawn(seed, small=False))
