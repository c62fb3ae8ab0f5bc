"""Reports that come a second time, as when nobody heard that the commit which holds them had succeeded."""

import msgspec
import pytest

from orchestrator.core.events import ActivityScheduled, ActivityStarted, AnyEvent
from orchestrator.core.orders import Completed, Deferred, Failed, Lost, Report, Skipped, TakenBack
from orchestrator.core.outcomes import facts_of
from orchestrator.core.particulars import Failure
from orchestrator.names import AttemptKey, Delivery, FailureKind
from tests.core.ledger import Ledger, at, tasks

KEY = AttemptKey(7, "charge", -1, 1)
COMPLETED = Completed(key=KEY, at=at(5), result=msgspec.Raw(b"1"))
FAILED = Failed(key=KEY, at=at(5), kind=FailureKind.ERROR, failure=Failure(message="no"))
SKIPPED = Skipped(key=KEY, at=at(5), reason="nothing to do")
LATER = Deferred(key=KEY, at=at(5), trigger=msgspec.Raw(b"null"), until=at(60))
LOST = Lost(key=KEY, at=at(5), reason="its worker was killed", free=True)
TAKEN_BACK = TakenBack(key=KEY, at=at(5))


def ledger_of(delivery: Delivery = Delivery.AT_LEAST_ONCE) -> Ledger:
    ledger = Ledger(tasks("charge", charge={"delivery": delivery}))
    ledger.add(ActivityScheduled(task_id="charge", attempt=1), ActivityStarted(task_id="charge", attempt=1))
    return ledger


def said(ledger: Ledger, report: Report) -> list[AnyEvent]:
    facts = facts_of(ledger.run, report, now=at(10))
    ledger.add(*facts)
    return facts


@pytest.mark.parametrize(
    "report", [COMPLETED, FAILED, SKIPPED, LATER, LOST, TAKEN_BACK], ids=lambda one: type(one).__name__
)
def test_a_report_that_the_history_has_already_is_not_recorded_again(report: Report) -> None:
    ledger = ledger_of()
    assert len(said(ledger, report)) == 1
    assert said(ledger, report) == []


@pytest.mark.parametrize("late", [COMPLETED, FAILED, SKIPPED], ids=lambda one: type(one).__name__)
def test_what_a_lost_attempt_says_after_all_is_recorded(late: Report) -> None:
    ledger = ledger_of()
    said(ledger, LOST)
    assert len(said(ledger, late)) == 1


def test_a_late_answer_to_an_unknown_outcome_is_recorded_once() -> None:
    ledger = ledger_of(Delivery.AT_MOST_ONCE)
    said(ledger, LOST)
    assert len(said(ledger, COMPLETED)) == 1
    assert said(ledger, COMPLETED) == []
