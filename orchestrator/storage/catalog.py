"""SqlCatalog: the DAGs, their versions and their code; read by the scheduler, written by the dag processor."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select

from orchestrator.core.spec import DagSpec, Planned, PlannedSlot, decode_spec
from orchestrator.ports import Clock, DagEntry, KnownFile, ParsedFile
from orchestrator.storage.catalog_reads import spec_of
from orchestrator.storage.database import AnyRow, reading, writing
from orchestrator.storage.recording import Recording
from orchestrator.storage.snapshots import folder_of, lay_out, snapshot_of
from orchestrator.storage.tables import counters, cursors, dag_versions, dags, files

_ENTRIES = (
    select(
        dags.c.dag_id,
        dags.c.version_id,
        dag_versions.c.fingerprint,
        dag_versions.c.spec,
        dags.c.header,
        dags.c.is_paused,
        dags.c.is_stale,
        dags.c.unpaused_at,
    )
    .join(dag_versions, dag_versions.c.version_id == dags.c.version_id)
    .order_by(dags.c.dag_id)
)
_CURSOR = select(counters.c.value).where(counters.c.name == "catalog")
_OWNED = select(dags.c.file, dags.c.dag_id).where(dags.c.is_stale.is_(False)).order_by(dags.c.dag_id)
_PLANNED = (
    select(dags.c.file, dags.c.dag_id, dags.c.header, cursors.c.slot)
    .join(cursors, cursors.c.dag_id == dags.c.dag_id)
    .where(dags.c.header.contains('"planned"'))
)


class SqlCatalog:
    """DagCatalog and CatalogWriter. ``folder`` is where versions' code is laid out, by its fingerprint.

    A version is the pair of its spec's and its code's fingerprints: the same pair is the same version, for ever.
    """

    def __init__(self, engine: Engine, folder: Path, clock: Clock, *, paused_at_creation: bool = False) -> None:
        self._engine = engine
        self._folder = folder
        self._clock = clock
        self._paused_at_creation = paused_at_creation
        self._laid_out: dict[int, str] = {}

    def changes(self, since: int) -> tuple[int, list[DagEntry]]:
        """The cursor now, and the DAGs that changed after the cursor ``since`` (0: all)."""
        with reading(self._engine) as connection:
            cursor = int(connection.execute(_CURSOR).scalar_one())
            if cursor == since:
                return cursor, []
            return cursor, [_entry(row) for row in connection.execute(_ENTRIES.where(dags.c.revision > since))]

    def spec(self, version_id: int) -> DagSpec:
        """NotFoundError where no such version is recorded."""
        with reading(self._engine) as connection:
            return spec_of(connection, version_id)

    def number(self, version_id: int) -> int:
        """How people call the version: 1, 2, 3 … within its DAG; 0 where none is recorded."""
        query = select(dag_versions.c.number).where(dag_versions.c.version_id == version_id)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar() or 0

    def code(self, version_id: int) -> str:
        """The folder that holds the version's files, put there if need be; the same for versions of the same code."""
        folder = self._laid_out.get(version_id)
        if folder is None:
            with reading(self._engine) as connection:
                code_fingerprint, content = snapshot_of(connection, version_id)
            target = folder_of(self._folder, code_fingerprint)
            lay_out(target, content)
            folder = self._laid_out[version_id] = str(target)
        return folder

    def record(self, parsed: Sequence[ParsedFile]) -> None:
        """New versions where a fingerprint changed; a failure replaces no DAG, a vanished DAG turns stale. A dag_id
        stays with the file that has it: another file that gives it has an import error that names both."""
        with writing(self._engine) as connection:
            recording = Recording(connection, at=self._clock.now(), paused_at_creation=self._paused_at_creation)
            for file in parsed:
                recording.take(file)

    def remove(self, files: Sequence[str]) -> None:
        """These files are gone: their DAGs turn stale, their import errors go."""
        with writing(self._engine) as connection:
            Recording(connection, at=self._clock.now(), paused_at_creation=self._paused_at_creation).forget(files)

    def known(self) -> dict[str, KnownFile]:
        """Every file that was ever recorded and is not removed, by path. A digest is empty where the file wants
        another parse although it did not change: a dag_id that another file had is free now."""
        owned: dict[str, list[str]] = defaultdict(list)
        over: dict[str, dict[str, PlannedSlot]] = defaultdict(dict)
        with reading(self._engine) as connection:
            for file, dag_id in connection.execute(_OWNED):
                owned[file].append(dag_id)
            for file, dag_id, header, slot in connection.execute(_PLANNED):
                over[file].update((dag_id, one) for one in _slots(header) if one.fire_at == slot)
            rows = connection.execute(select(files))
            return {row.file: _known(row, owned[row.file], over[row.file]) for row in rows}


def _slots(header: str) -> tuple[PlannedSlot, ...]:
    schedule = decode_spec(header).schedule
    return schedule.slots if isinstance(schedule, Planned) else ()


def _standing(row: AnyRow) -> DagSpec:
    """The version's spec; slots that are planned stand with the DAG."""
    spec = decode_spec(row.spec)
    if not isinstance(spec.schedule, Planned):
        return spec
    return msgspec.structs.replace(spec, schedule=decode_spec(row.header).schedule)


def _entry(row: AnyRow) -> DagEntry:
    return DagEntry(
        dag_id=row.dag_id,
        version_id=row.version_id,
        fingerprint=row.fingerprint,
        spec=_standing(row),
        is_paused=row.is_paused,
        is_stale=row.is_stale,
        unpaused_at=row.unpaused_at,
    )


def _known(row: AnyRow, owned: Sequence[str], over: dict[str, PlannedSlot]) -> KnownFile:
    needs = tuple(json.loads(row.needs))
    return KnownFile(file=row.file, digest=row.digest, needs=needs, dag_ids=tuple(owned), dealt_with=over)
