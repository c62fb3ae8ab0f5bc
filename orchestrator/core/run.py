"""Run: the state of one run as a fold over its history. ``apply`` is the one door."""

import heapq
from datetime import datetime

from orchestrator.core.activity import Activity, Node, is_timed
from orchestrator.core.board import Place
from orchestrator.core.callback_events import CallbackEnded, CallbackLost, CallbackScheduled
from orchestrator.core.calling import LATE_REPORT, CallingBoard
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityResumed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ActivityUpstreamFailed,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    OutcomeResolved,
    Recorded,
    RunCancelRequested,
    RunCreated,
    RunEnded,
    RunMoved,
    RunPaused,
    RunReset,
    RunResumed,
    RunStarted,
    TaskExpanded,
)
from orchestrator.core.forms import waiting_for
from orchestrator.core.particulars import NULL
from orchestrator.core.plan import Plan
from orchestrator.exceptions import HistoryConflictError
from orchestrator.names import FINISHED, AttemptKey, CallbackKind, Delivery, FailureKind, RunState, TaskState

_WORKING = frozenset({TaskState.QUEUED, TaskState.RUNNING})
_UNCLOSED = frozenset({TaskState.AWAITING_INPUT, TaskState.DEFERRED})
_STARTABLE = frozenset({TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE})


class Run(CallingBoard):
    """One run: its board, and what became of the run as a whole.

    ``is_reopened``: it had ended, and goes on because somebody asked for that. ``instead_of``: the version of its DAG
    that it does not follow to, since a person chose another in its place. ``has_deferred``: some attempt of it was
    deferred to a trigger, of whatever kind.
    """

    def __init__(self, run_key: int, plan: Plan, first: Recorded) -> None:
        created = first.event
        if not isinstance(created, RunCreated) or first.seq != 1:
            raise HistoryConflictError(f"the history of run {run_key} does not begin with RunCreated")
        super().__init__(run_key, plan)
        self.created = created
        self.created_at = self.heard_at = first.at
        self.seq = 1
        self.version_id = created.version_id
        self.versions = [(1, created.version_id)]  # with the seq from which on it had each
        self.fingerprint = created.fingerprint
        self.instead_of = created.instead_of
        self.state = RunState.QUEUED
        self.reason = ""
        self.ended_at: datetime | None = None
        self.first_failure: str | None = None
        self.reset_at = first.at
        self.is_reopened = False
        self.has_deferred = False

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def dag_id(self) -> str:
        return self.created.dag_id

    @property
    def run_id(self) -> str:
        return self.created.run_id

    @property
    def is_ended(self) -> bool:
        """Whether nothing goes on in it: it has ended, or is only kept here."""
        return self.ended_at is not None or self.created.imported

    @property
    def is_settled(self) -> bool:
        """Whether it has ended, and so have the callbacks that were called for."""
        return self.is_ended and not self.callbacks

    @property
    def is_inert(self) -> bool:
        """Whether it was imported while it was open: it stays as it was, and never goes on in this home."""
        return self.created.imported and self.ended_at is None

    @property
    def deadline(self) -> datetime | None:
        """When dagrun_timeout has passed; counted from the start, as in Airflow."""
        timeout = self.plan.spec.dagrun_timeout
        return None if timeout is None or self.started_at is None else self.started_at + timeout

    def idempotency_key(self, task_id: str, map_index: int) -> str:
        """Stable over attempts and restarts; new with each generation."""
        generation = self.nodes[task_id].activity(map_index).generation
        return f"{self.created.run_uid}/{task_id}/{map_index}/{generation}"

    def may_start(self, task_id: str, map_index: int) -> bool:
        """Whether a candidate that ``decide`` named may still be handed out."""
        node = self.nodes.get(task_id)
        if node is None or self.is_ended or self.holds_back(node):
            return False
        activity = node.peek(map_index)
        if activity is None or activity.state is TaskState.NONE:
            return node.is_released(map_index)
        return activity.state in _STARTABLE

    def is_queued(self, key: AttemptKey) -> bool:
        """Whether that attempt is open and no worker is known to have begun it."""
        place = (key.task_id, key.map_index)
        if self.open.get(place) != key.attempt:
            return False
        return self.nodes[key.task_id].activity(key.map_index).state is TaskState.QUEUED

    def next_attempt(self, task_id: str, map_index: int) -> int:
        """The number of the attempt that would open now; reschedules and deferrals keep theirs."""
        activity = self.nodes[task_id].activity(map_index)
        return activity.attempt + (activity.state is not TaskState.UP_FOR_RESCHEDULE)

    def tries_again(self, place: Place) -> bool:
        """Whether another attempt is wanted, should the one that is open fail."""
        node = self.nodes.get(place[0])
        return node is not None and (self.cancelling is None or self.takes_down(node))

    def next_due(self) -> datetime | None:
        """The next moment at which time alone changes something."""
        if self.is_ended:
            return None
        moments = [self.due[0][0]] if self.due and (self.cancelling is not None or not self.paused) else []
        if self.deadline is not None and self.cancelling is None:
            moments.append(self.deadline)
        return min(moments, default=None)

    # ── the fold ─────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, fact: Recorded) -> None:
        """Take in the next fact; HistoryConflictError if it is not the next."""
        if fact.seq != self.seq + 1:
            raise HistoryConflictError(
                f"run {self.run_key} is at seq {self.seq} and was given seq {fact.seq}; there is a gap or a rival"
            )
        self.seq, self.heard_at = fact.seq, fact.at
        self._fold(fact.event, fact.at)

    def _fold(self, event: AnyEvent, at: datetime) -> None:
        match event:
            case ActivityCompleted():
                self._completed(event, at)
            case ActivityStarted():
                self._started(event, at)
            case ActivityScheduled():
                self._scheduled(event, at)
            case ActivityFailed():
                self._failed(event, at)
            case ActivityLost():
                self._lost(event, at)
            case ActivitySkipped():
                self._skipped(event, at)
            case ActivityUpstreamFailed():
                self._upstream_failed(event, at)
            case ActivityCleared():
                self._cleared(event, at)
            case ActivityMarked():
                self._marked(event, at)
            case OutcomeResolved():
                self._resolved(event, at)
            case ActivityDeferred():
                self._deferred(event, at)
            case ActivityResumed():
                self._resumed(event, at)
            case TaskExpanded():
                self._expanded(event)
            case _:
                self._fold_of_run(event, at)

    def _fold_of_run(self, event: AnyEvent, at: datetime) -> None:
        match event:
            case RunCancelRequested():
                if self.cancelling is None:
                    self.cancelling, self.cancelled_by = event.reason, event.by
                    self._cancel(at)
                else:  # of a workflow, it is the end that follows that ends what cleans up
                    self._abandon()
            case ChildStarted():
                self._child_started(event)
            case ChildEnded():
                self._child_ended(event)
            case CallbackScheduled() | CallbackLost() | CallbackEnded():
                self.callbacks.take(self.run_key, event, self.seq)
            case RunReset():
                self._reopen()
                self.reset_at = at
            case RunEnded():
                self._ended(event, at)
            case RunStarted():
                self._begin(at)
            case RunPaused():
                self.paused = True
            case RunResumed():
                self.paused = False
                self._look_again()
            case RunMoved():
                self.version_id, self.fingerprint = event.version_id, event.fingerprint
                self.instead_of = event.instead_of
                self.versions.append((self.seq, event.version_id))
            case RunCreated():
                raise HistoryConflictError(f"run {self.run_key} is created twice in its history")
            case _:
                self._fold_of_kind(event, at)

    def _ended(self, event: RunEnded, at: datetime) -> None:
        self.state, self.reason, self.ended_at = event.state, event.reason, at
        self._call_at_end(event.state)
        self.due.clear()  # left-overs, of which none may wake a run that is cleared and waits its turn
        self._disown(self.children.values())
        self.children = {}

    def _fold_of_kind(self, event: AnyEvent, at: datetime) -> None:
        """Facts that only one kind of run has; a run of a static DAG has none."""

    def _look_again(self) -> None:
        """Put everything that could start back before ``decide``: after a pause nothing else would."""
        self.agenda = dict.fromkeys(self.nodes)
        for node in self.nodes.values():
            node.released = False
            if node.instances is not None:
                node.instances.let_go.clear()
                node.instances.stir(0, 0)
        self.due = [
            (activity.retry_at or self.created_at, task_id, map_index)
            for task_id, node in self.nodes.items()
            for map_index, activity in node.activities()
            if activity.state in _STARTABLE or is_timed(activity)
        ]
        heapq.heapify(self.due)

    # ── one activity ─────────────────────────────────────────────────────────────────────────────────────

    def _move(self, node: Node, map_index: int, activity: Activity, state: TaskState, at: datetime) -> None:
        """The run begins, if it has not, by what the engine does with its first activity: not by what it took over."""
        if self.started_at is None:
            self._begin(at)
        self._put(node, map_index, activity, state, at)

    def _begin(self, at: datetime) -> None:
        if self.started_at is None and self.seq > self.created.taken + 1:
            self.started_at, self.state = at, RunState.RUNNING

    def _concerns(self, activity: Activity, attempt: int) -> bool:
        """Whether a report on ``attempt`` changes anything: it is the current one, and it works."""
        return activity.attempt == attempt and activity.state in _WORKING

    def _is_committed(self, node: Node, activity: Activity, attempt: int) -> bool:
        """Whether a completion counts at any epoch: its effect is committed, and was not cleared since."""
        if node.task.delivery is not Delivery.TRANSACTIONAL or activity.state in FINISHED:
            return False
        return activity.outdated < attempt <= activity.attempt

    def _give_back(self, node: Node, map_index: int, activity: Activity, at: datetime) -> None:
        """An attempt that was cleared while it was open has come to its end: start afresh."""
        if activity.state is TaskState.RESTARTING and (node.task.task_id, map_index) not in self.open:
            self._reset(node, map_index, activity, at)

    # ── events of activities ─────────────────────────────────────────────────────────────────────────────

    def _scheduled(self, event: ActivityScheduled, at: datetime) -> None:
        node = self.nodes[event.task_id]
        for map_index in range(event.map_index, event.map_index + event.count):
            activity = node.activity(map_index)
            if activity.is_put_off:  # in a fork, in which a result is given in place of what it waited for
                activity.deferred_seq = activity.resumed_seq = 0
            activity.attempt, activity.scheduled_at, activity.scheduled_seq = event.attempt, at, self.seq
            activity.started_at = activity.ended_at = activity.retry_at = None
            activity.worker = ""
            self.open[event.task_id, map_index] = event.attempt
            self._move(node, map_index, activity, TaskState.QUEUED, at)

    def _started(self, event: ActivityStarted, at: datetime) -> None:
        node = self.nodes[event.task_id]
        activity = node.activity(event.map_index)
        if activity.attempt == event.attempt and activity.state is TaskState.QUEUED:
            activity.started_at, activity.worker = at, event.worker
            activity.began_at = activity.began_at or at
            self._move(node, event.map_index, activity, TaskState.RUNNING, at)

    def _completed(self, event: ActivityCompleted, at: datetime) -> None:
        node = self.nodes[event.task_id]
        activity = node.activity(event.map_index)
        self._close((event.task_id, event.map_index), event.attempt)
        waited = activity.waits(event.attempt)
        if waited or self._concerns(activity, event.attempt) or self._is_committed(node, activity, event.attempt):
            activity.length, activity.lengths = event.length, event.lengths or None
            activity.gave = event.payload is not None or event.result != NULL
            node.name_instance(event.map_index, event.rendered_map_index)
            if node.task.callbacks:
                self._call(node, CallbackKind.SUCCESS, event.map_index, event.attempt)
            self._succeed(node, event.map_index, activity, at)
            self._choose(node, event.map_index, event.skip)
        else:
            self._give_back(node, event.map_index, activity, at)

    def _succeed(self, node: Node, map_index: int, activity: Activity, at: datetime) -> None:
        self._doom(node.task.task_id, map_index)
        activity.result_seq = node.result_seq = self.seq
        self._move(node, map_index, activity, TaskState.SUCCESS, at)

    def _failed(self, event: ActivityFailed, at: datetime) -> None:
        node = self.nodes[event.task_id]
        activity = node.activity(event.map_index)
        self._close((event.task_id, event.map_index), event.attempt)
        unclosed = activity.attempt == event.attempt and activity.state in _UNCLOSED
        if not self._concerns(activity, event.attempt) and not unclosed:
            self._give_back(node, event.map_index, activity, at)
            return
        activity.failures += 1
        activity.end_try()
        node.name_instance(event.map_index, event.rendered_map_index)
        if event.kind is not FailureKind.CANCELLED:
            kind = CallbackKind.FAILURE if event.retry_at is None else CallbackKind.RETRY
            self._call(node, kind, event.map_index, event.attempt)
        if event.retry_at is None:
            self.first_failure = self.first_failure or event.task_id
            self._move(node, event.map_index, activity, TaskState.FAILED, at)
            return
        activity.ended_at = at
        self._move(node, event.map_index, activity, TaskState.UP_FOR_RETRY, at)
        self._again(node, event.map_index, activity, event.retry_at)

    def _lost(self, event: ActivityLost, at: datetime) -> None:
        node = self.nodes[event.task_id]
        activity = node.activity(event.map_index)
        self._close((event.task_id, event.map_index), event.attempt)
        if not self._concerns(activity, event.attempt):
            self._give_back(node, event.map_index, activity, at)
        elif event.unknown:
            self._move(node, event.map_index, activity, TaskState.AWAITING_INPUT, at)
            if self.cancelling is not None:
                self.agenda[event.task_id] = None
        else:
            activity.losses += 0 if event.free else 1
            activity.started_at = None
            self._move(node, event.map_index, activity, TaskState.SCHEDULED, at)
            self._again(node, event.map_index, activity, at)

    def _skipped(self, event: ActivitySkipped, at: datetime) -> None:
        node = self.nodes[event.task_id]
        for map_index in range(event.map_index, event.map_index + event.count):
            activity = node.activity(map_index)
            if event.attempt:
                self._close((event.task_id, map_index), event.attempt)
                if not self._concerns(activity, event.attempt) and not activity.waits(event.attempt):
                    self._give_back(node, map_index, activity, at)
                    continue
                self._call(node, CallbackKind.SKIPPED, map_index, event.attempt)
                node.name_instance(map_index, event.rendered_map_index)
            self._move(node, map_index, activity, TaskState.SKIPPED, at)

    def _upstream_failed(self, event: ActivityUpstreamFailed, at: datetime) -> None:
        node = self.nodes[event.task_id]
        for map_index in range(event.map_index, event.map_index + event.count):
            self._move(node, map_index, node.activity(map_index), TaskState.UPSTREAM_FAILED, at)

    def _deferred(self, event: ActivityDeferred, at: datetime) -> None:
        node = self.nodes[event.task_id]
        activity = node.activity(event.map_index)
        self._close((event.task_id, event.map_index), event.attempt)
        if not self._concerns(activity, event.attempt):
            self._give_back(node, event.map_index, activity, at)
            return
        node.name_instance(event.map_index, event.rendered_map_index)
        if event.trigger != NULL or event.until is None:
            activity.deferred_seq, activity.resumed_seq = self.seq, 0
            self.has_deferred = True
            self._move(node, event.map_index, activity, waiting_for(event.trigger), at)
            if event.until is not None:
                self._again(node, event.map_index, activity, event.until)
        else:
            activity.pokes += 1
            self._move(node, event.map_index, activity, TaskState.UP_FOR_RESCHEDULE, at)
            self._again(node, event.map_index, activity, event.until)

    def _resumed(self, event: ActivityResumed, at: datetime) -> None:
        node = self.nodes[event.task_id]
        activity = node.activity(event.map_index)
        if activity.attempt == event.attempt and activity.is_put_off:
            activity.resumed_seq = self.seq
            self._move(node, event.map_index, activity, TaskState.UP_FOR_RESCHEDULE, at)
            self._again(node, event.map_index, activity, at)

    def _expanded(self, event: TaskExpanded) -> None:
        node = self.nodes[event.task_id]
        self._expand(node, event.shape, event.extents)
        node.measured_at = self.seq
        self.agenda[event.task_id] = None

    # ── what people ask for ──────────────────────────────────────────────────────────────────────────────

    def _cleared(self, event: ActivityCleared, at: datetime) -> None:
        node = self.nodes[event.task_id]
        self._wait_again()
        self.ended_at, self.reason, self.first_failure = None, "", None
        self._call_off()
        for map_index in range(event.map_index, event.map_index + event.count):
            activity = node.activity(map_index)
            activity.failures = activity.losses = 0
            activity.end_try()
            self._disown_of(event.task_id, map_index, activity.attempt)
            if not event.same_key:
                activity.generation += 1
                activity.outdated = activity.attempt
            if (event.task_id, map_index) in self.open:
                self._doom(event.task_id, map_index)
                self._move(node, map_index, activity, TaskState.RESTARTING, at)
            else:
                self._reset(node, map_index, activity, at)

    def _marked(self, event: ActivityMarked, at: datetime) -> None:
        node = self.nodes[event.task_id]
        for map_index in range(event.map_index, event.map_index + event.count):
            activity = node.activity(map_index)
            self._doom(event.task_id, map_index)
            self._disown_of(event.task_id, map_index, activity.attempt)
            self._put(node, map_index, activity, event.state, at)

    def _resolved(self, event: OutcomeResolved, at: datetime) -> None:
        node = self.nodes[event.task_id]
        activity = node.activity(event.map_index)
        if not activity.is_unknown or activity.attempt != event.attempt:
            return
        if event.state is TaskState.SUCCESS:
            if event.by == LATE_REPORT:
                self._call(node, CallbackKind.SUCCESS, event.map_index, event.attempt)
            activity.length, activity.lengths = event.length, None
            activity.gave = event.payload is not None or event.result != NULL
            self._succeed(node, event.map_index, activity, at)
        elif event.state is TaskState.FAILED:
            self._move(node, event.map_index, activity, TaskState.FAILED, at)
        else:
            self._move(node, event.map_index, activity, TaskState.SCHEDULED, at)
            self._again(node, event.map_index, activity, at)

    def _cancel(self, _at: datetime) -> None:
        self._wind_down()
        self._disown(self.children.values())

    # ── going back ───────────────────────────────────────────────────────────────────────────────────────

    def _reopen(self) -> None:
        self._wait_again()
        self.ended_at, self.reason = None, ""

    def _wait_again(self) -> None:
        """A run that had ended waits its turn, like a new one; it is not its parent's any more."""
        if self.ended_at is not None:
            self.state, self.started_at, self.is_reopened = RunState.QUEUED, None, True

    def rewind(self, past: "Run") -> None:
        """Go back to ``past``, the fold of the facts up to the seq of the RunReset that was just applied.

        ``past`` is used up. The version, a pause and the numbers that were given out stay as they are.
        """
        self._rewind_board(past, self.reset_at)
        self.cancelling, self.first_failure = past.cancelling, past.first_failure
        self.is_abandoned, self.cancelled_by = past.is_abandoned, past.cancelled_by
        self._rewind_children(past)
