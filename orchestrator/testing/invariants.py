"""What must hold of every history, stated apart from the engine's own code."""

from collections import Counter
from collections.abc import Sequence

from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityScheduled,
    ActivitySkipped,
    ActivityUpstreamFailed,
    OutcomeResolved,
    Recorded,
    RunEnded,
)
from orchestrator.core.forms import form_of
from orchestrator.core.particulars import NULL
from orchestrator.core.plan import Plan
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec
from orchestrator.names import FINISHED, Delivery, TaskState, TriggerRule
from orchestrator.testing.simulation import Simulation

_OPEN = TaskState.QUEUED


def check_histories(sim: Simulation) -> None:
    """Every invariant, on every run of a simulation that has come to rest."""
    for run_key, facts in sim.histories():
        spec = sim.store.spec(1)
        check_order(facts)
        check_rules(spec, facts)
        check_nothing_recorded_ran_again(spec, facts)
        check_ended(facts)
        check_counters(run_key, spec, facts)
    check_deliveries(sim)


def check_order(facts: Sequence[Recorded]) -> None:
    """Seq counts from 1 without a gap."""
    assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1)), "the history has a gap"


def check_ended(facts: Sequence[Recorded]) -> None:
    """The run has come to its end, and nothing but evidence follows."""
    assert any(isinstance(fact.event, RunEnded) for fact in facts), f"the run never ended: {facts[-1]}"


def check_nothing_recorded_ran_again(spec: DagSpec, facts: Sequence[Recorded]) -> None:
    """No activity is handed out once its outcome is recorded, unless somebody clears it."""
    states = _States(spec)
    for fact in facts:
        if isinstance(fact.event, ActivityScheduled):
            state = states[fact.event.task_id]
            assert state not in FINISHED, f"{fact.event.task_id} was {state} and was scheduled again at seq {fact.seq}"
            assert state is not _OPEN, f"{fact.event.task_id} was handed out twice at seq {fact.seq}"
        states.take(fact)


def check_rules(spec: DagSpec, facts: Sequence[Recorded]) -> None:
    """No task starts, is skipped or is failed by its upstreams before its rule says so."""
    states = _States(spec)
    upstream = {task.task_id: task.upstream for task in spec.tasks}
    rules = {task.task_id: task.trigger_rule for task in spec.tasks}
    for fact in facts:
        event = fact.event
        if isinstance(event, ActivityScheduled) and states[event.task_id] is TaskState.NONE:
            before = [states[name] for name in upstream[event.task_id]]
            rule = rules[event.task_id]
            assert may_run(rule, before), f"{event.task_id} started at seq {fact.seq} although {rule} met {before}"
        states.take(fact)


def may_run(rule: TriggerRule, upstream: Sequence[TaskState]) -> bool:
    """Airflow's rules in words, from the states of the direct upstreams; ``none`` stands for not done."""
    count = Counter(upstream)
    good, skipped = count[TaskState.SUCCESS], count[TaskState.SKIPPED]
    bad = count[TaskState.FAILED] + count[TaskState.UPSTREAM_FAILED]
    done = sum(count[state] for state in FINISHED) == len(upstream)
    if not upstream:
        return True
    return {
        TriggerRule.ALL_SUCCESS: good == len(upstream),
        TriggerRule.ALL_FAILED: bad == len(upstream),
        TriggerRule.ALL_DONE: done,
        TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: done and good > 0 and not skipped,
        TriggerRule.ALL_DONE_SETUP_SUCCESS: done,
        TriggerRule.ONE_SUCCESS: good > 0,
        TriggerRule.ONE_FAILED: bad > 0,
        TriggerRule.ONE_DONE: good + count[TaskState.FAILED] > 0,
        TriggerRule.NONE_FAILED: done and not bad,
        TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: done and not bad and good > 0,
        TriggerRule.NONE_SKIPPED: done and not skipped,
        TriggerRule.ALL_SKIPPED: skipped == len(upstream),
        TriggerRule.ALWAYS: True,
    }[rule]


def check_counters(run_key: int, spec: DagSpec, facts: Sequence[Recorded]) -> None:
    """The fold's running counts equal a recount, and nothing is open once the run has ended."""
    run = replay(run_key, facts, lambda version_id: Plan(spec, version_id))
    states = {name: node.one.state for name, node in run.nodes.items()}
    assert run.unfinished == sum(state not in FINISHED for state in states.values()), "unfinished is miscounted"
    for name, node in run.nodes.items():
        count = Counter(states[upstream] for upstream in node.task.upstream)
        seen = node.upstreams
        assert seen.total == len(node.task.upstream)
        counted = (seen.success, seen.skipped, seen.failed, seen.upstream_failed)
        words = (TaskState.SUCCESS, TaskState.SKIPPED, TaskState.FAILED, TaskState.UPSTREAM_FAILED)
        assert counted == tuple(count[word] for word in words), f"the upstreams of {name} are miscounted"
    assert not run.open, f"still open at the end: {run.open}"


def check_deliveries(sim: Simulation) -> None:
    """An at_most_once body without retries begins once under one idempotency key, unless a person said: again."""
    modes = {task.task_id: task.delivery for task in sim.store.spec(1).tasks}
    for key, times in sim.executor.bodies.items():
        task_id = key.split("/")[1]
        if task_id in modes and key.rsplit("/", 1)[1].isdigit() and modes[task_id] is Delivery.AT_MOST_ONCE:
            allowed = 1 + sim.retried_by_a_person[key]
            assert times <= allowed, f"{task_id} promises at most one execution and began {times} times"


class _States:
    """The states of unmapped tasks, as a reader of the history would note them down."""

    def __init__(self, spec: DagSpec) -> None:
        self._states = {task.task_id: TaskState.NONE for task in spec.tasks}
        self._attempts = dict.fromkeys(self._states, 0)

    def __getitem__(self, task_id: str) -> TaskState:
        return self._states[task_id]

    def take(self, fact: Recorded) -> None:
        event = fact.event
        match event:
            case ActivityScheduled():
                self._attempts[event.task_id] = event.attempt
                self._states[event.task_id] = _OPEN
            case ActivityCompleted() | ActivityFailed() | ActivityLost() | ActivityDeferred():
                self._report(event.task_id, event.attempt, _meaning(event))
            case ActivitySkipped():
                if not event.attempt or self._is_open(event.task_id, event.attempt):
                    self._states[event.task_id] = TaskState.SKIPPED
            case ActivityUpstreamFailed():
                self._states[event.task_id] = TaskState.UPSTREAM_FAILED
            case ActivityMarked():
                self._states[event.task_id] = event.state
            case OutcomeResolved():
                known = event.state in FINISHED
                self._states[event.task_id] = event.state if known else TaskState.SCHEDULED
            case ActivityCleared():
                self._states[event.task_id] = TaskState.NONE
            case _:
                pass  # says nothing about a task's state

    def _is_open(self, task_id: str, attempt: int) -> bool:
        return self._states[task_id] is _OPEN and self._attempts[task_id] == attempt

    def _report(self, task_id: str, attempt: int, state: TaskState) -> None:
        waits = self._states[task_id] is TaskState.AWAITING_INPUT
        if self._is_open(task_id, attempt) or (waits and self._attempts[task_id] == attempt):
            self._states[task_id] = state


def _meaning(event: ActivityCompleted | ActivityFailed | ActivityLost | ActivityDeferred) -> TaskState:
    match event:
        case ActivityCompleted():
            return TaskState.SUCCESS
        case ActivityFailed():
            return TaskState.FAILED if event.retry_at is None else TaskState.UP_FOR_RETRY
        case ActivityLost():
            return TaskState.AWAITING_INPUT if event.unknown else TaskState.SCHEDULED
        case ActivityDeferred():
            if form_of(event.trigger) is not None:
                return TaskState.AWAITING_INPUT
            is_rescheduled = event.until is not None and event.trigger == NULL
            return TaskState.UP_FOR_RESCHEDULE if is_rescheduled else TaskState.DEFERRED
