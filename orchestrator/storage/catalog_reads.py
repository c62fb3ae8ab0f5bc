"""Questions about DAGs, their versions and their files."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, select, true

from orchestrator.core.rights import Right
from orchestrator.core.spec import DagSpec, decode_spec
from orchestrator.exceptions import NotFoundError
from orchestrator.names import DagKind, RunState
from orchestrator.nearest import did_you_mean
from orchestrator.ports import ImportFailure
from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, of_dag, of_version, visible
from orchestrator.storage.tables import blobs, dag_versions, dags, files, import_errors, runs, snapshots
from orchestrator.storage.views import DagRow, FileRow, ImportErrorRow, VersionRow

_DAGS = (
    select(dags, dag_versions.c.number)
    .join(dag_versions, dag_versions.c.version_id == dags.c.version_id)
    .order_by(dags.c.dag_id)
)
_PROBLEMS = (
    select(import_errors, files.c.dag_ids)
    .outerjoin(files, files.c.file == import_errors.c.file)
    .order_by(import_errors.c.file)
)
_VERSIONS = select(*(column for column in dag_versions.columns if column.name != "spec"))


class CatalogReads(Guarded):
    """What the dag processor recorded."""

    @of_dag
    def dags(self) -> list[DagRow]:
        """All DAGs by dag_id, stale ones (their file is gone) included."""
        with reading(self._engine) as connection:
            return [_dag(row) for row in connection.execute(_DAGS.where(self._visible(dags.c.dag_id)))]

    @of_dag
    def dag(self, dag_id: str) -> DagRow:
        with reading(self._engine) as connection:
            row = connection.execute(_DAGS.where(dags.c.dag_id == dag_id)).first()
            if row is None:
                raise no_such_dag(connection, dag_id, self._visible(dags.c.dag_id))
            return _dag(row)

    @of_dag
    def run_counts(self, dag_id: str | None = None) -> dict[str, dict[RunState, int]]:
        """How many runs there are, by dag_id and state."""
        query = select(runs.c.dag_id, runs.c.state, func.count()).group_by(runs.c.dag_id, runs.c.state)
        query = query.where(self._visible(runs.c.dag_id))
        counts: dict[str, dict[RunState, int]] = defaultdict(dict)
        with reading(self._engine) as connection:
            for name, state, count in connection.execute(_of_dag(query, dag_id)):
                counts[name][RunState(state)] = count
        return dict(counts)

    @of_dag
    def versions(self, dag_id: str) -> list[VersionRow]:
        """Newest first."""
        query = _VERSIONS.where(dag_versions.c.dag_id == dag_id).order_by(dag_versions.c.number.desc())
        with reading(self._engine) as connection:
            found = [VersionRow(**row) for row in connection.execute(query).mappings()]
            if not found:
                raise no_such_dag(connection, dag_id, self._visible(dags.c.dag_id))
            return found

    @of_dag
    def numbers(self, dag_id: str) -> dict[int, int]:
        """What people call the versions of a DAG, by version id."""
        query = select(dag_versions.c.version_id, dag_versions.c.number).where(dag_versions.c.dag_id == dag_id)
        with reading(self._engine) as connection:
            return {row.version_id: row.number for row in connection.execute(query)}

    @of_version
    def spec(self, version_id: int) -> DagSpec:
        with reading(self._engine) as connection:
            return spec_of(connection, version_id)

    @of_version
    def source(self, version_id: int) -> dict[str, bytes]:
        """The files of a version, by path relative to the snapshot's root."""
        query = (
            select(snapshots.c.path, blobs.c.content)
            .join(blobs, blobs.c.sha256 == snapshots.c.sha256)
            .join(dag_versions, dag_versions.c.code_fingerprint == snapshots.c.code_fingerprint)
            .where(dag_versions.c.version_id == version_id)
            .order_by(snapshots.c.path)
        )
        with reading(self._engine) as connection:
            return {row.path: bytes(row.content) for row in connection.execute(query)}

    @visible
    def files(self) -> list[FileRow]:
        """The parse report, by path."""
        query = (
            select(files, import_errors.c.failure)
            .outerjoin(import_errors, import_errors.c.file == files.c.file)
            .order_by(files.c.file)
        )
        with reading(self._engine) as connection:
            found = [_file(row) for row in connection.execute(query)]
        return [self._narrowed(file) for file in found if self._is_seen(file.dag_ids)]

    @visible
    def import_errors(self) -> list[ImportErrorRow]:
        """By path."""
        return [found for found in self._problems() if not found.failure.is_warning]

    @visible
    def import_warnings(self) -> list[ImportErrorRow]:
        """What the quarantine saw in files that could be read, by path."""
        return [found for found in self._problems() if found.failure.is_warning]

    def _problems(self) -> list[ImportErrorRow]:
        with reading(self._engine) as connection:
            return [
                ImportErrorRow(file=row.file, failure=_failure(row.failure), at=row.at)
                for row in connection.execute(_PROBLEMS)
                if self._is_seen(json.loads(row.dag_ids or "[]"))
            ]

    def _is_seen(self, dag_ids: Iterable[str]) -> bool:
        """A file is seen by whoever sees a DAG of it, and one without DAGs by whoever sees all."""
        reach = self._who.dags(Right.VIEW)
        return reach.everything or any(dag_id in reach for dag_id in dag_ids)

    def _narrowed(self, file: FileRow) -> FileRow:
        reach = self._who.dags(Right.VIEW)
        if reach.everything:
            return file
        return msgspec.structs.replace(file, dag_ids=tuple(dag_id for dag_id in file.dag_ids if dag_id in reach))


def spec_of(connection: Connection, version_id: int) -> DagSpec:
    """The spec of a version; NotFoundError where it is not (or no longer) recorded."""
    body = connection.execute(select(dag_versions.c.spec).where(dag_versions.c.version_id == version_id)).scalar()
    if body is None:
        raise NotFoundError(f"version {version_id} is not recorded; list a DAG's versions with `dags details`")
    return decode_spec(body)


def no_such_dag(connection: Connection, dag_id: str, visible: ColumnElement[bool] | None = None) -> NotFoundError:
    """The error that names those of the ``visible`` DAGs whose names are near."""
    known = connection.execute(select(dags.c.dag_id).where(true() if visible is None else visible)).scalars()
    near = did_you_mean(dag_id, known)
    return NotFoundError(f"there is no DAG {dag_id!r}{near}")


def _of_dag(query: Select[Any], dag_id: str | None) -> Select[Any]:
    return query if dag_id is None else query.where(runs.c.dag_id == dag_id)


def _dag(row: AnyRow) -> DagRow:
    header = decode_spec(row.header)
    return DagRow(
        dag_id=row.dag_id,
        kind=DagKind(header.kind),
        header=header,
        task_count=row.task_count,
        version_id=row.version_id,
        version_number=row.number,
        is_paused=row.is_paused,
        is_stale=row.is_stale,
        unpaused_at=row.unpaused_at,
        created_at=row.created_at,
    )


def _failure(body: str) -> ImportFailure:
    return msgspec.json.decode(body, type=ImportFailure)


def _file(row: AnyRow) -> FileRow:
    return FileRow(
        file=row.file,
        digest=row.digest,
        duration=row.duration,
        parsed_at=row.parsed_at,
        dag_ids=tuple(json.loads(row.dag_ids)),
        task_count=row.task_count,
        has_failed=row.failure is not None and not _failure(row.failure).is_warning,
    )
