"""Reads: everything that the CLI and the pages ask of the database, without holding the scheduler up."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Engine

from orchestrator.core.events import Recorded
from orchestrator.core.spec import DagSpec
from orchestrator.names import UNMAPPED, RunState, TaskState
from orchestrator.storage.views import (
    ActivityRow,
    AuditRow,
    DagRow,
    FileRow,
    ImportErrorRow,
    OpenCount,
    Outcome,
    PoolRow,
    RequestRow,
    RunRow,
    SchedulerRow,
    VersionRow,
)


class Reads:
    """Questions to the projections and the tables of record; each is one short read transaction.

    NotFoundError where something that is asked for by name does not exist; it names what is near.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # ── DAGs ─────────────────────────────────────────────────────────────────────────────────────────────

    def dags(self) -> list[DagRow]:
        """All DAGs by dag_id, stale ones (their file is gone) included."""

    def dag(self, dag_id: str) -> DagRow: ...

    def run_counts(self, dag_id: str | None = None) -> dict[str, dict[RunState, int]]:
        """How many runs there are, by dag_id and state."""

    def versions(self, dag_id: str) -> list[VersionRow]:
        """Newest first."""

    def spec(self, version_id: int) -> DagSpec: ...

    def source(self, version_id: int) -> dict[str, bytes]:
        """The files of a version, by path relative to the snapshot's root."""

    def files(self) -> list[FileRow]:
        """The parse report, by path."""

    def import_errors(self) -> list[ImportErrorRow]:
        """By path."""

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────

    def runs(
        self,
        dag_id: str | None = None,
        *,
        states: Collection[RunState] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        before_key: int | None = None,
        limit: int = 100,
    ) -> list[RunRow]:
        """Newest first, pending ones before all others; ``since`` and ``until`` look at the logical date, or at the
        creation of a run without one. ``before_key`` (a run_key) goes on with the next page."""

    def run(self, dag_id: str, run_id: str | None = None) -> RunRow:
        """That run, or the DAG's latest; one that is only asked for as yet counts."""

    def run_by_key(self, run_key: int) -> RunRow: ...

    def conf(self, run: RunRow) -> msgspec.Raw:
        """The run's conf as given: a JSON object."""

    def history(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        """Facts with a seq above ``after``, in order."""

    def last_position(self) -> int:
        """The place of the newest fact over all runs; rises with every commit."""

    # ── activities ───────────────────────────────────────────────────────────────────────────────────────

    def tasks(self, run: RunRow) -> list[ActivityRow]:
        """Every activity of the run in topological order, those that nothing is recorded of in state none."""

    def activities(
        self,
        run_key: int,
        *,
        task_id: str | None = None,
        states: Collection[TaskState] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[ActivityRow]:
        """Those that something is recorded of, by task_id and map_index."""

    def activity(self, run: RunRow, task_id: str, map_index: int = UNMAPPED) -> ActivityRow:
        """One of them; in state none where nothing is recorded of it."""

    def task_counts(self, run_key: int) -> dict[TaskState, int]:
        """How many recorded activities of the run are in each state."""

    def result(self, run_key: int, task_id: str, map_index: int = UNMAPPED) -> Outcome:
        """The recorded result; NotFoundError where there is none (yet)."""

    # ── operations ───────────────────────────────────────────────────────────────────────────────────────

    def pools(self) -> list[PoolRow]: ...

    def open_attempts(self) -> list[OpenCount]:
        """What is queued or running just now, by DAG, task and pool."""

    def request(self, request_id: int) -> RequestRow:
        """What became of a request."""

    def pending_requests(self) -> int:
        """How many wait for a scheduler."""

    def audit(self, *, before_id: int | None = None, limit: int = 100) -> list[AuditRow]:
        """Newest first."""

    def scheduler(self) -> SchedulerRow | None:
        """Who holds, or last held, the claim on this database; None where nobody ever did."""
