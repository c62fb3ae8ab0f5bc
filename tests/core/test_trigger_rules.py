from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.core.activity import Upstreams
from orchestrator.core.trigger_rules import Verdict, evaluate
from orchestrator.names import FINISHED, TaskState, TriggerRule

LETTERS = {
    "s": TaskState.SUCCESS,
    "f": TaskState.FAILED,
    "u": TaskState.UPSTREAM_FAILED,
    "k": TaskState.SKIPPED,
    "r": TaskState.REMOVED,
    ".": TaskState.RUNNING,
}
VERDICTS = {"R": Verdict.RUN, "W": Verdict.WAIT, "S": Verdict.SKIP, "U": Verdict.UPSTREAM_FAILED}

# Every pair of two upstreams (success, failed, upstream_failed, skipped, not done) against every rule.
PAIRS = ["ss", "sf", "su", "sk", "s.", "ff", "fu", "fk", "f.", "uu", "uk", "u.", "kk", "k.", ".."]
TABLE = {
    TriggerRule.ALL_SUCCESS: "R U U S W U U U U U U U S S W",
    TriggerRule.ALL_FAILED: "S S S S S R R S W R S W S S W",
    TriggerRule.ALL_DONE: "R R R R W R R R W R R W R W W",
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: "R R R S W U U S W U S W S S W",
    TriggerRule.ALL_DONE_SETUP_SUCCESS: "R R R R W R R R W R R W R W W",
    TriggerRule.ONE_SUCCESS: "R R R R R U U U W U U W S W W",
    TriggerRule.ONE_FAILED: "S R R S W R R R R R R R S W W",
    TriggerRule.ONE_DONE: "R R R R R R R R R S S W S W W",
    TriggerRule.NONE_FAILED: "R U U R W U U U U U U U R W W",
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: "R U U R W U U U U U U U S W W",
    TriggerRule.NONE_SKIPPED: "R R R S W R R S W R S W S S W",
    TriggerRule.ALL_SKIPPED: "S S S S S S S S S S S S R W W",
    TriggerRule.ALWAYS: "R R R R R R R R R R R R R R R",
}
CELLS = [
    pytest.param(rule, pair, VERDICTS[verdict], id=f"{rule}-{pair}")
    for rule, row in TABLE.items()
    for pair, verdict in zip(PAIRS, row.split(), strict=True)
]

# Two upstreams of which those in capitals are setups.
SETUPS = {
    "SS": "R", "SF": "R", "SK": "R", "Ss": "R", "Sf": "R", "Fs": "U", "FF": "U", "FK": "U", "UU": "U", "Ff": "U",
    "Ks": "S", "KK": "S", "Kk": "S", "S.": "W", "F.": "W", "K.": "W", "R.": "W", "Rs": "U", "..": "W", "ss": "R",
}  # fmt: skip


def count(upstreams: Sequence[tuple[TaskState, bool]]) -> Upstreams:
    counts = Upstreams(len(upstreams), sum(setup for _, setup in upstreams))
    for state, setup in upstreams:
        if state in FINISHED:
            counts.count(state, 1, setup=setup)
    return counts


def from_letters(letters: str) -> Upstreams:
    return count([(LETTERS[letter.lower()], letter.isupper()) for letter in letters])


def test_the_table_speaks_of_every_rule() -> None:
    assert set(TABLE) == set(TriggerRule)


@pytest.mark.parametrize(("rule", "pair", "verdict"), CELLS)
def test_two_upstreams_lead_to_the_verdict_of_airflow(rule: TriggerRule, pair: str, verdict: Verdict) -> None:
    assert evaluate(rule, from_letters(pair)) is verdict


@pytest.mark.parametrize(("letters", "verdict"), SETUPS.items())
def test_a_teardown_wants_one_of_its_setups_to_have_succeeded(letters: str, verdict: str) -> None:
    assert evaluate(TriggerRule.ALL_DONE_SETUP_SUCCESS, from_letters(letters)) is VERDICTS[verdict]


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_task_without_upstreams_runs_under_every_rule(rule: TriggerRule) -> None:
    assert evaluate(rule, Upstreams()) is Verdict.RUN


# ── the rules once more, in words ────────────────────────────────────────────────────────────────────────

WORKED = TaskState.SUCCESS
BROKEN = (TaskState.FAILED, TaskState.UPSTREAM_FAILED)
SKIPPED = TaskState.SKIPPED
GONE = TaskState.REMOVED

States = Sequence[tuple[TaskState, bool]]


def words(rule: TriggerRule, upstreams: States) -> Verdict:
    """Each rule as its documentation puts it: what makes it run, what makes it impossible, else it waits."""
    states = [state for state, _ in upstreams]
    finished = all(state in FINISHED for state in states)
    some: Callable[..., bool] = lambda *wanted: any(state in wanted for state in states)  # noqa: E731
    every: Callable[..., bool] = lambda *wanted: all(state in (*wanted, GONE) for state in states)  # noqa: E731
    setups = Counter(state for state, setup in upstreams if setup)
    run = skip = fail = False
    match rule:
        case TriggerRule.ALL_SUCCESS:
            fail, skip, run = some(*BROKEN), some(SKIPPED), every(WORKED)
        case TriggerRule.ALL_FAILED:
            skip, run = some(WORKED, SKIPPED), every(*BROKEN)
        case TriggerRule.ALL_DONE:
            run = finished
        case TriggerRule.ALL_DONE_MIN_ONE_SUCCESS:
            skip = some(SKIPPED)
            fail = not skip and finished and not some(WORKED)
            run = finished and some(WORKED)
        case TriggerRule.ALL_DONE_SETUP_SUCCESS:
            skip = finished and bool(setups) and set(setups) == {SKIPPED}
            fail = finished and bool(setups) and not setups[WORKED] and not skip
            run = finished
        case TriggerRule.ONE_SUCCESS:
            run = some(WORKED)
            skip = finished and all(state is SKIPPED for state in states)
            fail = finished and not run and not skip
        case TriggerRule.ONE_FAILED:
            run = some(*BROKEN)
            skip = finished and not run
        case TriggerRule.ONE_DONE:
            run = some(WORKED, TaskState.FAILED)
            skip = finished and not run
        case TriggerRule.NONE_FAILED:
            fail, run = some(*BROKEN), finished
        case TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
            fail, skip, run = some(*BROKEN), all(state is SKIPPED for state in states), finished
        case TriggerRule.NONE_SKIPPED:
            skip, run = some(SKIPPED), finished
        case TriggerRule.ALL_SKIPPED:
            skip, run = some(WORKED, *BROKEN), every(SKIPPED)
        case TriggerRule.ALWAYS:
            run = True
    if fail:
        return Verdict.UPSTREAM_FAILED
    if skip:
        return Verdict.SKIP
    return Verdict.RUN if run else Verdict.WAIT


upstream_lists = st.lists(st.tuples(st.sampled_from(list(LETTERS.values())), st.booleans()), min_size=1, max_size=7)


@given(rule=st.sampled_from(list(TriggerRule)), upstreams=upstream_lists)
@example(rule=TriggerRule.ALL_SUCCESS, upstreams=[(TaskState.REMOVED, False), (TaskState.SUCCESS, False)])
def test_any_upstreams_lead_to_what_the_rule_says_in_words(rule: TriggerRule, upstreams: States) -> None:
    assert evaluate(rule, count(upstreams)) is words(rule, upstreams)


@given(rule=st.sampled_from(list(TriggerRule)), upstreams=upstream_lists)
def test_no_task_waits_once_all_its_upstreams_are_done(rule: TriggerRule, upstreams: States) -> None:
    done = [(state, setup) for state, setup in upstreams if state in FINISHED]
    assert evaluate(rule, count(done)) is not Verdict.WAIT


@given(
    rule=st.sampled_from(list(TriggerRule)),
    upstreams=upstream_lists,
    rest=st.lists(st.sampled_from(sorted(FINISHED)), min_size=7, max_size=7),
)
def test_a_verdict_that_something_will_not_run_is_never_taken_back(
    rule: TriggerRule, upstreams: States, rest: list[TaskState]
) -> None:
    early = evaluate(rule, count(upstreams))
    finished = [(a if a in FINISHED else b, setup) for (a, setup), b in zip(upstreams, rest, strict=False)]
    if early in (Verdict.SKIP, Verdict.UPSTREAM_FAILED):
        assert evaluate(rule, count(finished)) in (Verdict.SKIP, Verdict.UPSTREAM_FAILED)
