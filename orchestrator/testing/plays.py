"""Plays: runs of your DAGs inside of a test, under a clock that does not wait."""

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.assembly.entrances import find_entrance
from orchestrator.assembly.given_vault import Given
from orchestrator.assembly.hand import Hand, dag_of
from orchestrator.assembly.in_hand import Stage, on_stage
from orchestrator.authoring.conf import check_conf, check_fits
from orchestrator.authoring.dag import own_zone
from orchestrator.config import load_config
from orchestrator.core import values
from orchestrator.core.events import UpdateAnswered
from orchestrator.core.requests import AnyRequest, CancelRun, SendSignal, SendUpdate, TriggerRun
from orchestrator.core.spec import DagSpec
from orchestrator.engine.scheduler import Scheduler
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import RunType
from orchestrator.testing.clock import EPOCH, FakeClock
from orchestrator.testing.crashes import Crash
from orchestrator.testing.fake_triggerer import FakeTriggerer
from orchestrator.testing.mortal_store import MortalStore
from orchestrator.testing.outputs import Outputs
from orchestrator.testing.played import Played

_FOR_EVER = timedelta(days=36_500)
_LONGEST = timedelta(days=366)
_RUN_ID = "test"


class Play(Played):
    """A run that goes on when it is told to, in the main thread. ``clock`` shows the time that it is there.

    ``crashes`` counts how often its engine died.
    """

    def __init__(
        self,
        stage: Stage,
        clock: FakeClock,
        dag_id: str,
        outputs: Outputs,
        crash_after: Sequence[int],
        let_through: tuple[type[BaseException], ...],
    ) -> None:
        super().__init__(stage.home, dag_id, _RUN_ID, clock, outputs)
        self.crashes = 0
        self._stage = stage
        self._let_through = let_through
        self._dooms = sorted(set(crash_after))
        self._scheduler = self._begin()

    def go_on(self, *, limit: timedelta = _LONGEST) -> "Play":
        """Go on until the run has ended, waits for somebody, or ``limit`` has passed there; the play itself."""
        self._until(self.clock.now() + limit)
        return self

    def advance(self, by: timedelta | float | None = None, **parts: float) -> "Play":
        """Let so much time pass there, a timedelta, seconds, or ``days=2, hours=1``, with all that happens in it."""
        given = by if isinstance(by, timedelta) else timedelta(seconds=by or 0)
        end = self.clock.now() + given + timedelta(**parts)
        self._until(end)
        self.clock.move_to(end)
        self._until(end)
        return self

    def signal(self, name: str, payload: Any = None) -> "Play":
        """Send the workflow a signal, and go on as far as that takes no time."""
        spec = self._spec
        check_fits(f"signal {name!r}", find_entrance(spec, "signal", spec.signals, name), payload)
        return self._submit(SendSignal(dag_id=self._dag_id, run_id=_RUN_ID, name=name, payload=_raw(payload)))

    def update(self, name: str, **arguments: Any) -> Any:
        """Ask the workflow for a change, and give its answer; ConflictError where it refuses, or gives none yet."""
        spec, update_id = self._spec, uuid.uuid4().hex
        check_fits(f"update {name!r}", find_entrance(spec, "update", spec.updates, name), arguments)
        payload = _raw(arguments)
        self._submit(SendUpdate(dag_id=self._dag_id, run_id=_RUN_ID, update_id=update_id, name=name, payload=payload))
        for answer in self.events(UpdateAnswered):
            if answer.update_id == update_id and answer.failure is not None:
                raise ConflictError(f"update {name!r} was not done: {answer.failure.message}")
            if answer.update_id == update_id:
                return values.decode(answer.result)
        raise ConflictError(f"update {name!r} has no answer yet; it is kept until the workflow's code takes it")

    def cancel(self) -> "Play":
        """Ask the run to end."""
        return self._submit(CancelRun(dag_id=self._dag_id, run_id=_RUN_ID, by="test"))

    def close(self) -> None:
        """Nothing goes on from here."""
        self._stop()

    @property
    def _spec(self) -> DagSpec:
        return self._home.reads.spec(self._home.reads.dag(self._dag_id).version_id)

    def _submit(self, request: AnyRequest) -> "Play":
        self._home.requests.submit(request, uuid.uuid4().hex)
        self._until(self.clock.now())
        return self

    def _begin(self) -> Scheduler:
        doom = self._dooms[0] if self._dooms else 0
        scheduler = self._stage.scheduler(
            self._outputs.around,
            lambda store: MortalStore(store, _RUN_ID, doom),
            FakeTriggerer(self.clock),
            self._let_through,
            claim_renewal=_FOR_EVER,
        )
        self._has_begun = False
        return scheduler

    def _crash(self) -> None:
        """The engine is gone with all that it knew and all that ran; another one takes over."""
        self.crashes += 1
        self._stop()
        self._dooms = [seq for seq in self._dooms if seq > self.run.last_seq]
        self._scheduler = self._begin()

    def _until(self, end: datetime) -> None:
        while True:
            try:
                self._turn()
            except Crash:
                self._crash()
                continue
            due = self._scheduler.next_due()
            if due is None or due > end or self._is_over():
                return
            self.clock.move_to(due)

    def _turn(self) -> None:
        turn = self._scheduler.tick if self._has_begun else self._scheduler.start
        self._has_begun = True
        with self._stage.reading():
            turn()

    def _stop(self) -> None:
        with self._stage.reading():
            self._scheduler.stop()

    def _is_over(self) -> bool:
        run = self.run
        return run.is_ended and not run.open_callbacks


@contextmanager
def start_dag(
    dag: Any,
    *,
    conf: Mapping[str, Any] | None = None,
    at: datetime = EPOCH,
    logical_date: datetime | None = None,
    activities: Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
    connections: Mapping[str, Any] | None = None,
    crash_after: int | Sequence[int] = (),
    let_through: tuple[type[BaseException], ...] = (),
) -> Iterator[Play]:
    """A run of a DAG or workflow, gone as far as that takes no time. It ends with the ``with`` block.

    ``at`` is the moment there when it begins, and its logical date unless that is given. ``activities`` go in the place
    of tasks, by task_id: a function is called as the task's own, anything else is the result. ``variables`` and
    ``connections`` come before those of the environment. The engine is killed right after the commit of each fact that
    ``crash_after`` names by its number, and begins again from the history; what a commit holds besides is recorded,
    too. Exceptions that are ``let_through`` end the test and are no failure of a task. UsageError or DagError says
    what is wrong with what is given.
    """
    found = dag_of(dag)
    if found is None:
        raise UsageError(f"{dag!r} is no DAG and no workflow; call the function under @dag, and give what it returns")
    clock = FakeClock(_aware(found, at))
    hand, given = Hand(found, activities), Given(variables=variables or {}, connections=connections or {})
    outputs = Outputs()
    with on_stage(load_config(os.environ, Path.cwd()), hand, clock, given, outputs.note) as stage:
        request = TriggerRun(
            dag_id=found.dag_id,
            run_id=_RUN_ID,
            run_uid=uuid.uuid4().hex,
            run_type=RunType.MANUAL,
            logical_date=_aware(found, logical_date or at),
            conf=_raw(dict(conf or {})),
            by="test",
        )
        check_conf(stage.home.reads.dag(found.dag_id).header, msgspec.json.decode(request.conf))
        stage.home.requests.submit(request, request.run_uid)
        dooms = [crash_after] if isinstance(crash_after, int) else crash_after
        play = Play(stage, clock, found.dag_id, outputs, dooms, let_through)
        try:
            play.advance()
            yield play
        finally:
            play.close()


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _aware(dag: Any, date: datetime) -> datetime:
    aware = date if date.tzinfo is not None else date.replace(tzinfo=own_zone(dag))
    return aware.astimezone(UTC)
