"""What a change of a DAG means to a run that is open: a table of changes against what is recorded."""

from typing import Any

import pytest

from orchestrator.core.compatibility import Finding, Meaning, compare, renamed, worst
from orchestrator.core.events import (
    ActivityFailed,
    ActivityLost,
    ActivityScheduled,
    ActivitySkipped,
    AnyEvent,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.spec import DagSpec, TaskSpec, mapping_over
from orchestrator.names import DagKind, Delivery, TriggerRule
from tests.core.ledger import Ledger, at, tasks

COMPATIBLE, DECISION, BREAKS = Meaning
CHAIN = ("charge", "pack: charge", "mail: pack")
RETRYING = ActivityFailed(task_id="pack", failure=Failure(message="no"), retry_at=at(99))
UNKNOWN = ActivityLost(task_id="pack", reason="gone", unknown=True)
OPEN = ActivityScheduled(task_id="pack")


def found(
    old: tuple[TaskSpec, ...], new: tuple[TaskSpec, ...], done: str = "", events: tuple[AnyEvent, ...] = ()
) -> list[Finding]:
    """What going over from one to the other means, once the tasks of ``done`` have succeeded and ``events`` came."""
    ledger = Ledger(old)
    ledger.succeed(*done.split())
    ledger.add(*events)
    return compare(ledger.run, DagSpec(dag_id="shop", tasks=new))


@pytest.mark.parametrize(
    ("done", "events", "meaning", "words"),
    [
        ("charge", (), COMPATIBLE, "has not run yet"),
        ("charge", (OPEN,), BREAKS, "removed while it runs"),
        ("charge", (OPEN, RETRYING), DECISION, "would not be tried again"),
        ("charge", (OPEN, UNKNOWN), DECISION, "its outcome is unknown"),
        ("charge pack", (), COMPATIBLE, "its record stays"),
    ],
)
def test_removing_a_task_means_what_it_has_done_by_then(
    done: str, events: tuple[AnyEvent, ...], meaning: Meaning, words: str
) -> None:
    (finding,) = [
        one for one in found(tasks(*CHAIN), tasks("charge", "mail: charge"), done, events) if one.task_id == "pack"
    ]
    assert (finding.meaning, words in finding.message) == (meaning, True)


@pytest.mark.parametrize(
    ("new", "done", "meaning"),
    [
        (("check", "charge: check", "pack: charge", "mail: pack"), "", COMPATIBLE),
        (("check", "charge: check", "pack: charge", "mail: pack"), "charge", DECISION),
        (("charge", "pack: charge", "check: pack", "mail: check"), "charge", COMPATIBLE),
        (("charge", "pack: charge", "mail: pack", "thank: mail"), "charge pack mail", COMPATIBLE),
        (("check", "weigh: check", "charge", "pack: charge weigh", "mail: pack"), "charge pack", DECISION),
    ],
)
def test_adding_a_task_needs_a_decision_where_it_comes_before_what_has_ended(
    new: tuple[str, ...], done: str, meaning: Meaning
) -> None:
    findings = found(tasks(*CHAIN), tasks(*new), done)
    assert worst(findings) is meaning


@pytest.mark.parametrize(
    ("change", "done", "events", "meaning"),
    [
        ({"trigger_rule": TriggerRule.ALL_DONE}, "charge", (), COMPATIBLE),
        ({"trigger_rule": TriggerRule.ALL_DONE}, "charge pack", (), COMPATIBLE),
        ({"trigger_rule": TriggerRule.ALL_DONE}, "charge", (ActivitySkipped(task_id="pack"),), DECISION),
        ({"delivery": Delivery.AT_MOST_ONCE}, "charge", (), COMPATIBLE),
        ({"delivery": Delivery.AT_MOST_ONCE}, "charge pack", (), COMPATIBLE),
        ({"delivery": Delivery.AT_MOST_ONCE}, "charge", (OPEN,), BREAKS),
        ({"delivery": Delivery.AT_MOST_ONCE}, "charge", (OPEN, RETRYING), BREAKS),
        ({"mapping": mapping_over(2)}, "charge", (), COMPATIBLE),
        ({"mapping": mapping_over(2)}, "charge pack", (), BREAKS),
        ({"operator": "BashOperator"}, "charge", (), COMPATIBLE),
        ({"operator": "BashOperator"}, "charge", (OPEN, RETRYING), DECISION),
        ({"pool": "other", "priority_weight": 9, "line": 7}, "charge", (OPEN,), COMPATIBLE),
    ],
)
def test_changing_a_task_means_what_is_recorded_of_it(
    change: dict[str, Any], done: str, events: tuple[AnyEvent, ...], meaning: Meaning
) -> None:
    assert worst(found(tasks(*CHAIN), tasks(*CHAIN, pack=change), done, events)) is meaning


@pytest.mark.parametrize(
    ("events", "meaning"), [((), COMPATIBLE), ((TaskExpanded(task_id="sew", shape=(2,)),), DECISION)]
)
def test_mapping_over_something_else_matters_once_the_indexes_are_recorded(
    events: tuple[AnyEvent, ...], meaning: Meaning
) -> None:
    edges = ("cut", "dye", "sew: cut dye")
    old, new = tasks(*edges, sew={"mapping": mapping_over("cut")}), tasks(*edges, sew={"mapping": mapping_over("dye")})
    assert worst(found(old, new, "", events)) is meaning


def test_a_task_that_has_begun_and_waits_for_another_now_needs_a_decision() -> None:
    old, new = tasks("charge", "weigh", "pack: charge"), tasks("charge", "weigh", "pack: charge weigh")
    assert worst(found(old, new, "charge")) is COMPATIBLE
    assert worst(found(old, new, "charge pack")) is DECISION
    assert worst(found(old, new, "charge weigh pack")) is COMPATIBLE


def test_a_rename_breaks_a_run_in_which_the_task_has_run_and_no_other() -> None:
    new = tasks("bill", "pack: bill", "mail: pack", bill={"line": 3})
    assert renamed(DagSpec(dag_id="shop", tasks=tasks(*CHAIN)), DagSpec(dag_id="shop", tasks=new)) == {"charge": "bill"}
    assert worst(found(tasks(*CHAIN), new)) is COMPATIBLE
    (finding, *_) = found(tasks(*CHAIN, charge={"line": 2}), new, "charge")
    assert (finding.meaning, finding.task_id, finding.old_line, finding.new_line) == (BREAKS, "charge", 2, 3)


def test_a_rename_of_the_whole_chain_is_seen_task_by_task() -> None:
    old, new = tasks(*CHAIN), tasks("a", "b: a", "c: b")
    names = renamed(DagSpec(dag_id="shop", tasks=old), DagSpec(dag_id="shop", tasks=new))
    assert names == {"charge": "a", "pack": "b", "mail": "c"}


def test_two_tasks_that_look_alike_are_not_taken_for_a_rename() -> None:
    old, new = tasks("charge"), tasks("bill", "invoice")
    assert renamed(DagSpec(dag_id="shop", tasks=old), DagSpec(dag_id="shop", tasks=new)) == {}


def test_a_dag_that_becomes_a_workflow_breaks_every_run() -> None:
    new = DagSpec(dag_id="shop", kind=DagKind.WORKFLOW)
    assert worst(compare(Ledger(tasks(*CHAIN)).run, new)) is BREAKS


def test_the_same_version_means_nothing() -> None:
    assert found(tasks(*CHAIN), tasks(*CHAIN), "charge", (OPEN,)) == []


def test_what_breaks_comes_first() -> None:
    new = tasks("check", "bill: check", "pack: bill", "mail: pack")
    meanings = [finding.meaning for finding in found(tasks(*CHAIN), new, "charge pack")]
    assert meanings == sorted(meanings, reverse=True)
