from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.retry import retry_at
from orchestrator.core.spec import RetryRule, RetrySpec, TaskSpec
from orchestrator.names import FailureKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def wait(retry: RetrySpec, **changes: Any) -> timedelta | None:
    """How long a failed attempt waits for the next one."""
    given: dict[str, Any] = {"map_index": -1, "attempt": 1, "failures": 1, "kind": FailureKind.ERROR, "types": ()}
    at = retry_at(run_uid="run", task=TaskSpec(task_id="t", retry=retry), now=NOW, **(given | changes))
    return None if at is None else at - NOW


def test_a_task_without_retries_is_not_tried_again() -> None:
    assert wait(RetrySpec()) is None


def test_as_many_failures_as_retries_are_forgiven() -> None:
    retry = RetrySpec(retries=2, delay=MINUTE)
    assert [wait(retry, failures=n) for n in (1, 2, 3)] == [MINUTE, MINUTE, None]


def test_the_default_delay_is_five_minutes() -> None:
    assert wait(RetrySpec(retries=1)) == 5 * MINUTE


def test_an_exponential_delay_grows_by_its_factor_up_to_the_cap() -> None:
    retry = RetrySpec(retries=9, delay=MINUTE, exponential=3, max_delay=20 * MINUTE)
    waits = [wait(retry, failures=n) for n in (1, 2, 3, 4, 5)]
    assert waits == [MINUTE, 3 * MINUTE, 9 * MINUTE, 20 * MINUTE, 20 * MINUTE]


def test_a_growth_beyond_all_numbers_ends_at_the_cap() -> None:
    retry = RetrySpec(retries=10_000, delay=MINUTE, exponential=10, max_delay=timedelta(days=1))
    assert wait(retry, failures=5_000) == timedelta(days=1)


def test_no_delay_stays_no_delay_however_often_it_grows() -> None:
    assert wait(RetrySpec(retries=10_000, delay=timedelta(0), exponential=10), failures=5_000) == timedelta(0)


def test_a_delay_beyond_the_calendar_ends_at_its_last_moment() -> None:
    forever = RetrySpec(retries=1, delay=timedelta.max, max_delay=timedelta.max)
    assert NOW + (wait(forever) or timedelta(0)) == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("kind", [FailureKind.NON_RETRYABLE, FailureKind.CANCELLED, FailureKind.LOST])
def test_some_failures_are_final_whatever_the_retries(kind: FailureKind) -> None:
    always = RetrySpec(retries=5, rules=(RetryRule(exception="ValueError"),))
    assert wait(always, kind=kind, types=("builtins.ValueError",)) is None


@pytest.mark.parametrize(
    "kind",
    [FailureKind.ERROR, FailureKind.TIMEOUT, FailureKind.QUEUED_TIMEOUT, FailureKind.ENCODING, FailureKind.LOADING],
)
def test_all_other_failures_are_tried_again(kind: FailureKind) -> None:
    assert wait(RetrySpec(retries=1, delay=MINUTE), kind=kind) == MINUTE


HTTP = ("requests.exceptions.HTTPError", "requests.exceptions.RequestException", "builtins.OSError")


@pytest.mark.parametrize("name", ["requests.exceptions.HTTPError", "HTTPError", "RequestException", "OSError"])
def test_a_rule_matches_a_class_or_its_base_by_path_or_bare_name(name: str) -> None:
    retry = RetrySpec(retries=1, delay=MINUTE, rules=(RetryRule(exception=name, retry=False),))
    assert wait(retry, types=HTTP) is None


@pytest.mark.parametrize("name", ["exceptions.HTTPError", "Error", "ValueError", "other.HTTPError"])
def test_a_rule_for_another_class_changes_nothing(name: str) -> None:
    retry = RetrySpec(retries=1, delay=MINUTE, rules=(RetryRule(exception=name, retry=False),))
    assert wait(retry, types=HTTP) == MINUTE


def test_an_exact_rule_leaves_subclasses_to_others() -> None:
    retry = RetrySpec(retries=1, delay=MINUTE, rules=(RetryRule(exception="OSError", retry=False, exact=True),))
    assert wait(retry, types=HTTP) == MINUTE
    assert wait(retry, types=("builtins.OSError", "builtins.Exception")) is None


def test_the_first_rule_that_matches_decides() -> None:
    slow = RetryRule(exception="HTTPError", retry_delay=7 * MINUTE)
    never = RetryRule(exception="OSError", retry=False)
    assert wait(RetrySpec(retries=1, rules=(slow, never)), types=HTTP) == 7 * MINUTE
    assert wait(RetrySpec(retries=1, rules=(never, slow)), types=HTTP) is None


def test_the_delay_of_a_rule_does_not_grow_but_is_capped() -> None:
    rule = RetryRule(exception="OSError", retry_delay=7 * MINUTE)
    retry = RetrySpec(retries=9, exponential=2, max_delay=6 * MINUTE, rules=(rule,))
    assert wait(retry, types=HTTP, failures=4) == 6 * MINUTE


def test_a_rule_gives_no_retries_beyond_the_budget() -> None:
    assert wait(RetrySpec(retries=1, rules=(RetryRule(exception="OSError"),)), types=HTTP, failures=2) is None


# ── jitter ───────────────────────────────────────────────────────────────────────────────────────────────

SECOND = timedelta(seconds=1)
retry_specs = st.builds(
    RetrySpec,
    retries=st.integers(1, 50),
    delay=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)),
    exponential=st.floats(1, 10),
    max_delay=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)),
    jitter=st.floats(0, 1),
)


@given(retry=retry_specs, failures=st.integers(1, 50), attempt=st.integers(1, 90), map_index=st.integers(-1, 9))
def test_jitter_only_shortens_and_keeps_to_its_share(
    retry: RetrySpec, failures: int, attempt: int, map_index: int
) -> None:
    plain = RetrySpec(
        retries=retry.retries, delay=retry.delay, exponential=retry.exponential, max_delay=retry.max_delay
    )
    full = wait(plain, failures=failures)
    got = wait(retry, failures=failures, attempt=attempt, map_index=map_index)
    assert (got is None) == (full is None) == (failures > retry.retries)
    if got is not None and full is not None:
        assert full * (1 - retry.jitter) - timedelta(microseconds=1) <= got <= full <= retry.max_delay


@given(retry=retry_specs, attempt=st.integers(1, 9))
def test_the_same_attempt_waits_the_same_whenever_it_is_asked(retry: RetrySpec, attempt: int) -> None:
    assert wait(retry, attempt=attempt) == wait(retry, attempt=attempt)


def test_attempts_that_failed_together_come_back_apart() -> None:
    retry = RetrySpec(retries=1, delay=timedelta(hours=1), jitter=0.5)
    waits = [wait(retry, map_index=index) or timedelta(0) for index in range(400)]
    assert len(set(waits)) == 400
    quarters = [sum(30 + 7.5 * q <= w / MINUTE < 37.5 + 7.5 * q for w in waits) for q in range(4)]
    assert all(60 <= quarter <= 140 for quarter in quarters), quarters
