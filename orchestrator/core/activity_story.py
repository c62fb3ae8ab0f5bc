"""Why one activity does not run, or ended as it did."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeAlias, assert_never

from orchestrator.core import workflow_story
from orchestrator.core.activity import Activity, Node
from orchestrator.core.blame import began, blamed, waits
from orchestrator.core.forms import Form, answer_command, choices
from orchestrator.core.reasons import Cause, Reason, Usage, Word, listed, named, span
from orchestrator.core.run import Run
from orchestrator.names import UNMAPPED, RunState, TaskState

_UNLIMITED = -1

Said: TypeAlias = Callable[[str, int], Word | None]


class ActivityTeller:
    """Tells of the activities of one run, as it stands at ``now``; ``failure_of`` gives what its history says last."""

    def __init__(self, run: Run, now: datetime, usage: Usage, failure_of: Said) -> None:
        self._run = run
        self._now = now
        self._usage = usage
        self._failure_of = failure_of

    def _held(self) -> Reason | None:
        """What keeps the whole run from starting anything."""
        run, limit = self._run, self._usage.max_active_runs or self._run.plan.spec.max_active_runs
        if run.cancelling is not None:
            open_ones = listed(sorted({named(*place) for place in run.open}))
            rest = f"; it ends when these have stopped: {open_ones}" if open_ones else ""
            return Reason(cause=Cause.RUN_CANCELLED, sentence=f"the run is being cancelled: {run.cancelling}{rest}")
        if run.paused:
            resume = f"`orchestrator runs resume {run.dag_id} '{run.run_id}'`"
            return Reason(cause=Cause.RUN_PAUSED, sentence=f"the run is paused and starts nothing until {resume}")
        if run.state is RunState.QUEUED and self._usage.active_runs >= limit:
            sentence = f"the run waits its turn: {self._usage.active_runs} runs of {run.dag_id} are active or older"
            names = f": {listed(list(self._usage.ahead))}" if self._usage.ahead else ""
            return Reason(cause=Cause.RUN_QUEUED, sentence=f"{sentence} and max_active_runs is {limit}{names}")
        return None

    # ── one activity ─────────────────────────────────────────────────────────────────────────────────────

    def _of_activity(self, node: Node, map_index: int) -> Iterator[tuple[Cause, str]]:
        activity = node.peek(map_index) or Activity()
        attempt, words = activity.attempt, self._words(node, map_index)
        match activity.state:
            case TaskState.NONE | TaskState.SCHEDULED | TaskState.UP_FOR_RETRY | TaskState.UP_FOR_RESCHEDULE:
                yield from self._of_waiting(node, activity, words)
            case TaskState.QUEUED:
                since = self._since(activity.scheduled_at)
                yield Cause.NO_WORKER, f"waits for a worker to begin it; it was handed out {since} ago"
            case TaskState.RUNNING:
                place = f" on {activity.worker}" if activity.worker else ""
                yield (
                    Cause.RUNNING,
                    f"has been running for {self._since(activity.started_at)}{place}, attempt {attempt}",
                )
            case TaskState.RESTARTING:
                yield Cause.RESTARTING, f"was cleared while it ran: attempt {attempt} is ended before it starts afresh"
            case TaskState.DEFERRED:
                yield self._deferred(node, map_index, attempt)
            case TaskState.AWAITING_INPUT:
                yield self._awaits(node, map_index, activity)
            case TaskState.SUCCESS:
                yield Cause.SUCCESS, f"succeeded on attempt {attempt}" if attempt else "succeeded"
            case TaskState.FAILED:
                yield Cause.FAILED, f"failed on attempt {attempt}{words}" if attempt else f"is marked as failed{words}"
            case TaskState.UPSTREAM_FAILED:
                yield Cause.UPSTREAM_FAILED, f"did not run: {self._unmet(node)}"
            case TaskState.SKIPPED:
                yield Cause.SKIPPED, self._skipped(node, words)
            case TaskState.REMOVED:
                yield Cause.REMOVED, "is not part of the run any more"
            case _:
                assert_never(activity.state)

    def _of_waiting(self, node: Node, activity: Activity, words: str) -> Iterator[tuple[Cause, str]]:
        ahead = activity.retry_at is not None and activity.retry_at > self._now
        if activity.state is TaskState.NONE and waits(self._run, node):
            names = [f"{up.task.task_id} ({_summary(up)})" for up in blamed(self._run, node)]
            yield Cause.UPSTREAM, f"waits for {listed(names)} under trigger rule {node.task.trigger_rule}"
        elif activity.retry_at is not None and ahead and activity.state is TaskState.UP_FOR_RETRY:
            again = span(activity.retry_at - self._now)
            yield Cause.RETRY, f"is tried again in {again}; attempt {activity.attempt} failed{words}"
        elif activity.retry_at is not None and ahead:
            yield Cause.RESCHEDULED, f"looks again in {span(activity.retry_at - self._now)}"
        else:
            yield from self._of_ready(node)

    def _of_ready(self, node: Node) -> Iterator[tuple[Cause, str]]:
        held = None if self._run.takes_down(node) else self._held()
        if held is not None:
            yield held.cause, f"is ready, but {held.sentence}"
            return
        if (before := self._usage.past.get(node.task.task_id)) is not None:
            yield Cause.PAST, f"waits for {before}"
            return
        full = list(self._full(node))
        yield from ((Cause.NO_ROOM, f"is ready and waits for room: {limit}") for limit in full)
        if not full:
            yield Cause.READY, "is ready and starts at the scheduler's next turn"

    def _full(self, node: Node) -> Iterator[str]:
        """The limits that it is under and that are used up."""
        task, run, usage = node.task, self._run, self._usage
        here = sum(task_id == task.task_id for task_id, _ in run.open)
        limits = (
            ("parallelism", usage.open_attempts, usage.parallelism),
            (f"max_active_tasks of {run.dag_id}", len(run.open), run.plan.spec.max_active_tasks),
            ("max_active_tis_per_dag", usage.tasks.get(task.task_id, 0), task.max_active_tis_per_dag),
            ("max_active_tis_per_dagrun", here, task.max_active_tis_per_dagrun),
        )
        for name, used, size in limits:
            if size is not None and used >= size:
                yield f"{used} of {size} are running under {name}"
        used, size = usage.pools.get(task.pool, (0, 0))
        if size != _UNLIMITED and used + task.pool_slots > size:
            wants = f" and it wants {task.pool_slots}" if task.pool_slots > 1 else ""
            holders = f" by {listed(list(usage.holders[task.pool]))}" if usage.holders.get(task.pool) else ""
            yield f"{used} of {size} slots of pool {task.pool!r} are taken{holders}{wants}"

    # ── words ────────────────────────────────────────────────────────────────────────────────────────────

    def _words(self, node: Node, map_index: int) -> str:
        word = self._failure_of(node.task.task_id, map_index)
        return f": {word.text}" if word is not None and word.text and word.form is None else ""

    def _deferred(self, node: Node, map_index: int, attempt: int) -> tuple[Cause, str]:
        child = self._run.children.get(f"{node.task.task_id}/{map_index}/{attempt}")
        if child is not None:
            return Cause.CHILD, f"waits for {workflow_story.of_child(child)} and holds no worker"
        activity = node.activity(map_index)
        if activity.retry_at is not None:
            return Cause.DEFERRED, f"waits for {span(activity.retry_at - self._now)} more and holds no worker"
        return Cause.DEFERRED, "waits for its trigger and holds no worker"

    def _since(self, moment: datetime | None) -> str:
        return span(self._now - (moment or self._now))

    def _unknown(self, node: Node, map_index: int, attempt: int) -> str:
        index = "" if map_index == UNMAPPED else f" --map-index {map_index}"
        command = f"orchestrator tasks resolve {self._run.dag_id} {node.task.task_id} '{self._run.run_id}'{index}"
        return (
            f"awaits input: its worker was lost during attempt {attempt}, and whether that had its effect is unknown; "
            f"say so with `{command} --success JSON` (or --retry, or --fail)"
        )

    def _awaits(self, node: Node, map_index: int, activity: Activity) -> tuple[Cause, str]:
        if not activity.is_asking:
            return Cause.OUTCOME_UNKNOWN, self._unknown(node, map_index, activity.attempt)
        word = self._failure_of(node.task.task_id, map_index)
        form = None if word is None else word.form
        if form is None:
            return Cause.INPUT, "asks a person, and waits; `orchestrator tasks awaiting` says what it asks"
        command = answer_command(form, self._run.dag_id, node.task.task_id, self._run.run_id, map_index)
        return Cause.INPUT, f"asks {form.subject!r} ({choices(form)}){self._otherwise(form, activity)}; `{command}`"

    def _otherwise(self, form: Form, activity: Activity) -> str:
        """What becomes of it if nobody answers."""
        if activity.retry_at is None:
            return ""
        left = span(activity.retry_at - self._now)
        if form.defaults is None:
            return f" and fails in {left} without an answer"
        return f" and goes on with {', '.join(form.defaults) or 'nothing chosen'} in {left} without one"

    def _unmet(self, node: Node) -> str:
        names = [f"{up.task.task_id} ({_summary(up)})" for up in blamed(self._run, node)]
        if names:
            return f"{listed(names)} under trigger rule {node.task.trigger_rule}"
        if node.is_mapped and node.shape is None:
            names = sorted({*self._run.plan.producers(node.task.task_id)})
            return f"the result of {listed(names)} that it is mapped over has no length"
        return _rule(node)

    def _skipped(self, node: Node, words: str) -> str:
        if words:
            return f"was skipped{words}"
        if node.skipped_by:
            return f"was skipped: branch {min(node.skipped_by)} chose another way"
        if began(node):
            return "was skipped by its own body"
        if self._run.cancelling is not None:
            return f"was skipped: the run was cancelled: {self._run.cancelling}"
        return f"was skipped: {_rule(node)}"


def _summary(node: Node) -> str:
    """The states of its activities, in words."""
    states = sorted({str(activity.state) for _, activity in node.activities()} or {str(TaskState.NONE)})
    return ", ".join(states)


def _rule(node: Node) -> str:
    up = node.upstreams
    counts = {"success": up.success, "failed": up.failed, "upstream_failed": up.upstream_failed}
    counts |= {"skipped": up.skipped, "removed": up.removed, "not done": up.total - up.done}
    words = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    return f"trigger rule {node.task.trigger_rule} cannot be met by its upstreams: {words}"
