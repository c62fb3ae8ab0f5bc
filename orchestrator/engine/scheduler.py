"""The scheduler. One turn is ``tick()``: take in, decide, commit one group, hand out."""

from collections import deque
from collections.abc import Callable
from datetime import datetime

from orchestrator.core import outcomes
from orchestrator.core.commands import CancelAttempt, Command, ScheduleActivity, facts_of
from orchestrator.core.decide import decide
from orchestrator.core.events import ActivityCompleted, ActivityScheduled, Failure
from orchestrator.core.orders import Failed, Report, Started
from orchestrator.core.run import Run
from orchestrator.engine import creation
from orchestrator.engine.inbox import Inbox
from orchestrator.engine.memory import Memory
from orchestrator.engine.petitions import Petitions
from orchestrator.engine.queue_watch import QueueWatch
from orchestrator.engine.recovery import recover
from orchestrator.engine.settings import Settings
from orchestrator.engine.turn import Turn
from orchestrator.exceptions import StorageUnavailableError
from orchestrator.names import AttemptKey, Delivery, FailureKind
from orchestrator.ports import Clock, Cursor, DagCatalog, Executor, HistoryStore, Projections


class Scheduler:
    """Single-threaded; everything that it holds in memory can be rebuilt from the store.

    ``notice`` is told, in one sentence, of what a person should know.
    """

    def __init__(
        self,
        *,
        store: HistoryStore,
        projections: Projections,
        catalog: DagCatalog,
        executor: Executor,
        clock: Clock,
        settings: Settings,
        notice: Callable[[str], None] = lambda _: None,
        new_uid: Callable[[], str] = creation.new_uid,
    ) -> None:
        self._store = store
        self._projections = projections
        self._catalog = catalog
        self._executor = executor
        self._clock = clock
        self._settings = settings
        self._notice = notice
        self._new_uid = new_uid
        self._keys = creation.RunKeys(store)
        self._inbox = Inbox(settings.start_lag, self._may_wait)
        self._renew_at = clock.now() + settings.claim_renewal
        self._resting_since: datetime | None = None
        self._resting_until: datetime | None = None
        self._is_muddled = False
        self._is_closing = False

    def _begin_afresh(self) -> None:
        self._memory = Memory(self._store, self._projections, self._catalog, self._settings)
        self._petitions = Petitions(self._memory, self._projections, self._keys)
        self._pools = self._projections.pools()
        self._catalog_cursor = 0
        self._queued = QueueWatch(self._settings.queued_timeout)

    # ── the life of a scheduler ──────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Claim the database, start the executor and take up every open run where its history ends."""
        self._store.claim(self._settings.owner)
        self._executor.start()
        self._recall(self._clock.now())
        self.tick()

    def tick(self, *, rung: bool = True) -> bool:
        """One turn; whether it recorded anything. ``rung``: look for requests and changed DAGs too."""
        now = self._clock.now()
        self._inbox.add(self._executor.reports(), now)
        if self._resting_until is not None and now < self._resting_until:
            return False
        turn = Turn(now)
        rung = rung or self._is_muddled  # what was rung for then was not taken in
        try:
            self._wake_up(now)
            self._renew_claim(now)
            if rung:
                self._read_catalog(now)
            recorded = self._record(turn, with_requests=rung)
            self._act(turn)
            self._end_rest(now)
        except StorageUnavailableError as error:
            self._rest(now, error)
            return False
        return recorded

    def next_due(self) -> datetime | None:
        """When the next turn is due although nothing arrives."""
        moments = (*self.moments(), self._renew_at)
        return min(moment for moment in moments if moment is not None)

    def moments(self) -> tuple[datetime | None, ...]:
        """Each part's next due moment; while the database is away, when it is tried again."""
        if self._resting_until is not None:
            return (self._resting_until,)
        return (
            self._inbox.next_due(),
            self._memory.alarms.next_due(),
            self._memory.schedules.next_due(),
            self._executor.next_due(),
            self._queued.next_due(),
        )

    def stop_handing_out(self) -> None:
        """From here on nothing new starts; what has not begun is asked back."""
        self._is_closing = True
        keys = [
            AttemptKey(run.run_key, task_id, map_index, attempt)
            for run in self._memory.roster
            for (task_id, map_index), attempt in run.open.items()
        ]
        self._executor.take_back(keys)

    @property
    def open_attempts(self) -> int:
        return sum(len(run.open) for run in self._memory.roster)

    def stop(self) -> None:
        """End what runs, by force; the next start finds it as a free loss."""
        self._executor.stop()
        self._store.release()

    # ── one turn ─────────────────────────────────────────────────────────────────────────────────────────

    def _record(self, turn: Turn, *, with_requests: bool) -> bool:
        self._wake_runs(turn)
        if with_requests:
            self._take_requests(turn)
        self._create_due_runs(turn)
        self._take_reports(turn)
        self._time_out_queued(turn)
        self._settle(turn)
        self._admit(turn)
        return self._commit(turn)

    def _act(self, turn: Turn) -> None:
        if turn.goes:
            self._executor.go(turn.goes)
        if turn.cancels:
            self._executor.cancel(turn.cancels)
        for run in turn.runs():
            if run.is_ended and self._memory.roster.held(run.run_key) is run:
                self._memory.forget(run)
        self._hand_out(turn)  # last: it reads from the database, which may be away

    # ── taking in ────────────────────────────────────────────────────────────────────────────────────────

    def _wake_runs(self, turn: Turn) -> None:
        for run_key in self._memory.alarms.take(turn.now):
            run = self._memory.roster.held(run_key)
            if run is not None:
                turn.look_at(run)

    def _take_reports(self, turn: Turn) -> None:
        if not (turn.changed or self._inbox.is_due(turn.now)):
            return
        turn.took_reports = True
        for report in self._inbox.reports():
            self._take_report(turn, report)

    def _take_report(self, turn: Turn, report: Report) -> None:
        self._queued.discard(report.key)
        run = self._memory.roster.get(report.key.run_key)
        if run is None:
            return
        facts = outcomes.facts_of(run, report, now=turn.now, max_lost=self._settings.max_lost_attempts)
        turn.record_all(run, facts, report.at)
        if isinstance(report, Started) and not self._may_wait(report):
            (turn.goes if facts else turn.cancels).append(report.key)

    def _may_wait(self, report: Started) -> bool:
        run = self._memory.roster.held(report.key.run_key)
        task = run.plan.tasks.get(report.key.task_id) if run else None
        return task is None or task.delivery is not Delivery.AT_MOST_ONCE

    def _take_requests(self, turn: Turn) -> None:
        for pending in self._projections.requests():
            self._petitions.take(turn, pending)

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

    def _time_out_queued(self, turn: Turn) -> None:
        """Fail what no worker has begun in time; where it begins after all, its report comes too late."""
        for key in self._queued.take(turn.now):
            run = self._memory.roster.held(key.run_key)
            if run is None or not run.is_queued(key):
                continue
            message = f"no worker began it within {self._settings.queued_timeout} (task_queued_timeout)"
            kind = FailureKind.QUEUED_TIMEOUT
            failed = Failed(key=key, at=turn.now, kind=kind, failure=Failure(message=message))
            turn.record_all(run, outcomes.facts_of(run, failed, now=turn.now))
            turn.cancels.append(key)

    # ── deciding ─────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, turn: Turn) -> None:
        """Let every run that changed, or whose time has come, decide until it has nothing more to say."""
        waiting = deque(turn.changed.values())
        while waiting:
            waiting.extend(self._settle_run(turn, waiting.popleft()))

    def _settle_run(self, turn: Turn, run: Run) -> list[Run]:
        """Decide for one run; the runs that may begin because it ended or because it is new."""
        began = self._memory.begin_waiting(run.dag_id)
        if self._memory.gate.is_active(run.run_key) or run.cancelling is not None:
            while commands := decide(run, turn.now):
                for command in commands:
                    self._carry_out(turn, run, command)
        self._memory.give_back(run)
        self._memory.alarms.set(run.run_key, run.next_due())
        if run.is_ended and self._memory.gate.leave(run.run_key):
            self._memory.schedules.look_again(run.dag_id, turn.now)
            began += self._memory.begin_waiting(run.dag_id)
        return [other for other in began if other is not run]

    def _carry_out(self, turn: Turn, run: Run, command: Command) -> None:
        if isinstance(command, ScheduleActivity):
            task = run.plan.tasks[command.task_id]
            self._memory.admission.offer(run, task, command.map_index, command.count)
        elif isinstance(command, CancelAttempt):
            turn.cancels.append(command.key)
        else:
            turn.record_all(run, facts_of(command))

    def _admit(self, turn: Turn) -> None:
        if self._is_closing:
            return
        for admitted in self._memory.admission.admit():
            run, task_id, first, count = admitted.run, admitted.task_id, admitted.map_index, admitted.count
            self._memory.dispatch.prepare(run)
            attempt = run.next_attempt(task_id, first)
            turn.record(run, ActivityScheduled(task_id=task_id, map_index=first, count=count, attempt=attempt))
            turn.admitted.append((run, task_id, first, count))

    # ── recording, then acting ───────────────────────────────────────────────────────────────────────────

    def _commit(self, turn: Turn) -> bool:
        refused = frozenset() if turn.is_empty else self._store.commit(turn.group())
        if turn.took_reports:
            self._inbox.clear()
        for run in turn.runs():
            if run.run_key in refused:
                self._reload(run)
            else:
                run.touched.clear()
        for run, fact in turn.facts():
            if isinstance(fact.event, ActivityCompleted) and fact.event.task_id in run.plan.taken:
                self._memory.results.keep(run.run_key, fact.seq, fact.event)
        return not turn.is_empty

    def _reload(self, run: Run) -> None:
        """Somebody else wrote this run's history: forget what was decided and read it again."""
        self._notice(f"run {run.run_id!r} of DAG {run.dag_id!r} was changed by somebody else and is read again")
        self._memory.forget(run)
        again = self._memory.roster.get(run.run_key)
        if again is not None and not again.is_ended:
            self._memory.place(again)
            self._memory.alarms.set(again.run_key, self._clock.now())

    def _hand_out(self, turn: Turn) -> None:
        orders = [
            order
            for run, task_id, first, count in turn.admitted
            if self._memory.roster.held(run.run_key) is run
            for order in self._memory.dispatch.orders(run, task_id, first, count)
        ]
        if orders:
            self._queued.add((order.key for order in orders), turn.now)
            self._executor.submit(orders)

    # ── looking about ────────────────────────────────────────────────────────────────────────────────────

    def _recall(self, now: datetime) -> None:
        """Rebuild everything in memory from the store."""
        self._begin_afresh()
        self._read_catalog(now)
        heard_of = {report.key for report in self._inbox.reports()}
        self._inbox.add(recover(self._memory, self._projections, self._executor, now, heard_of), now)
        for run in self._memory.roster:
            self._memory.alarms.set(run.run_key, now)
            self._queued.add((AttemptKey(run.run_key, *place, run.open[place]) for place in run.open), now)

    def _read_catalog(self, now: datetime) -> None:
        self._catalog_cursor, entries = self._catalog.changes(self._catalog_cursor)
        for entry in entries:
            self._memory.schedules.update(entry, now)
        pools = self._projections.pools()
        if pools != self._pools:
            self._pools = pools
            self._memory.admission.set_pools(pools)

    def _renew_claim(self, now: datetime) -> None:
        if now >= self._renew_at:
            self._store.renew()
            self._renew_at = now + self._settings.claim_renewal

    def _rest(self, now: datetime, error: StorageUnavailableError) -> None:
        """What this turn did not record has not happened: forget it, and begin again with what is recorded, soon."""
        if self._resting_since is None:
            self._resting_since = now
            self._notice(f"{error}; what runs goes on and its results are kept until they can be recorded")
        self._resting_until = now + self._settings.retry_storage_after
        self._is_muddled = True

    def _wake_up(self, now: datetime) -> None:
        if not self._is_muddled:
            return
        self._recall(now)
        self._is_muddled, self._resting_until = False, None

    def _end_rest(self, now: datetime) -> None:
        if self._resting_since is not None:
            self._notice(f"the database answers again, after {now - self._resting_since}")
            self._resting_since = None
