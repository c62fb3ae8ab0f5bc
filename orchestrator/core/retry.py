"""Retries: whether and when a failed attempt is followed by another."""

import hashlib
from datetime import UTC, datetime, timedelta

from orchestrator.core.spec import RetryRule, RetrySpec, TaskSpec
from orchestrator.names import FailureKind

_FINAL = frozenset({FailureKind.NON_RETRYABLE, FailureKind.CANCELLED, FailureKind.LOST})
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


def retry_at(
    *,
    run_uid: str,
    task: TaskSpec,
    map_index: int,
    attempt: int,
    failures: int,
    kind: FailureKind,
    types: tuple[str, ...],
    now: datetime,
) -> datetime | None:
    """When to try again after attempt ``attempt`` failed, or None: never.

    ``failures`` counts this failure and those before it since the last clear; ``types`` are the dotted names of the
    exception's class and its bases. Never tried again are a body that asked for it, a cancelled attempt, and one
    that is lost, because it was given its further attempts before it became a failure. A result that cannot be
    recorded is an error like any other: another attempt may fetch other data and return something else.
    """
    retry = task.retry
    if kind in _FINAL or failures > retry.retries:
        return None
    rule = _rule_for(retry, types)
    if rule is not None and not rule.retry:
        return None
    delay = _delay(retry, rule, failures) * _shrink(retry.jitter, f"{run_uid}/{task.task_id}/{map_index}/{attempt}")
    return now + min(delay, _LAST_MOMENT - now)


def _rule_for(retry: RetrySpec, types: tuple[str, ...]) -> RetryRule | None:
    """The first rule whose exception is among ``types``, or is the first of them, by dotted path or by bare name."""
    if not retry.rules:
        return None
    raised, known = _names(types[:1]), _names(types)
    return next((rule for rule in retry.rules if rule.exception in (raised if rule.exact else known)), None)


def _names(types: tuple[str, ...]) -> set[str]:
    return {*types, *(name.rpartition(".")[2] for name in types)}


def _delay(retry: RetrySpec, rule: RetryRule | None, failures: int) -> timedelta:
    """The delay before jitter: a rule's own is taken as it stands, the task's grows with each failure."""
    if rule is not None and rule.retry_delay is not None:
        return min(rule.retry_delay, retry.max_delay)
    try:
        return min(retry.delay * retry.exponential ** (failures - 1), retry.max_delay)
    except OverflowError:
        return retry.max_delay if retry.delay else retry.delay


def _shrink(jitter: float, identity: str) -> float:
    """The factor, above 1 - jitter and up to 1, that is drawn from a hash of the attempt's identity."""
    if not jitter:
        return 1.0
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    return 1.0 - jitter * (int.from_bytes(digest) / 2**64)
