"""A home of some size to look at: 1,000 DAGs, 100,000 runs, 5 million activities, and a few runs that are large.

Nothing of it was run. The large runs, and the newest run of each DAG, have whole histories, written by the scheduler's
own commits; the others are rows as such commits write them, with no more history than that they began and ended.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine

from orchestrator.clock import SystemClock
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    Recorded,
    RunCreated,
    RunEnded,
    RunStarted,
    TaskExpanded,
)
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.spec import Cron, DagSpec, GroupSpec, TaskSpec, fingerprint, mapping_over
from orchestrator.names import UNMAPPED, RunState, RunType
from orchestrator.ports import Group, ParsedDag, ParsedFile, Part
from orchestrator.storage.audit import note
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.database import advance, create, insert_sql, placeholder, writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projected import Row, activity_rows, all_places, history_rows, run_row
from orchestrator.storage.reads import Reads
from orchestrator.storage.tables import activities, history, micros, runs

WIDE, TANGLED, MAPPED = "wide", "tangled", "mapped"
SAMPLE = "daily_0500"
_BATCH = 2_000
_TICK = timedelta(milliseconds=40)
_AUDIT_LINES = 20_000
_CODE = b"from orchestrator import dag, task\n\n\n@task\ndef work() -> int:\n    return 1\n" * 50


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is of each. ``tasks`` are those of an ordinary DAG."""

    dags: int = 1_000
    runs: int = 100_000
    tasks: int = 50
    wide_tasks: int = 1_000
    wide_runs: int = 25
    nodes: int = 2_000
    instances: int = 100_000


QUICK = Sizes(dags=600, runs=3_000, tasks=10, wide_tasks=100, nodes=200, instances=1_000)


def make(folder: Path, sizes: Sizes) -> Iterator[str]:
    """Fill a fresh home; says step by step what it does next."""
    engine = create(f"sqlite:///{folder}/orchestrator.db")
    try:
        yield f"{sizes.dags:,} DAGs"
        specs = _specs(sizes)
        _record(engine, folder, specs)
        home = _Filling(engine, specs)
        for dag_id, count in ((WIDE, sizes.wide_runs), (TANGLED, 2), (MAPPED, 1)):
            yield f"{count} runs of the DAG {dag_id}"
            home.run_whole([dag_id], count, sizes.instances)
        yield f"{sizes.runs:,} runs of {sizes.tasks} activities each"
        yield from home.run_many(sizes)
        yield f"{_AUDIT_LINES:,} lines of the audit"
        _fill_audit(engine)
        yield "what the database knows of its indexes"
        with writing(engine) as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        engine.dispose()


# ── what there is ────────────────────────────────────────────────────────────────────────────────────────────


def _specs(sizes: Sizes) -> dict[str, DagSpec]:
    ordinary = [_spec(f"daily_{number:04}", sizes.tasks, number) for number in range(sizes.dags - 3)]
    mapped = (
        TaskSpec(task_id="list_all", operator="@task"),
        TaskSpec(task_id="each", operator="@task", upstream=("list_all",), mapping=mapping_over("list_all")),
    )
    large = [
        _spec(WIDE, sizes.wide_tasks, 1),
        DagSpec(dag_id=TANGLED, file=f"{TANGLED}.py", tasks=_tangle(sizes.nodes)),
        DagSpec(dag_id=MAPPED, file=f"{MAPPED}.py", tasks=mapped),
    ]
    return {spec.dag_id: spec for spec in (*ordinary, *large)}


def _spec(dag_id: str, tasks: int, number: int) -> DagSpec:
    """Groups of ten tasks, each a chain."""
    return DagSpec(
        dag_id=dag_id,
        file=f"{dag_id}.py",
        tags=(f"team_{number % 30}",),
        owner=f"owner_{number % 7}",
        description="Loads what came in and checks it",
        schedule=Cron(expression=f"{number % 60} {number % 24} * * *"),
        schedule_text=f"{number % 60} {number % 24} * * *",
        groups=tuple(GroupSpec(group_id=f"stage_{group}") for group in range(-(-tasks // 10))),
        tasks=tuple(
            TaskSpec(
                task_id=_name(place),
                group=f"stage_{place // 10}",
                operator="@task",
                upstream=(_name(place - 1),) if place % 10 else (),
            )
            for place in range(tasks)
        ),
    )


def _name(place: int) -> str:
    return f"stage_{place // 10}.step_{place}"


def _tangle(nodes: int) -> tuple[TaskSpec, ...]:
    """Layers of twenty, each task behind three of the layer before."""
    return tuple(
        TaskSpec(
            task_id=f"node_{place}",
            operator="@task",
            upstream=tuple(sorted({f"node_{place - 20 - (place * step) % 20}" for step in (0, 3, 7)}))
            if place >= 40
            else (),
        )
        for place in range(nodes)
    )


def _record(engine: Engine, folder: Path, specs: dict[str, DagSpec]) -> None:
    catalog = SqlCatalog(engine, folder / "code", SystemClock())
    catalog.record(
        [
            ParsedFile(
                file=spec.file,
                digest=dag_id,
                dags=(ParsedDag(spec=spec, fingerprint=fingerprint(spec), code_fingerprint=dag_id),),
                files={f"dags/{spec.file}": _CODE},
                duration=0.01,
            )
            for dag_id, spec in specs.items()
        ]
    )


def _fill_audit(engine: Engine) -> None:
    start = datetime.now(UTC) - timedelta(days=90)
    with writing(engine) as connection:
        for number in range(_AUDIT_LINES):
            dag_id = f"daily_{number % 500:04}"
            note(
                connection, start + timedelta(minutes=number), "ada", "trigger_run", dag_id=dag_id, run_id=f"r{number}"
            )


# ── what has run ─────────────────────────────────────────────────────────────────────────────────────────────


def _events(spec: DagSpec, instances: int) -> Iterator[AnyEvent]:
    """What happened in a run in which all went well, task after task."""
    yield RunStarted()
    for task in spec.tasks:
        places = range(instances) if task.mapping is not None else range(UNMAPPED, 0)
        if task.mapping is not None:
            yield TaskExpanded(task_id=task.task_id, shape=(instances,))
        yield ActivityScheduled(task_id=task.task_id, map_index=places.start, count=len(places), attempt=1)
        for place in places:
            yield ActivityStarted(task_id=task.task_id, map_index=place, attempt=1, worker="host:1")
            yield ActivityCompleted(task_id=task.task_id, map_index=place, attempt=1, result=msgspec.Raw(b"1"))
    yield RunEnded(state=RunState.SUCCESS)


class _Filling:
    """Writes runs of DAGs that are recorded."""

    def __init__(self, engine: Engine, specs: dict[str, DagSpec]) -> None:
        self._engine = engine
        self._store = SqlHistoryStore(engine)
        versions = {row.dag_id: row.version_id for row in Reads(engine).dags()}
        self._plans = {dag_id: Plan(spec, versions[dag_id], fingerprint(spec)) for dag_id, spec in specs.items()}
        self._now = datetime.now(UTC).replace(microsecond=0)

    def run_whole(self, dag_ids: Sequence[str], count: int, instances: int = 0) -> None:
        """Runs with all that happened in them, an hour apart, the newest one an hour ago."""
        self._store.claim("benchmark")
        for dag_id in dag_ids:
            for run_key, hours in zip(self._store.reserve_run_keys(count), range(count, 0, -1), strict=True):
                run, facts = self._fold(dag_id, run_key, self._now - timedelta(hours=hours), instances)
                part = Part(run=run, after=0, records=facts, activities=sorted(run.touched))
                assert not self._store.commit(Group(at=self._now, parts=[part]))
        self._store.release()

    def run_many(self, sizes: Sizes) -> Iterator[str]:
        """Runs of all ordinary DAGs in turn, a minute apart; the newest of each DAG whole."""
        ordinary = [dag_id for dag_id in self._plans if dag_id.startswith("daily")]
        pattern, facts = self._fold(ordinary[0], 0, self._now, 0)
        rows = activity_rows(pattern, all_places(pattern))[0]
        left = sizes.runs - sizes.wide_runs - len(ordinary)
        for start in range(0, left, _BATCH):
            keys = self._store.reserve_run_keys(min(_BATCH, left - start))
            moments = [self._now - timedelta(minutes=left - start - place, hours=2) for place in range(len(keys))]
            created = [
                self._begin(ordinary[(start + place) % len(ordinary)], key, moments[place])
                for place, key in enumerate(keys)
            ]
            with writing(self._engine) as connection:
                self._stamp(connection, created, rows, facts[-1])
            yield f"{start + len(keys):,} of {left:,} runs"
        self.run_whole(ordinary, 1)

    def _stamp(
        self, connection: Connection, begun: Sequence[tuple[Run, Recorded]], pattern: Sequence[Row], last: Recorded
    ) -> None:
        """Rows of runs that are alike but for their moments; one of seventeen has failed."""
        all_runs: list[Row] = []
        all_activities: list[Row] = []
        facts: list[Row] = []
        position = advance(connection, "position", 3 * len(begun)) - 3 * len(begun)
        for run, first in begun:
            state = RunState.FAILED if run.run_key % 17 == 0 else RunState.SUCCESS
            started = Recorded(2, first.at, RunStarted())
            ended = Recorded(3, first.at + (last.at - self._now), RunEnded(state=state))
            run.apply(started)
            run.apply(ended)
            all_runs.append(run_row(run, run.seq))
            all_activities += _shifted(pattern, run.run_key, micros(first.at) - micros(self._now))
            facts += history_rows(run.run_key, (first, started, ended), position + len(facts))
        mark = placeholder(self._engine)
        for table, rows in ((runs, all_runs), (activities, all_activities), (history, facts)):
            connection.exec_driver_sql(insert_sql(table, mark), rows)

    def _begin(self, dag_id: str, run_key: int, at: datetime) -> tuple[Run, Recorded]:
        plan = self._plans[dag_id]
        created = RunCreated(
            dag_id=dag_id,
            run_id=f"scheduled__{at.isoformat()}",
            run_uid=f"{run_key:032x}",
            run_type=RunType.SCHEDULED,
            version_id=plan.version_id,
            fingerprint=plan.fingerprint,
            logical_date=at,
            data_interval_start=at,
            data_interval_end=at + timedelta(days=1),
            slot=at,
            triggered_by="timetable",
        )
        first = Recorded(1, at, created)
        return Run(run_key, plan, first), first

    def _fold(self, dag_id: str, run_key: int, at: datetime, instances: int) -> tuple[Run, list[Recorded]]:
        run, first = self._begin(dag_id, run_key, at)
        facts = [first]
        for number, event in enumerate(_events(run.plan.spec, instances), 1):
            facts.append(Recorded(run.seq + 1, at + number * _TICK, event))
            run.apply(facts[-1])
        return run, facts


_FIRST, _AFTER = (activities.columns.keys().index(name) for name in ("scheduled_at", "retry_at"))


def _shifted(rows: Sequence[Row], run_key: int, by: int) -> Iterator[Row]:
    """The same activities of another run, so many microseconds later."""
    for row in rows:
        yield (run_key, *row[1:_FIRST], *(at + by for at in row[_FIRST:_AFTER]), *row[_AFTER:])
