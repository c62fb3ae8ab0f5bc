"""Waits: keeps the triggerer waiting for just what is deferred to a trigger by the histories."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from orchestrator.core.board import Place
from orchestrator.core.orders import Fired, log_path
from orchestrator.core.particulars import Failure, PayloadRef
from orchestrator.core.run import Run
from orchestrator.core.waits import Came, Dropped, Ticket, Wait, trigger_of
from orchestrator.engine.memory import Memory
from orchestrator.exceptions import OrchestratorError, StorageUnavailableError
from orchestrator.names import AttemptKey, TaskState
from orchestrator.ports import Triggerer


class _Held:
    """The deferrals of a run that are looked out for, and the version whose code does so."""

    __slots__ = ("places", "seqs", "version_id")

    def __init__(self, version_id: int) -> None:
        self.version_id = version_id
        self.seqs: dict[Place, int] = {}
        self.places: dict[int, Place] = {}


class Waits:
    """What it learns of a run by ``look`` and ``forget`` is done at ``act``, which is after the commit.

    It costs nothing where no attempt is deferred to a trigger.
    """

    def __init__(self, triggerer: Triggerer) -> None:
        self._triggerer = triggerer
        self._held: dict[int, _Held] = {}
        self._wanted: dict[Ticket, Place] = {}
        self._unwanted: list[Ticket] = []
        self._unmade: list[Fired] = []

    def reports(self) -> list[Fired]:
        """What has come, and why some of it never can; what was lost is submitted again."""
        fired, self._unmade = self._unmade, []
        for report in self._triggerer.reports():
            if isinstance(report, Dropped):
                self._again(report.ticket)
            else:
                fired.append(report)
        return fired

    def next_due(self, now: datetime) -> datetime | None:
        """When ``reports`` or ``act`` has something to do although nothing arrives."""
        return now if self._unmade or self._wanted else self._triggerer.next_due()

    # ── learning ─────────────────────────────────────────────────────────────────────────────────────────

    def look(self, run: Run, touched: Iterable[Place]) -> None:
        """These activities of the run have changed."""
        held = self._held.get(run.run_key)
        if held is None and not run.has_deferred:
            return
        if run.is_ended:
            self.forget(run.run_key)
        elif held is not None and held.version_id != run.version_id:
            self.look_at_all(run)
        else:
            for place in touched:
                self._look(run, place)

    def look_at_all(self, run: Run) -> None:
        """Whatever was known of the run: this is how it stands. What has moved to another version begins anew there."""
        held = self._held.get(run.run_key)
        if run.is_ended or not run.has_deferred or (held is not None and held.version_id != run.version_id):
            self.forget(run.run_key)
            held = None
        if run.has_deferred and not run.is_ended:
            for place in [] if held is None else list(held.seqs):
                self._look(run, place)
            for name, node in run.nodes.items():
                for map_index, _ in node.activities():
                    self._look(run, (name, map_index))

    def recall(self, runs: Iterable[Run]) -> None:
        """These are all the open runs, read anew: what is held of others is not wanted any more."""
        open_runs = {run.run_key: run for run in runs}
        for run_key in self._held.keys() - open_runs.keys():
            self.forget(run_key)
        for run in open_runs.values():
            self.look_at_all(run)

    def forget(self, run_key: int) -> None:
        """The run has ended, or is not in memory any more."""
        held = self._held.pop(run_key, None)
        if held is not None:
            for seq in held.places:
                self._drop(Ticket(run_key, seq))

    def _look(self, run: Run, place: Place) -> None:
        held = self._held.get(run.run_key)
        seq, before = _deferred_at(run, place), 0 if held is None else held.seqs.get(place, 0)
        if seq == before:
            return
        if held is None:
            held = self._held[run.run_key] = _Held(run.version_id)
        if before:
            del held.seqs[place], held.places[before]
            self._drop(Ticket(run.run_key, before))
        if seq:
            held.seqs[place], held.places[seq] = seq, place
            self._wanted[Ticket(run.run_key, seq)] = place

    def _drop(self, ticket: Ticket) -> None:
        if self._wanted.pop(ticket, None) is None:
            self._unwanted.append(ticket)

    def _again(self, ticket: Ticket) -> None:
        held = self._held.get(ticket.run_key)
        place = None if held is None else held.places.get(ticket.seq)
        if place is not None:
            self._wanted[ticket] = place

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────────

    def act(self, memory: Memory, now: datetime) -> None:
        """Have the triggerer wait for what is to be waited for now, and for nothing else."""
        if self._unwanted:
            unwanted, self._unwanted = self._unwanted, []
            self._triggerer.cancel(unwanted)
        if self._wanted:
            waits = list(self._made(memory, now))  # reads from the database, which may be away
            self._wanted.clear()
            self._triggerer.submit(waits)

    def _made(self, memory: Memory, now: datetime) -> Iterator[Wait]:
        by_run: dict[int, list[int]] = {}
        for ticket in self._wanted:
            by_run.setdefault(ticket.run_key, []).append(ticket.seq)
        for run_key, seqs in by_run.items():
            run = memory.roster.held(run_key)
            found = memory.results.get(run_key, seqs) if run is not None else {}
            for seq in seqs:
                deferral = found.get(seq)
                if run is None or deferral is None or isinstance(deferral, PayloadRef):
                    continue
                wait = self._wait(memory, run, Ticket(run_key, seq), deferral, now)
                if wait is not None:
                    yield wait

    def _wait(self, memory: Memory, run: Run, ticket: Ticket, deferral: msgspec.Raw, now: datetime) -> Wait | None:
        """None where the engine itself waits for what is in there; where the code cannot be had, that is what came."""
        trigger = trigger_of(deferral)
        if trigger is None:
            return None
        task_id, map_index = place = self._wanted[ticket]
        activity = run.nodes[task_id].activity(map_index)
        key = AttemptKey(run.run_key, *place, activity.attempt)
        try:
            code = memory.dispatch.folder(run.version_id)
        except StorageUnavailableError:
            raise
        except OrchestratorError as error:
            came = Came(failure=Failure(message=str(error)))
            self._unmade.append(Fired(key=key, at=now, seq=ticket.seq, payload=came.raw()))
            return None
        return Wait(
            key=key,
            seq=ticket.seq,
            trigger=trigger,
            dag_id=run.dag_id,
            run_id=run.run_id,
            code=code,
            file=run.plan.spec.file,
            log=log_path(run.run_key, activity.scheduled_seq, map_index),
        )


def _deferred_at(run: Run, place: Place) -> int:
    """The place in the history of the deferral that the activity is in now; 0 where it is in none."""
    node = run.nodes.get(place[0])
    activity = None if node is None else node.peek(place[1])
    return activity.deferred_seq if activity is not None and activity.state is TaskState.DEFERRED else 0
