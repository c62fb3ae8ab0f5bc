"""The scheduler. One turn is ``tick()``: take in, decide, commit one group, hand out."""

from collections.abc import Callable, Sequence
from datetime import datetime

from orchestrator.core.events import ActivityCompleted, ActivityRequested, Recorded
from orchestrator.core.orders import Failed, Fired, Order, Started
from orchestrator.core.particulars import Failure
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine import creation
from orchestrator.engine.advancing import Advancing
from orchestrator.engine.children import Children
from orchestrator.engine.conversations import Conversations
from orchestrator.engine.inbox import Inbox
from orchestrator.engine.intake import Intake, asks_leave
from orchestrator.engine.memory import Memory
from orchestrator.engine.moves import follow_versions
from orchestrator.engine.outage import Outage
from orchestrator.engine.petitions import Petitions
from orchestrator.engine.recovery import recover
from orchestrator.engine.settings import Settings
from orchestrator.engine.settling import Settling
from orchestrator.engine.silence import Silence
from orchestrator.engine.stillness import Stillness
from orchestrator.engine.turn import Turn
from orchestrator.engine.waits import Waits
from orchestrator.exceptions import OrchestratorError, StorageUnavailableError
from orchestrator.names import AttemptKey, FailureKind
from orchestrator.ports import (
    Clock,
    DagCatalog,
    DagEntry,
    Executor,
    HistoryStore,
    PendingRequest,
    Projections,
    Replayer,
    Triggerer,
)


class Scheduler:
    """Single-threaded; everything that it holds in memory can be rebuilt from the store.

    ``notice`` is told, in one sentence, of what a person should know. Without a ``replayer`` workflows wait,
    and without a ``triggerer`` what is deferred to a trigger.
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
        replayer: Replayer | None = None,
        triggerer: Triggerer | None = None,
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
        self._replayer = replayer or Silence()
        self._conversations = Conversations(store, self._replayer, notice)
        self._triggerer = triggerer or Stillness()
        self._waits = Waits(self._triggerer)
        self._outage = Outage(settings.retry_storage_after, notice)
        self._ticked_at = clock.now()
        self._renew_at = self._ticked_at + settings.claim_renewal
        self._is_closing = False
        self._unsaid: dict[AttemptKey, None] = {}

    def _begin_afresh(self) -> None:
        self._memory = Memory(self._store, self._projections, self._catalog, self._settings)
        petitions = Petitions(self._memory, self._projections, self._keys)
        self._children = Children(self._memory, self._store, self._projections, self._keys, self._new_uid)
        self._settling = Settling(self._memory, self._children)
        advancing = Advancing(self._memory, self._conversations, self._children, petitions)
        self._intake = Intake(
            self._memory,
            petitions,
            self._inbox,
            self._keys,
            self._new_uid,
            self._settings,
            advancing,
            self._children,
        )
        self._pools = self._projections.pools()
        self._catalog_cursor = 0
        self._new_versions: list[DagEntry] = []

    # ── the life of a scheduler ──────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Claim the database, start the executor and take up every open run where its history ends."""
        self._store.claim(self._settings.owner)
        self._executor.start()
        self._replayer.start()
        self._triggerer.start()
        self._recall(self._clock.now())
        self.tick()

    def tick(self, *, rung: bool = True) -> bool:
        """One turn; whether it recorded anything. ``rung``: look for requests and changed DAGs too."""
        now = self._clock.now()
        if now < self._ticked_at:
            self._set_back(now)
        self._ticked_at = now
        self._inbox.add(self._executor.reports(), now)
        self._inbox.add(self._waits.reports(), now)
        self._conversations.listen(now)
        if self._outage.forbids(now):
            return False
        turn = Turn(now)
        try:
            rung = self._wake_up(now) or rung
            self._renew_claim(now)
            recorded = self._record(turn, self._look_about(now) if rung else [])
            self._act(turn)
            self._outage.end(now)
        except StorageUnavailableError as error:
            self._unsaid |= dict.fromkeys(turn.cancels)
            self._outage.go_on(now, error)
            return False
        return recorded

    def next_due(self) -> datetime | None:
        """When the next turn is due although nothing arrives."""
        moments = (*self.moments(), self._renew_at)
        return min(moment for moment in moments if moment is not None)

    def moments(self) -> tuple[datetime | None, ...]:
        """Each part's next due moment; while the database is away, when it is tried again."""
        if self._outage.lasts:
            return (self._outage.until,)
        return (*self._intake.next_due(), *self._conversations.next_due(), *self._next_of_work())

    def _next_of_work(self) -> tuple[datetime | None, ...]:
        return self._executor.next_due(), self._waits.next_due(self._clock.now())

    def files(self) -> list[int]:
        """File descriptors that turn readable when a turn has something to take in."""
        return [*self._executor.files(), *self._replayer.files(), *self._triggerer.files()]

    def stop_handing_out(self) -> None:
        """From here on nothing new starts; what has not begun is asked back."""
        self._is_closing = True
        keys = [
            AttemptKey(run.run_key, task_id, map_index, attempt)
            for run in self._memory.roster
            for (task_id, map_index), attempt in run.open.items()
        ]
        calls = [key for run in self._memory.roster for key in run.callbacks.handed_out()]
        self._executor.take_back(keys + calls)

    @property
    def open_attempts(self) -> int:
        return sum(len(run.open) + len(run.callbacks.handed_out()) for run in self._memory.roster)

    def stop(self) -> None:
        """End what runs, by force; the next start finds it as a free loss."""
        self._executor.stop()
        self._replayer.stop()
        self._triggerer.stop()
        try:
            self._store.release()
        except StorageUnavailableError as error:
            self._notice(f"{error}; the claim on it lapses by itself")

    # ── one turn ─────────────────────────────────────────────────────────────────────────────────────────

    def _record(self, turn: Turn, requests: list[PendingRequest]) -> bool:
        self._settling.let_go(turn)  # first: so far everything that is known is recorded
        self._memory.brake.pull(turn)
        self._intake.take(turn, requests)
        if self._new_versions:
            follow_versions(turn, self._memory, self._new_versions, self._notice)
        self._settling.settle(turn)
        if not self._is_closing:
            self._settling.admit(turn)
        return self._commit(turn)

    def _act(self, turn: Turn) -> None:
        """What the commit allows. A part that was refused is not in memory any more, and nothing is done for it."""
        held = self._memory.roster.held
        if turn.goes:
            self._executor.go([key for key in turn.goes if key.run_key not in turn.refused])
        if turn.cancels:
            self._executor.cancel(turn.cancels)
        for run in turn.runs():
            if run.is_settled and held(run.run_key) is run:
                self._memory.forget(run)
                self._conversations.forget([run.run_key])
        self._memory.roster.see_off()
        self._waits.act(self._memory, turn.now)
        self._hand_out(turn)  # last: from here on it reads from the database, which may be away
        if turn.activations or not self._conversations.is_silent:
            self._talk(turn)

    def _talk(self, turn: Turn) -> None:
        """Tell the code of workflows what is recorded now, and what it wants to hear again."""
        held = self._memory.roster.held
        if not self._is_closing:
            runs = [run for run in turn.activations.values() if held(run.run_key) is run and run.is_replayed]
            self._conversations.tell(runs, self._memory.dispatch, turn.now)
        self._conversations.supply(held, turn.now)

    # ── recording, then acting ───────────────────────────────────────────────────────────────────────────

    def _commit(self, turn: Turn) -> bool:
        turn.refused = frozenset() if turn.is_empty else self._store.commit(turn.group())
        self._memory.brake.recorded()
        if turn.took_reports:
            self._inbox.clear(turn.refused)
        self._new_versions = []
        for run, records in turn.recorded():
            self._waits.look(run, run.touched)
            self._memory.past.look(run, turn.now, is_new=records[0].seq == 1)
            self._memory.brake.look(run, turn.now)
            run.touched.clear()
            self._keep(run, records)
        self._conversations.settle(turn.refused)
        for run in turn.refused_runs():
            self._reload(run, turn.now)
        return not turn.is_empty

    def _keep(self, run: Run, records: Sequence[Recorded]) -> None:
        """Remember what is needed of these facts soon: by those who are handed a result, or told of the run."""
        if isinstance(run, WorkflowRun):
            self._conversations.hear(run, records)
        elif not run.plan.taken:
            return
        for fact in records:
            event = fact.event
            if isinstance(event, ActivityRequested) or (
                isinstance(event, ActivityCompleted) and event.task_id in run.plan.taken
            ):
                self._memory.results.keep(run.run_key, fact.seq, event)

    def _reload(self, run: Run, now: datetime) -> None:
        """Its part was refused: forget what was decided, and read it again if there is such a run at all."""
        self._memory.forget(run)
        self._memory.past.doubt(run, now)
        self._conversations.forget([run.run_key])
        again = self._memory.roster.get(run.run_key)
        if again is None:
            self._notice(f"DAG {run.dag_id!r} has a run {run.run_id!r}, or one of that slot, already; no other is made")
        else:
            self._notice(f"run {run.run_id!r} of DAG {run.dag_id!r} was changed by somebody else and is read again")
        self._waits.forget(run.run_key)
        if again is not None and not again.is_settled:
            self._waits.look_at_all(again)
            self._memory.place(again)
            self._memory.alarms.set(again.run_key, now)
        self._children.doubt_kin(run, now)
        self._memory.schedules.look_again(run.dag_id, now)
        self._memory.wake_waiting(run.dag_id, now)

    def _hand_out(self, turn: Turn) -> None:
        orders: list[Order] = []
        for run, task_id, first, count in turn.admitted:
            if run.run_key not in turn.refused:
                orders += self._orders(run, task_id, first, count, turn.now)
        if orders:
            self._intake.queued.add((order.key for order in orders), turn.now)
        for run, keys in turn.calls:
            if run.run_key not in turn.refused:
                orders += self._calls(run, keys, turn.now)
        if orders:
            self._executor.submit(orders)

    def _orders(self, run: Run, task_id: str, first: int, count: int, now: datetime) -> list[Order]:
        """What to hand out; where it cannot be made up, these attempts fail and all else goes on."""
        try:
            return list(self._memory.dispatch.orders(run, task_id, first, count))
        except StorageUnavailableError:
            raise
        except OrchestratorError as error:
            places = [((task_id, map_index), run.open[task_id, map_index]) for map_index in range(first, first + count)]
            self._fail([AttemptKey(run.run_key, *place, attempt) for place, attempt in places], error, now)
            return []

    def _calls(self, run: Run, keys: list[AttemptKey], now: datetime) -> list[Order]:
        """The same for callbacks."""
        try:
            return self._memory.calling.orders(run, keys)
        except StorageUnavailableError:
            raise
        except OrchestratorError as error:
            self._fail(keys, error, now)
            return []

    def _fail(self, keys: list[AttemptKey], error: OrchestratorError, now: datetime) -> None:
        failure = Failure(message=str(error))
        self._inbox.add([Failed(key=key, at=now, kind=FailureKind.LOADING, failure=failure) for key in keys], now)

    # ── looking about ────────────────────────────────────────────────────────────────────────────────────

    def _recall(self, now: datetime) -> None:
        """Rebuild everything in memory from the store."""
        self._begin_afresh()
        self._read_catalog(now)
        # Neither that it began nor what a trigger has told says whether the executor still has an attempt.
        heard_of = {report.key for report in self._inbox.reports() if not isinstance(report, Started | Fired)}
        reports = recover(self._memory, self._projections, self._executor, now, heard_of, self._notice)
        self._inbox.add(reports, now)
        self._conversations.recall(self._memory.roster)
        self._waits.recall(self._memory.roster)
        for run in self._memory.roster:
            self._memory.alarms.set(run.run_key, now)
            if run.children or run.created.parent is not None:
                self._children.doubt(run)
            self._intake.queued.add((AttemptKey(run.run_key, *place, run.open[place]) for place in run.open), now)

    def _look_about(self, now: datetime) -> list[PendingRequest]:
        """What is asked for. The catalog is read after that, so that it has every DAG that a request speaks of."""
        requests = self._projections.requests()
        self._read_catalog(now)
        return requests

    def _read_catalog(self, now: datetime) -> None:
        self._catalog_cursor, entries = self._catalog.changes(self._catalog_cursor)
        if entries:  # one of them may have been deleted and come back, without what was dealt with before
            self._memory.schedules.take_cursors(self._projections.cursors())
        for entry in entries:
            known = self._memory.schedules.entry(entry.dag_id)
            if known is None:
                self._memory.brake.meet(entry, now)
            if known is None or known.version_id != entry.version_id:
                self._new_versions.append(entry)
            self._memory.schedules.update(entry, now)
            self._memory.wake_waiting(entry.dag_id, now)
        pools = self._projections.pools()
        if pools != self._pools:
            self._pools = pools
            self._memory.admission.set_pools(pools)

    def _renew_claim(self, now: datetime) -> None:
        if now >= self._renew_at:
            self._store.renew()
            self._renew_at = now + self._settings.claim_renewal

    def _wake_up(self, now: datetime) -> bool:
        """After an outage, begin again with what is recorded; whether there was one."""
        if not self._outage.lasts:
            return False
        self._recall(now)
        self._cancel_unsaid()
        return True

    def _cancel_unsaid(self) -> None:
        """End what is over by what is recorded, though the database went away before the executor was told."""
        unsaid, self._unsaid = self._unsaid, {}
        held = ((key, self._memory.roster.held(key.run_key)) for key in unsaid)
        over = [key for key, run in held if run is None or run.open.get((key.task_id, key.map_index)) != key.attempt]
        if over:
            self._executor.cancel(over)

    def _set_back(self, now: datetime) -> None:
        """The clock went back. Moments on record are waited for; those of this process are not, as all have come."""
        self._renew_at = now
        self._inbox.hurry(now)
        self._memory.alarms.hurry(now, self._ticked_at)
        self._conversations.hurry(now)
        self._outage.cut_short(now)

    def _may_wait(self, report: Started) -> bool:
        run = self._memory.roster.held(report.key.run_key)
        return report.key.callback is not None or (run is not None and not asks_leave(run, report))
