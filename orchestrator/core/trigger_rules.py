"""Trigger rules: whether a task may start, given how its direct upstreams ended.

The thirteen rules are Airflow's, decision for decision. A rule that can no longer come true says so at once, without
waiting for the rest. A removed upstream counts as done and never stands in the way; where Airflow would then wait
for ever (it forgives a removed upstream in mapped tasks only), the task goes on.
"""

from collections.abc import Callable
from enum import Enum

from orchestrator.core.activity import Upstreams
from orchestrator.names import TriggerRule


class Verdict(Enum):
    """What a rule says now. WAIT is the only one that later upstreams can change."""

    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    UPSTREAM_FAILED = "upstream_failed"


def evaluate(rule: TriggerRule, up: Upstreams) -> Verdict:
    """The verdict of ``rule`` on the counts in ``up``, in constant time; a task without upstreams always runs."""
    if up.total == 0:
        return Verdict.RUN
    return _RULES[rule](up)


def _run_when(met: bool) -> Verdict:
    return Verdict.RUN if met else Verdict.WAIT


def _all_done(up: Upstreams) -> bool:
    return up.done >= up.total


def _all_success(up: Upstreams) -> Verdict:
    if up.failed or up.upstream_failed:
        return Verdict.UPSTREAM_FAILED
    if up.skipped:
        return Verdict.SKIP
    return _run_when(up.success + up.removed >= up.total)


def _all_failed(up: Upstreams) -> Verdict:
    if up.success or up.skipped:
        return Verdict.SKIP
    return _run_when(up.failed + up.upstream_failed + up.removed >= up.total)


def _when_all_done(up: Upstreams) -> Verdict:
    return _run_when(_all_done(up))


def _all_done_min_one_success(up: Upstreams) -> Verdict:
    """A skipped upstream is not done in the eyes of this rule, so it can never come true."""
    if up.skipped:
        return Verdict.SKIP
    if not _all_done(up):
        return Verdict.WAIT
    return Verdict.RUN if up.success else Verdict.UPSTREAM_FAILED


def _all_done_setup_success(up: Upstreams) -> Verdict:
    """A teardown's rule: among its upstream setups, if it has any, one succeeded."""
    if not _all_done(up):
        return Verdict.WAIT
    if not up.setups or up.success_setups:
        return Verdict.RUN
    return Verdict.SKIP if up.skipped_setups >= up.setups else Verdict.UPSTREAM_FAILED


def _one_success(up: Upstreams) -> Verdict:
    if up.success:
        return Verdict.RUN
    if not _all_done(up):
        return Verdict.WAIT
    return Verdict.SKIP if up.skipped == up.done else Verdict.UPSTREAM_FAILED


def _one_failed(up: Upstreams) -> Verdict:
    if up.failed or up.upstream_failed:
        return Verdict.RUN
    return Verdict.SKIP if _all_done(up) else Verdict.WAIT


def _one_done(up: Upstreams) -> Verdict:
    """Done means that it ran: one that is skipped or upstream_failed does not count."""
    if up.success or up.failed:
        return Verdict.RUN
    return Verdict.SKIP if _all_done(up) else Verdict.WAIT


def _none_failed(up: Upstreams) -> Verdict:
    if up.failed or up.upstream_failed:
        return Verdict.UPSTREAM_FAILED
    return _run_when(_all_done(up))


def _none_failed_min_one_success(up: Upstreams) -> Verdict:
    if up.failed or up.upstream_failed:
        return Verdict.UPSTREAM_FAILED
    if up.skipped == up.total:
        return Verdict.SKIP
    return _run_when(_all_done(up))


def _none_skipped(up: Upstreams) -> Verdict:
    return Verdict.SKIP if up.skipped else _run_when(_all_done(up))


def _all_skipped(up: Upstreams) -> Verdict:
    if up.success or up.failed or up.upstream_failed:
        return Verdict.SKIP
    return _run_when(_all_done(up))


def _always(_up: Upstreams) -> Verdict:
    return Verdict.RUN


_RULES: dict[TriggerRule, Callable[[Upstreams], Verdict]] = {
    TriggerRule.ALL_SUCCESS: _all_success,
    TriggerRule.ALL_FAILED: _all_failed,
    TriggerRule.ALL_DONE: _when_all_done,
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: _all_done_min_one_success,
    TriggerRule.ALL_DONE_SETUP_SUCCESS: _all_done_setup_success,
    TriggerRule.ONE_SUCCESS: _one_success,
    TriggerRule.ONE_FAILED: _one_failed,
    TriggerRule.ONE_DONE: _one_done,
    TriggerRule.NONE_FAILED: _none_failed,
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: _none_failed_min_one_success,
    TriggerRule.NONE_SKIPPED: _none_skipped,
    TriggerRule.ALL_SKIPPED: _all_skipped,
    TriggerRule.ALWAYS: _always,
}
