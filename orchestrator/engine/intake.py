"""Intake: what a turn takes in: moments that have come, reports, requests, slots that are due, long waits."""

from collections.abc import Callable, Sequence
from datetime import datetime

from orchestrator.core import callback_outcomes, outcomes
from orchestrator.core.forms import form_of
from orchestrator.core.orders import Deferred, Failed, Fired, Lost, News, Started
from orchestrator.core.particulars import Failure
from orchestrator.core.run import Run
from orchestrator.core.waits import trigger_of
from orchestrator.engine import creation
from orchestrator.engine.advancing import Advancing
from orchestrator.engine.children import Children
from orchestrator.engine.inbox import Inbox
from orchestrator.engine.memory import Memory
from orchestrator.engine.petitions import Petitions
from orchestrator.engine.queue_watch import QueueWatch
from orchestrator.engine.settings import Settings
from orchestrator.engine.turn import Turn
from orchestrator.exceptions import OrchestratorError, StorageUnavailableError
from orchestrator.names import Delivery, FailureKind, TaskState
from orchestrator.ports import Cursor, PendingRequest


class Intake:
    """Turns what arrived into facts of the turn."""

    def __init__(
        self,
        memory: Memory,
        petitions: Petitions,
        inbox: Inbox,
        keys: creation.RunKeys,
        new_uid: Callable[[], str],
        settings: Settings,
        advancing: Advancing,
        children: Children,
    ) -> None:
        self._memory = memory
        self._petitions = petitions
        self._advancing = advancing
        self._children = children
        self._inbox = inbox
        self._keys = keys
        self._new_uid = new_uid
        self._settings = settings
        self.queued = QueueWatch(settings.queued_timeout)

    def take(self, turn: Turn, requests: Sequence[PendingRequest]) -> None:
        """Everything, in this order: a turn that is under way for another reason also takes the starts that wait."""
        self._wake_runs(turn)
        for pending in requests:
            self._petitions.take(turn, pending)
        self._create_due_runs(turn)
        self._children.reconcile(turn)
        self._advancing.take(turn)
        self._take_reports(turn)
        self._time_out_queued(turn)

    def next_due(self) -> tuple[datetime | None, ...]:
        """The moments at which there is something to take in although nothing arrives."""
        return (
            self._inbox.next_due(),
            self._memory.alarms.next_due(),
            self._memory.schedules.next_due(),
            self._memory.past.next_due(),
            self._memory.brake.next_due(),
            self.queued.next_due(),
        )

    def _wake_runs(self, turn: Turn) -> None:
        for run_key in self._memory.alarms.take(turn.now):
            run = self._memory.roster.held(run_key)
            if run is not None:
                turn.look_at(run)

    def _create_due_runs(self, turn: Turn) -> None:
        schedules, gate = self._memory.schedules, self._memory.gate
        while due := schedules.due(turn.now):
            for entry, slot in due:
                load = gate.load(entry.dag_id)
                if load.active + load.waiting >= entry.spec.max_active_runs:
                    continue  # the end of one of its runs looks again
                created = creation.from_slot(entry, slot, self._new_uid)
                plan = self._memory.roster.plan(entry.version_id)
                run, first = creation.begin(self._keys.next(), plan, created, turn.now)
                turn.begin(run, first)
                self._memory.place(run)
                turn.cursors.append(Cursor(dag_id=entry.dag_id, slot=slot.fire_at))
                schedules.dealt_with(entry.dag_id, slot.fire_at, turn.now)

    def _take_reports(self, turn: Turn) -> None:
        if not (turn.changed or self._inbox.is_due(turn.now)):
            return
        turn.took_reports = True
        for report in self._inbox.reports():
            self._take_report(turn, report)

    def _take_report(self, turn: Turn, report: News) -> None:
        if not isinstance(report, Fired):
            self.queued.discard(report.key)
        run = self._run_of(report)
        if report.key.callback is not None:
            if run is not None and not isinstance(report, Fired):
                called = callback_outcomes.facts_of(run, report, max_lost=self._settings.max_lost_attempts)
                turn.record_all(run, called, report.at)
            return
        if run is not None:
            report = self._without_echo(run, report)
            facts = outcomes.facts_of(run, report, now=turn.now, max_lost=self._settings.max_lost_attempts)
            turn.record_all(run, facts, report.at)
            if isinstance(report, Deferred) and report.until is None and trigger_of(report.trigger) is None:
                self._children.start_deferred(turn, run, report)
        if isinstance(report, Started) and (run is None or asks_leave(run, report)):
            (turn.goes if run is not None and _has_leave(run, report) else turn.cancels).append(report.key)

    def _without_echo(self, run: Run, report: News) -> News:
        """After a crash an executor may say once more what an attempt ended with before it was resumed: then it never
        got the attempt again, and is given it as another one. A question that was answered is not asked again, and what
        a trigger has told is not waited for again.
        """
        key = report.key
        node = run.nodes.get(key.task_id)
        activity = node.peek(key.map_index) if node else None
        if not isinstance(report, Deferred) or activity is None or activity.attempt != key.attempt:
            return report
        if not activity.resumed_seq or (form_of(report.trigger) is None and trigger_of(report.trigger) is None):
            return report
        before = self._memory.results.get(run.run_key, [activity.deferred_seq]).get(activity.deferred_seq)
        if before != report.trigger:
            return report
        return Lost(key=key, at=report.at, reason="it never went on from where it was deferred", started=False)

    def _run_of(self, report: News) -> Run | None:
        """The run that it is about; None where that is gone, or was left alone because it cannot be read."""
        try:
            return self._memory.roster.get(report.key.run_key)
        except StorageUnavailableError:
            raise
        except OrchestratorError:
            return None

    def _time_out_queued(self, turn: Turn) -> None:
        """Fail what no worker has begun in time; where it begins after all, its report comes too late."""
        for key in self.queued.take(turn.now):
            run = self._memory.roster.held(key.run_key)
            if run is None or not run.is_queued(key):
                continue
            message = f"no worker began it within {self._settings.queued_timeout} (task_queued_timeout)"
            kind = FailureKind.QUEUED_TIMEOUT
            failed = Failed(key=key, at=turn.now, kind=kind, failure=Failure(message=message))
            turn.record_all(run, outcomes.facts_of(run, failed, now=turn.now))
            turn.cancels.append(key)


def asks_leave(run: Run, report: Started) -> bool:
    """Whether the body waits for an answer: it promises to run at most once, or its task is gone from the run."""
    task = run.plan.tasks.get(report.key.task_id)
    return task is None or task.delivery is Delivery.AT_MOST_ONCE


def _has_leave(run: Run, report: Started) -> bool:
    """Whether its start is recorded. Said twice, as after a crash, it is answered twice and begins once."""
    key = report.key
    place = (key.task_id, key.map_index)
    if not run.tries_again(place) or run.open.get(place) != key.attempt:  # a workflow that is cancelled cleans up
        return False
    return run.nodes[key.task_id].activity(key.map_index).state is TaskState.RUNNING
