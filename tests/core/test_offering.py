"""Nothing that is ready is forgotten and nothing that is recorded is offered again, whatever came in between."""

from orchestrator.core.admission import Admission
from orchestrator.core.asks import facts_of
from orchestrator.core.commands import PassActivity, ScheduleActivity, SkipActivity
from orchestrator.core.decide import decide
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityMarked,
    ActivityScheduled,
    RunPaused,
    RunResumed,
    TaskExpanded,
)
from orchestrator.core.requests import ClearTasks, MarkTask
from orchestrator.core.run import Run
from orchestrator.core.spec import mapping_over
from orchestrator.names import TaskState
from tests.core.ledger import Ledger, at, tasks

MAPPED = tasks("cut", "sew: cut", "pack: sew", sew={"mapping": mapping_over(5)})


def offered(run: Run) -> list[tuple[str, int, int]]:
    return [
        (command.task_id, command.map_index, command.count)
        for command in decide(run, at(100))
        if isinstance(command, ScheduleActivity)
    ]


def half_sewn() -> Ledger:
    """Three of five are handed out, one of them is done."""
    ledger = Ledger(MAPPED)
    ledger.succeed("cut")
    ledger.add(TaskExpanded(task_id="sew", shape=(5,)), ActivityScheduled(task_id="sew", map_index=0, count=3))
    ledger.add(ActivityCompleted(task_id="sew", map_index=1))
    return ledger


def admitted(admission: Admission) -> list[tuple[int, int]]:
    return [(one.map_index, one.count) for one in admission.admit()]


def test_what_was_ready_before_a_pause_is_offered_after_it() -> None:
    ledger = Ledger(tasks("a", "b: a"))
    assert offered(ledger.run) == [("a", -1, 1)]
    ledger.add(RunPaused())
    assert offered(ledger.run) == []
    ledger.add(RunResumed())
    assert offered(ledger.run) == [("a", -1, 1)]


def test_after_a_restart_only_what_was_never_handed_out_of_a_mapped_task_is_offered() -> None:
    assert offered(half_sewn().replayed()) == [("sew", 3, 2)]


def test_after_a_pause_only_what_was_never_handed_out_of_a_mapped_task_is_offered() -> None:
    ledger = half_sewn()
    offered(ledger.run)
    ledger.add(RunPaused(), RunResumed())
    assert offered(ledger.run) == [("sew", 3, 2)]


def test_a_cleared_index_is_offered_alone_and_not_before_its_upstreams_are_done() -> None:
    ledger = half_sewn()
    ledger.add(ActivityScheduled(task_id="sew", map_index=3, count=2))
    offered(ledger.run)
    ledger.add(ActivityCleared(task_id="cut"), ActivityCleared(task_id="sew", map_index=1))
    assert offered(ledger.run) == [("cut", -1, 1)]
    ledger.succeed("cut")
    assert offered(ledger.run) == [("sew", 1, 1)]
    assert ledger.run.next_attempt("sew", 1) == 2


def test_indexes_that_had_different_numbers_of_attempts_are_not_offered_as_one() -> None:
    ledger = half_sewn()
    ledger.add(ActivityCleared(task_id="sew", map_index=1))
    assert offered(ledger.run) == [("sew", 1, 1), ("sew", 3, 2)]


def test_a_rule_that_fails_skips_only_what_has_not_run() -> None:
    ledger = half_sewn()
    ledger.add(ActivityMarked(task_id="cut", state=TaskState.SKIPPED))
    skips = [command for command in decide(ledger.run, at(100)) if isinstance(command, SkipActivity)]
    assert [(skip.map_index, skip.count) for skip in skips] == [(3, 2)]


def test_mapped_tasks_that_do_nothing_pass_once_each() -> None:
    ledger = Ledger(tasks("sew", sew={"mapping": mapping_over(3), "does_nothing": True}))
    ledger.add(TaskExpanded(task_id="sew", shape=(3,)), ActivityScheduled(task_id="sew", map_index=0))
    ledger.add(ActivityCompleted(task_id="sew", map_index=0))
    passes = [command for command in decide(ledger.replayed(), at(100)) if isinstance(command, PassActivity)]
    assert [(one.map_index, one.count, one.attempt) for one in passes] == [(1, 2, 1)]


def test_what_a_person_marked_while_it_waited_for_room_is_left_out_and_the_rest_is_not() -> None:
    ledger = Ledger(tasks("sew", sew={"mapping": mapping_over(5)}))
    ledger.add(TaskExpanded(task_id="sew", shape=(5,)))
    admission = Admission(parallelism=9, pools={"default_pool": 9})
    for name, first, count in offered(ledger.run):
        admission.offer(ledger.run, ledger.run.plan.tasks[name], first, count)
    for index in (0, 3):
        ledger.add(ActivityMarked(task_id="sew", map_index=index, state=TaskState.SUCCESS))
    assert admitted(admission) == [(1, 2), (4, 1)]


def test_a_map_index_that_is_not_there_is_refused() -> None:
    run = half_sewn().run
    for index, task_id in ((5, "sew"), (-1, "sew"), (0, "cut")):
        said = f"task {task_id!r} has no map index {index} in this run"
        assert facts_of(run, ClearTasks(dag_id="shop", run_id="r1", tasks=((task_id, index),))) == said
        mark = MarkTask(dag_id="shop", run_id="r1", task_id=task_id, map_index=index, state=TaskState.SUCCESS)
        assert facts_of(run, mark) == said
