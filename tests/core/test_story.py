from typing import Any

import pytest

from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ActivityUpstreamFailed,
    RunCancelRequested,
    RunEnded,
    RunPaused,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.reasons import Cause, Reason, Usage, listed, span
from orchestrator.core.spec import mapping_over
from orchestrator.core.story import why
from orchestrator.core.words import said
from orchestrator.exceptions import NotFoundError
from orchestrator.names import RunState, TaskState, TriggerRule
from tests.core.ledger import EPOCH, Ledger, at, tasks

ORDER = tasks("charge", "reserve: charge", "ship: reserve", "mail: ship")
ROOM = Usage(pools={"default_pool": (0, 128)})
DECLINED = Failure(message="CardError: card declined")


def tell(ledger: Ledger, task_id: str | None = None, *, usage: Usage = ROOM, now: float = 100) -> list[Reason]:
    words = said(ledger.facts)
    return why(ledger.run, task_id, now=at(now), usage=usage, failure_of=lambda name, index: words.get((name, index)))


def sentences(ledger: Ledger, task_id: str | None = None, **more: Any) -> list[str]:
    return [reason.sentence for reason in tell(ledger, task_id, **more)]


def causes(ledger: Ledger, task_id: str | None = None, **more: Any) -> list[tuple[Cause, str | None]]:
    return [(reason.cause, reason.task_id) for reason in tell(ledger, task_id, **more)]


def failed(name: str = "charge", **more: Any) -> ActivityFailed:
    return ActivityFailed(task_id=name, failure=DECLINED, **more)


# ── not started yet ──────────────────────────────────────────────────────────────────────────────────────


def test_a_task_that_waits_names_its_upstream_and_what_is_at_the_root() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), ActivityStarted(task_id="charge", worker="host:4711"))
    assert sentences(ledger, "mail") == [
        "mail waits for ship (none) under trigger rule all_success",
        "charge has been running for 1 min 38 s on host:4711, attempt 1",
    ]
    assert causes(ledger, "mail") == [(Cause.UPSTREAM, "mail"), (Cause.RUNNING, "charge")]


def test_a_retry_says_when_and_after_what() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), failed(retry_at=at(135)))
    assert sentences(ledger, "charge") == ["charge is tried again in 35 s; attempt 1 failed: CardError: card declined"]
    assert causes(ledger) == [(Cause.RETRY, "charge")]


def test_a_retry_whose_time_has_come_is_ready() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), failed(retry_at=at(60)))
    assert causes(ledger, "charge") == [(Cause.READY, "charge")]


def test_a_ready_task_with_room_waits_for_the_scheduler_alone() -> None:
    assert sentences(Ledger(ORDER), "charge") == ["charge is ready and starts at the scheduler's next turn"]


@pytest.mark.parametrize(
    ("usage", "fields", "limit"),
    [
        (Usage(open_attempts=32, pools={"default_pool": (0, 9)}), {}, "32 of 32 are running under parallelism"),
        (Usage(pools={"default_pool": (128, 128)}), {}, "128 of 128 slots of pool 'default_pool' are taken"),
        (
            Usage(pools={"db": (3, 4)}),
            {"pool": "db", "pool_slots": 2},
            "3 of 4 slots of pool 'db' are taken and it wants 2",
        ),
        (Usage(), {"pool": "gone"}, "0 of 0 slots of pool 'gone' are taken"),
        (
            Usage(tasks={"charge": 2}, pools={"default_pool": (0, -1)}),
            {"max_active_tis_per_dag": 2},
            "2 of 2 are running under max_active_tis_per_dag",
        ),
    ],
)
def test_a_task_without_room_names_the_limit(usage: Usage, fields: dict[str, Any], limit: str) -> None:
    ledger = Ledger(tasks("charge", charge=fields))
    assert sentences(ledger, "charge", usage=usage) == [f"charge is ready and waits for room: {limit}"]
    assert causes(ledger, usage=usage) == [(Cause.NO_ROOM, "charge")]


def test_the_limits_of_the_run_itself_are_counted_from_its_open_attempts() -> None:
    ledger = Ledger(
        tasks("a", "sew", sew={"mapping": mapping_over(3), "max_active_tis_per_dagrun": 1}), max_active_tasks=2
    )
    ledger.add(TaskExpanded(task_id="sew", shape=(3,)))
    ledger.add(ActivityScheduled(task_id="a"), ActivityScheduled(task_id="sew", map_index=0))
    waiting = [reason for reason in tell(ledger, "sew") if reason.cause is Cause.NO_ROOM]
    assert [reason.sentence for reason in waiting] == [
        "sew[1], like 1 more of it, is ready and waits for room: 2 of 2 are running under max_active_tasks of shop",
        "sew[1], like 1 more of it, is ready and waits for room: 1 of 1 are running under max_active_tis_per_dagrun",
    ]
    assert (waiting[0].task_id, waiting[0].map_index) == ("sew", 1)


def test_the_limit_that_a_run_waits_for_is_that_of_the_dag_as_it_stands_now() -> None:
    ledger = Ledger(ORDER, max_active_runs=16)
    usage = Usage(active_runs=1, max_active_runs=1, pools={"default_pool": (0, 9)})
    assert sentences(ledger, usage=usage)[0].endswith("1 runs of shop are active or older and max_active_runs is 1")


def test_a_run_behind_max_active_runs_says_so_once_and_its_tasks_too() -> None:
    ledger = Ledger(ORDER, max_active_runs=2)
    full = Usage(active_runs=2, pools={"default_pool": (0, 9)})
    said = "the run waits its turn: 2 runs of shop are active or older and max_active_runs is 2"
    assert sentences(ledger, usage=full) == [said]
    assert sentences(ledger, "charge", usage=full) == [f"charge is ready, but {said}"]


def test_a_paused_run_says_how_to_go_on() -> None:
    ledger = Ledger(ORDER)
    ledger.add(RunPaused())
    assert sentences(ledger) == ["the run is paused and starts nothing until `orchestrator runs resume shop 'r1'`"]
    assert causes(ledger, "ship") == [(Cause.UPSTREAM, "ship"), (Cause.RUN_PAUSED, "charge")]


def test_a_paused_run_still_tells_of_what_is_open() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), RunPaused())
    assert causes(ledger) == [(Cause.RUN_PAUSED, None), (Cause.NO_WORKER, "charge")]


def test_a_run_that_is_being_cancelled_names_what_it_waits_for() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), RunCancelRequested(reason="changed my mind"))
    first = "the run is being cancelled: changed my mind; it ends when these have stopped: charge"
    assert sentences(ledger)[0] == first


def test_an_attempt_in_a_queue_says_for_how_long() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"))
    assert sentences(ledger, "charge") == ["charge waits for a worker to begin it; it was handed out 1 min 39 s ago"]


def test_an_unknown_outcome_says_what_to_type() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), ActivityLost(task_id="charge", reason="died", unknown=True))
    assert sentences(ledger, "mail")[-1] == (
        "charge awaits input: its worker was lost during attempt 1, and whether that had its effect is unknown; "
        "say so with `orchestrator tasks resolve shop charge 'r1' --success JSON` (or --retry, or --fail)"
    )
    assert causes(ledger) == [(Cause.OUTCOME_UNKNOWN, "charge")]


def test_what_waits_without_a_worker_says_for_what() -> None:
    ledger = Ledger(tasks("a", "b"))
    ledger.add(ActivityScheduled(task_id="a"), ActivityDeferred(task_id="a"))
    ledger.add(ActivityScheduled(task_id="b"), ActivityDeferred(task_id="b", until=at(3700)))
    assert sentences(ledger) == ["a waits for its trigger and holds no worker", "b looks again in 1 h"]


def test_what_was_cleared_while_it_ran_says_what_comes_first() -> None:
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), ActivityCleared(task_id="charge"))
    assert sentences(ledger) == ["charge was cleared while it ran: attempt 1 is ended before it starts afresh"]


def test_many_roots_are_cut_short() -> None:
    wide = tasks(*(f"t{n:02}" for n in range(14)), "end: " + " ".join(f"t{n:02}" for n in range(14)))
    told = sentences(Ledger(wide), "end")
    assert told[0] == "end waits for t00 (none), t01 (none), t02 (none) and 11 more under trigger rule all_success"
    assert (len(told), told[-1]) == (12, "and so it is with t10, t11, t12 and 1 more")


def test_a_run_that_is_about_to_end_has_something_to_tell() -> None:
    ledger = Ledger(tasks("a"))
    ledger.succeed("a")
    assert sentences(ledger) == ["the run has nothing left to do and ends at the scheduler's next turn"]


# ── ended ────────────────────────────────────────────────────────────────────────────────────────────────


def broken() -> Ledger:
    """The charge fails for good and nothing after it runs."""
    ledger = Ledger(ORDER)
    ledger.add(ActivityScheduled(task_id="charge"), failed())
    ledger.add(*(ActivityUpstreamFailed(task_id=name) for name in ("reserve", "ship", "mail")))
    ledger.add(RunEnded(state=RunState.FAILED, reason="failed at its end: mail"))
    return ledger


def test_a_failed_run_names_the_task_that_failed_first_and_what_it_said() -> None:
    assert sentences(broken()) == [
        "the run failed after 5 s: failed at its end: mail",
        "charge failed on attempt 1: CardError: card declined",
    ]


def test_an_upstream_failure_is_traced_to_its_root() -> None:
    assert sentences(broken(), "mail") == [
        "mail did not run: ship (upstream_failed) under trigger rule all_success",
        "charge failed on attempt 1: CardError: card declined",
    ]


def test_a_failure_is_told_without_its_words_where_nobody_knows_them() -> None:
    told = why(broken().run, "charge", now=at(100), usage=ROOM)
    assert [reason.sentence for reason in told] == ["charge failed on attempt 1"]


def test_a_successful_run_and_task_say_so() -> None:
    ledger = Ledger(tasks("a"))
    ledger.succeed("a")
    ledger.add(RunEnded(state=RunState.SUCCESS))
    assert sentences(ledger) == ["the run succeeded after 2 s: none of its last tasks failed"]
    assert sentences(ledger, "a") == ["a succeeded on attempt 1"]


def test_a_cancelled_run_says_why_it_was_cancelled() -> None:
    ledger = Ledger(tasks("a"))
    ledger.add(
        RunCancelRequested(reason="why not"), ActivitySkipped(task_id="a", reason="the run was cancelled: why not")
    )
    ledger.add(RunEnded(state=RunState.FAILED, reason="why not"))
    assert causes(ledger) == [(Cause.RUN_CANCELLED, None)]
    assert sentences(ledger, "a") == ["a was skipped: the run was cancelled: why not"]
    silent = why(ledger.run, "a", now=at(9), usage=ROOM)
    assert silent[0].sentence == "a was skipped: the run was cancelled: why not"


def test_a_skip_is_traced_to_the_branch_that_chose_another_way() -> None:
    ledger = Ledger(tasks("choose", "left: choose", "after: left"))
    ledger.add(ActivityScheduled(task_id="choose"), ActivityCompleted(task_id="choose", skip=("left",)))
    ledger.add(ActivitySkipped(task_id="left"), ActivitySkipped(task_id="after"))
    assert sentences(ledger, "after") == [
        "after was skipped: trigger rule all_success cannot be met by its upstreams: 1 skipped",
        "left was skipped: branch choose chose another way",
    ]


def test_a_skip_by_the_body_gives_its_reason() -> None:
    ledger = Ledger(tasks("a"))
    ledger.add(ActivityScheduled(task_id="a"), ActivityStarted(task_id="a"))
    ledger.add(ActivitySkipped(task_id="a", attempt=1, reason="no orders today"))
    assert sentences(ledger, "a") == ["a was skipped: no orders today"]
    assert why(ledger.run, "a", now=EPOCH, usage=ROOM)[0].sentence == "a was skipped by its own body"


def test_a_rule_that_could_not_be_met_says_how_the_upstreams_ended() -> None:
    ledger = Ledger(tasks("a", "b: a", b={"trigger_rule": TriggerRule.ONE_FAILED}))
    ledger.succeed("a")
    ledger.add(ActivitySkipped(task_id="b"))
    assert sentences(ledger, "b") == [
        "b was skipped: trigger rule one_failed cannot be met by its upstreams: 1 success"
    ]


def test_a_result_without_a_length_is_to_blame_where_it_is_mapped_over() -> None:
    ledger = Ledger(tasks("a", "b: a", b={"mapping": mapping_over("a")}))
    ledger.succeed("a")
    ledger.add(ActivityUpstreamFailed(task_id="b"))
    assert sentences(ledger, "b") == ["b did not run: the result of a that it is mapped over has no length"]


def test_what_a_person_marked_as_failed_is_told_as_such() -> None:
    ledger = Ledger(tasks("a"))
    ledger.add(ActivityMarked(task_id="a", state=TaskState.FAILED))
    assert sentences(ledger, "a") == ["a is marked as failed"]


def test_each_state_of_a_mapped_task_is_told_once() -> None:
    ledger = Ledger(tasks("sew", sew={"mapping": mapping_over(4)}))
    ledger.add(TaskExpanded(task_id="sew", shape=(4,)), ActivityScheduled(task_id="sew", map_index=0, count=4))
    ledger.add(*(ActivityFailed(task_id="sew", map_index=n, failure=DECLINED) for n in (1, 2)))
    ledger.add(ActivityCompleted(task_id="sew", map_index=3))
    assert causes(ledger, "sew") == [(Cause.NO_WORKER, "sew"), (Cause.FAILED, "sew"), (Cause.SUCCESS, "sew")]
    assert sentences(ledger, "sew")[1] == "sew[1], like 1 more of it, failed on attempt 1: CardError: card declined"


def test_a_task_that_is_not_there_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="run 'r1' of DAG 'shop' has no task 'x'"):
        tell(Ledger(ORDER), "x")


def test_a_chain_of_thousands_is_traced_to_its_root() -> None:
    ledger = Ledger(tasks("t0", *(f"t{n}: t{n - 1}" for n in range(1, 5000))))
    assert causes(ledger, "t4999") == [(Cause.UPSTREAM, "t4999"), (Cause.READY, "t0")]


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "0 s"),
        (0.04, "40 ms"),
        (0.9996, "1 s"),
        (1.26, "1.3 s"),
        (9.96, "10 s"),
        (35, "35 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (11040, "3 h 4 min"),
        (3605, "1 h"),
        (183600, "2 d 3 h"),
    ],
)
def test_a_span_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(at(seconds) - EPOCH) == text


def test_a_list_of_names_is_cut_after_three() -> None:
    assert (listed(["a", "b", "c"]), listed(["a", "b", "c", "d", "e"])) == ("a, b, c", "a, b, c and 2 more")
