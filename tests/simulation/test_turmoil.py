"""Several DAGs under everything that people, executor, database and machine can do to them."""

import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.testing.reproduce import main
from orchestrator.testing.turmoil import Turmoil

SWEEP = int(os.environ.get("ORCHESTRATOR_TEST_SEEDS", "2000"))

TURMOILS = st.builds(
    Turmoil,
    seed=st.integers(0, 2**32),
    dags=st.integers(1, 3),
    tasks=st.integers(1, 7),
    crash_rate=st.sampled_from((0.0, 0.02, 0.1)),
    outage_rate=st.sampled_from((0.0, 0.05, 0.2)),
    noise=st.sampled_from((0.0, 0.3)),
    meddling=st.sampled_from((0.2, 0.8)),
    deferring=st.sampled_from((0.0, 0.0, 0.5)),
    outlives=st.booleans(),
)


# A start that was said again waited to be recorded while the database was away, and its callback was gone.
A_START_IS_NO_SIGN_OF_LIFE = Turmoil(
    seed=2**32 - 1, dags=1, tasks=4, crash_rate=0.02, outage_rate=0.2, noise=0.3, meddling=0.8
)


@settings(max_examples=60)
@example(A_START_IS_NO_SIGN_OF_LIFE)
@given(TURMOILS)
def test_every_invariant_holds_in_turmoil(turmoil: Turmoil) -> None:
    turmoil.run()


@settings(max_examples=8)
@given(TURMOILS)
def test_the_same_turmoil_gives_the_same_histories(turmoil: Turmoil) -> None:
    assert dict(turmoil.run().histories()) == dict(turmoil.run().histories())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_invariant_holds_in_thousands_of_turmoils() -> None:
    for seed in range(SWEEP):
        rough = seed % 3
        Turmoil(
            seed=seed,
            dags=1 + seed % 3,
            tasks=2 + seed % 6,
            crash_rate=(0.0, 0.02, 0.1)[rough],
            outage_rate=(0.2, 0.0, 0.05)[rough],
            noise=0.3 * (seed % 2),
            meddling=(0.2, 0.8)[seed % 2],
            deferring=0.5 * (seed % 4 == 3),
            outlives=seed % 5 < 2,
        ).run()


def test_a_turmoil_is_run_again_by_the_line_that_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    turmoil = Turmoil(seed=7, tasks=3, crash_rate=0.1, outlives=True)
    words = turmoil.command().split()
    assert words[:3] == ["python", "-m", "orchestrator.testing.reproduce"]
    assert main(words[3:]) == 0
    assert "every invariant holds" in capsys.readouterr().out
