"""A crash at every single fact of each order workflow: whatever was recorded is handed back, and one charge is made."""

from pathlib import Path

import pytest

from benchmarks.every_event import EXAMPLES, Example, Till, prepare
from orchestrator.testing.doom import DoomedHome

FEWEST = 14  # facts of the shortest of these runs


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_wherever_everything_is_killed_the_order_ends_as_it_should(tmp_path: Path, example: Example) -> None:
    with DoomedHome(tmp_path) as home:
        prepare(home)
        with home.open() as door:
            kills = {kill.seq: list(kill.faults(example)) for kill in Till(home, door, example).kills()}
    assert len(kills) >= FEWEST
    assert {seq: faults for seq, faults in kills.items() if faults} == {}
