"""What instances are called, as a run remembers it."""

import pytest

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityScheduled,
    ActivitySkipped,
    RunReset,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.spec import mapping_over
from tests.core.ledger import Ledger, tasks

ONE = {"task_id": "each", "map_index": 1}


def mapped() -> Ledger:
    ledger = Ledger(tasks("each", each={"mapping": mapping_over(3)}))
    ledger.add(TaskExpanded(task_id="each", shape=(3,)), ActivityScheduled(task_id="each", map_index=0, count=3))
    return ledger


def called(ledger: Ledger) -> str | None:
    same = {ledger.run.nodes["each"].called(1), ledger.replayed().nodes["each"].called(1)}
    assert len(same) == 1
    return same.pop()


@pytest.mark.parametrize(
    "event",
    [
        ActivityCompleted(**ONE, rendered_map_index="eu"),
        ActivityFailed(**ONE, failure=Failure(message="no"), rendered_map_index="eu"),
        ActivitySkipped(**ONE, attempt=1, rendered_map_index="eu"),
        ActivityDeferred(**ONE, rendered_map_index="eu"),
    ],
)
def test_an_instance_is_called_by_what_its_body_said_last(event):
    ledger = mapped()
    assert called(ledger) is None
    ledger.add(event)
    assert called(ledger) == "eu"
    assert ledger.run.nodes["each"].called(0) is None


def test_evidence_of_an_earlier_attempt_names_nothing():
    ledger = mapped()
    ledger.add(ActivityCompleted(**ONE, attempt=7, rendered_map_index="eu"))
    assert called(ledger) is None


def test_an_instance_without_a_name_leaves_nothing_behind():
    ledger = mapped()
    ledger.add(ActivityCompleted(**ONE))
    assert ledger.run.nodes["each"].names is None


def test_a_reset_takes_a_name_back():
    ledger = mapped()
    seq = ledger.run.seq
    ledger.add(ActivityCompleted(**ONE, rendered_map_index="eu"))
    ledger.add(RunReset(seq=seq))
    assert ledger.replayed().nodes["each"].called(1) is None
