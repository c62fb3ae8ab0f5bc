"""Watch: looks into a home's database and asks for runs from this process, so that no start of the CLI is timed."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.clock import SystemClock
from orchestrator.core.events import Recorded
from orchestrator.core.requests import SendSignal, TriggerRun
from orchestrator.exceptions import NotFoundError, StorageError
from orchestrator.storage.database import connect
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import RunRow
from orchestrator.testing.home import LiveHome


class Watch:
    """One home's database; what it reads are the projections, what it writes are requests."""

    def __init__(self, home: LiveHome) -> None:
        self._live = home
        self._home = home.wait_for("the database is there", lambda: _open(home))
        self.reads = self._home.reads
        self._clock = SystemClock()

    def dag_ids(self) -> set[str]:
        return {row.dag_id for row in self.reads.dags()}

    def trigger(self, dag_id: str, run_id: str, conf: object = None) -> datetime:
        """Ask for a run; when the request was committed."""
        self._submit(dag_id, run_id, conf or {})
        committed_at = self._clock.now()
        self._home.ring()
        return committed_at

    def _submit(self, dag_id: str, run_id: str, conf: object) -> None:
        raw = msgspec.Raw(msgspec.json.encode(conf))
        request = TriggerRun(dag_id=dag_id, run_id=run_id, run_uid=uuid.uuid4().hex, conf=raw)
        self._home.requests.submit(request, uuid.uuid4().hex)

    def trigger_all(self, dag_id: str, run_ids: Sequence[str]) -> None:
        """Ask for many runs, and ring once."""
        for run_id in run_ids:
            self._submit(dag_id, run_id, {})
        self._home.ring()

    def signal_all(self, dag_id: str, run_ids: Sequence[str], name: str) -> None:
        """Send a signal to many runs, and ring once."""
        for run_id in run_ids:
            self._home.requests.submit(SendSignal(dag_id=dag_id, run_id=run_id, name=name), uuid.uuid4().hex)
        self._home.ring()

    def unused(self, name: str) -> str:
        """A run_id that nobody has."""
        return f"{name}_{uuid.uuid4().hex}"

    def succeeded(self, dag_id: str, run_id: str, task_id: str, *, timeout: float = 300) -> None:
        """Wait until a task, or a call of an activity, of the run has succeeded."""

        def is_there() -> bool:
            run = self.run(dag_id, run_id)
            found = () if run is None else self.reads.activities(run.run_key, task_id=task_id)
            return any(each.state == "success" for each in found)

        self._live.wait_for(f"{task_id} of {dag_id} {run_id} succeeds", is_there, timeout=timeout)

    def run(self, dag_id: str, run_id: str) -> RunRow | None:
        try:
            return self.reads.run(dag_id, run_id)
        except NotFoundError:
            return None

    def ended(self, dag_id: str, run_id: str, *, timeout: float = 300) -> RunRow:
        """The run once it has ended; LiveHomeError if it does not, or fails."""

        def found() -> RunRow | None:
            run = self.run(dag_id, run_id)
            return run if run is not None and run.is_ended else None

        run = self._live.wait_for(f"{dag_id} {run_id} ends", found, timeout=timeout)
        if run.state != "success":
            raise StorageError(f"the run {run_id} of {dag_id} ended {run.state}: {run.reason}")
        return run

    def history(self, dag_id: str, run_id: str) -> list[Recorded]:
        return self.reads.history(self.reads.run(dag_id, run_id).run_key)

    def scheduler_pid(self) -> int:
        """The process that holds the claim, named host:pid."""
        scheduler = self.reads.scheduler()
        assert scheduler is not None
        return int(scheduler.owner.rpartition(":")[2])

    def history_store(self) -> SqlHistoryStore:
        """The store itself, for as long as no scheduler works on it."""
        return SqlHistoryStore(connect(self._home.config.database.sql_alchemy_conn))


def seconds_of(run: RunRow) -> float:
    """From the run's start to its end, as recorded."""
    duration = run.duration
    assert duration is not None
    return duration


def _open(home: LiveHome) -> Home | None:
    try:
        return home.open()
    except StorageError:
        return None
