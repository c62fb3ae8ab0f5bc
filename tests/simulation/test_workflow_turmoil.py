"""Random workflows under everything that people, executor, database and machine can do to them."""

import os
import subprocess
import sys

import pytest

from tests.simulation import blue_checks
from tests.simulation.blue_checks import survive
from tests.simulation.blue_turmoil import BlueTurmoil, Unrest
from tests.simulation.reproduce import drawn, main

SWEEP = int(os.environ.get("ORCHESTRATOR_TEST_SEEDS", "2000")) // 10  # one takes as long as some of DAGs


@pytest.mark.parametrize("seed", range(12))
def test_workflows_keep_every_promise_in_turmoil(seed: int) -> None:
    survive(drawn(seed, small=True))


def test_the_same_turmoil_of_workflows_gives_the_same_histories() -> None:
    turmoil = drawn(100_036, small=False)
    assert dict(survive(turmoil).sim.histories()) == dict(survive(turmoil).sim.histories())


def test_a_turmoil_of_workflows_is_run_again_by_the_line_that_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    turmoil = BlueTurmoil(seed=7, stories=2, size=3, crash_rate=0.05, loss_rate=0.1, outlives=True)
    python, *words = turmoil.command().split()
    assert python == "python"
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert main(words[2:]) == 0
    assert done.stdout == capsys.readouterr().out


@pytest.mark.parametrize("error", [AssertionError("it never ended"), KeyError("a run")])
def test_a_broken_promise_prints_the_one_line_that_reproduces_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Unrest) -> None:
        raise error

    turmoil = BlueTurmoil(seed=3, stories=1, size=1)
    monkeypatch.setattr(blue_checks, "check_all", broken)
    assert main(turmoil.command().split()[3:]) == 1
    assert f"{type(error).__name__}: {error}\nrun it again with: {turmoil.command()}" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_workflows_keep_every_promise_in_hundreds_of_turmoils() -> None:
    for seed in range(1000, 1000 + SWEEP):
        survive(drawn(seed, small=False))
