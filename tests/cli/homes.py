"""A home on disk, filled through storage's own classes, and the command line that looks at it."""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from orchestrator.cli import main
from orchestrator.clock import SystemClock
from orchestrator.core.events import AnyEvent, Recorded, RunCreated
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.spec import DagSpec, TaskSpec, fingerprint
from orchestrator.names import RunType
from orchestrator.ports import Group, ImportFailure, ParsedDag, ParsedFile, Part
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.database import create
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads

START = datetime(2026, 1, 31, 6, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Said(NamedTuple):
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


class _Pipe(io.TextIOWrapper):
    """A stream with bytes below it, as the real ones have."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]


def run_command(*words: str) -> Said:
    """One command in this process."""
    out, err = _Pipe(), _Pipe()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(words)
    return Said(status, out.text(), err.text())


def order(**changes: Any) -> DagSpec:
    """ORDER #1001 as a spec."""
    tasks = (
        TaskSpec(task_id="charge_card", line=3),
        TaskSpec(task_id="reserve_inventory", upstream=("charge_card",), line=4),
        TaskSpec(task_id="ship_package", upstream=("reserve_inventory",), line=5),
        TaskSpec(task_id="send_email", upstream=("charge_card", "ship_package"), line=6),
    )
    fields = {"dag_id": "order_1001", "file": "order_1001.py", "owner": "shop", "tags": ("orders",), "tasks": tasks}
    return DagSpec(**(fields | changes))


class FilledHome:
    """A home that this process owns as its scheduler, so that it may write history."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = create(f"sqlite:///{folder}/orchestrator.db")
        self.reads = Reads(self.engine)
        self._catalog = SqlCatalog(self.engine, folder / "code", SystemClock())
        self._store = SqlHistoryStore(self.engine)
        self._runs: dict[str, Run] = {}

    def close(self) -> None:
        self.engine.dispose()

    def add_dag(self, spec: DagSpec) -> None:
        dag = ParsedDag(spec=spec, fingerprint=fingerprint(spec), code_fingerprint="c0de")
        self._catalog.record([ParsedFile(file=spec.file, digest=dag.fingerprint, dags=(dag,), duration=0.25)])

    def record(self, parsed: ParsedFile) -> None:
        self._catalog.record([parsed])

    def break_file(self, file: str, message: str, line: int, *frames: str) -> None:
        failure = ImportFailure(message=message, file=file, line=line, frames=frames)
        self._catalog.record([ParsedFile(file=file, digest="0", failure=failure)])

    def remove_file(self, file: str) -> None:
        self._catalog.remove([file])

    def begin(
        self,
        dag_id: str,
        run_id: str,
        *events: AnyEvent,
        conf: dict[str, Any] | None = None,
        logical_date: datetime = START,
    ) -> Run:
        """Record a run with these events, a second apart."""
        dag = self.reads.dag(dag_id)
        spec = self.reads.spec(dag.version_id)
        (run_key,) = self._store.reserve_run_keys(1)
        created = RunCreated(
            dag_id=dag_id,
            run_id=run_id,
            run_uid=f"uid-{run_key}",
            run_type=RunType.MANUAL,
            version_id=dag.version_id,
            fingerprint=fingerprint(spec),
            kind=spec.kind,
            logical_date=logical_date,
            conf=msgspec.Raw(msgspec.json.encode(conf or {})),
        )
        first = Recorded(1, START, created)
        run = self._runs[run_id] = Run(run_key, Plan(spec, dag.version_id, created.fingerprint), first)
        self._commit(run, 0, [first, *self._apply(run, events)])
        return run

    def go_on(self, run_id: str, *events: AnyEvent) -> None:
        """Record more events of a run."""
        run = self._runs[run_id]
        after = run.seq
        self._commit(run, after, self._apply(run, events))

    def _apply(self, run: Run, events: tuple[AnyEvent, ...]) -> list[Recorded]:
        facts = []
        for event in events:
            fact = Recorded(run.seq + 1, START + run.seq * SECOND, event)
            run.apply(fact)
            facts.append(fact)
        return facts

    def _commit(self, run: Run, after: int, facts: list[Recorded]) -> None:
        self._store.claim(f"test:{os.getpid()}")
        try:
            part = Part(run=run, after=after, records=facts, activities=sorted(run.touched))
            assert not self._store.commit(Group(at=START, parts=[part]))
        finally:
            self._store.release()
        run.touched.clear()


def spawn_words(*words: str) -> list[str]:
    """The command line of a command in a process of its own."""
    return [sys.executable, "-m", "orchestrator", *words]
