"""Recording: what one transaction of the dag processor changes in the catalog."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from orchestrator.core.spec import DagSpec, Planned, encode_spec, unplanned
from orchestrator.ports import ImportFailure, ParsedDag, ParsedFile
from orchestrator.storage.database import AnyRow, advance
from orchestrator.storage.projected import plain
from orchestrator.storage.snapshots import keep_snapshot
from orchestrator.storage.tables import dag_versions, dags, files, import_errors


class Recording:
    """Takes in parsed files one by one. ``revision`` is the catalog's after this transaction."""

    def __init__(self, connection: Connection, *, at: datetime, paused_at_creation: bool) -> None:
        self._connection = connection
        self._at = at
        self._paused_at_creation = paused_at_creation
        self._revision = advance(connection, "catalog")  # others that record wait here for this one's end

    def take(self, parsed: ParsedFile) -> None:
        """Record one parse's outcome; what a failure keeps from being known stays as it was."""
        clash = self._take_dags(parsed)
        declared = {dag.spec.dag_id for dag in parsed.dags}
        if parsed.failure is None:
            self._let_go(set(self._owned(parsed.file)) - declared)
        else:
            declared.update(self._owned(parsed.file))
        self._write_file(parsed, tuple(sorted(declared)))
        self._write_failure(parsed.file, parsed.failure or clash or parsed.warning)

    def forget(self, gone: Sequence[str]) -> None:
        """The files are gone: their DAGs turn stale, their import errors go."""
        for file in gone:
            self._connection.execute(delete(files).where(files.c.file == file))
            self._connection.execute(delete(import_errors).where(import_errors.c.file == file))
            self._let_go(self._owned(file))

    def keep_version(self, parsed: ParsedFile, dag: ParsedDag) -> int:
        """Record a version that a run of another home was made with; its id. The DAG itself stays as it is here, and
        is listed as stale where it is not known."""
        version_id = self._version_id(parsed, dag)
        if self._dag_row(dag.spec.dag_id) is None:
            values = self._standing(parsed, dag, version_id) | {"is_stale": True}
            self._connection.execute(insert(dags).values(dag_id=dag.spec.dag_id, **values, **self._birth(dag.spec)))
        return version_id

    # ── DAGs ─────────────────────────────────────────────────────────────────────────────────────────────

    def _take_dags(self, parsed: ParsedFile) -> ImportFailure | None:
        """Give each DAG its version; the first dag_id that cannot be had, as the file's failure."""
        clash: ImportFailure | None = None
        seen: set[str] = set()
        for dag in parsed.dags:
            other = self._other_owner(dag.spec.dag_id, parsed.file, seen)
            seen.add(dag.spec.dag_id)
            if other is None:
                self._take_dag(parsed, dag)
            else:
                clash = clash or _clash(dag.spec, parsed.file, other)
        return clash

    def _other_owner(self, dag_id: str, file: str, seen: Collection[str]) -> str | None:
        """The file that has this dag_id, unless it may be had."""
        if dag_id in seen:
            return file
        row = self._dag_row(dag_id)
        return None if row is None or row.is_stale or row.file == file else str(row.file)

    def _take_dag(self, parsed: ParsedFile, dag: ParsedDag) -> None:
        version_id = self._version_id(parsed, dag)
        row = self._dag_row(dag.spec.dag_id)
        values = self._standing(parsed, dag, version_id)
        if row is None:
            self._connection.execute(insert(dags).values(dag_id=dag.spec.dag_id, **values, **self._birth(dag.spec)))
        elif (row.version_id, row.file, row.is_stale) != (version_id, parsed.file, False) or (
            isinstance(dag.spec.schedule, Planned) and row.header != values["header"]
        ):
            self._connection.execute(update(dags).where(dags.c.dag_id == dag.spec.dag_id).values(**values))

    def _standing(self, parsed: ParsedFile, dag: ParsedDag, version_id: int) -> dict[str, Any]:
        return {
            "file": parsed.file,
            "version_id": version_id,
            "header": encode_spec(msgspec.structs.replace(dag.spec, tasks=())).decode(),
            "task_count": len(dag.spec.tasks),
            "is_stale": False,
            "revision": self._revision,
        }

    def _birth(self, spec: DagSpec) -> dict[str, Any]:
        asked = spec.is_paused_upon_creation
        is_paused = self._paused_at_creation if asked is None else asked
        return {"is_paused": is_paused, "unpaused_at": self._at, "created_at": self._at}

    def _version_id(self, parsed: ParsedFile, dag: ParsedDag) -> int:
        """The version of this pair of fingerprints, recorded if it is new."""
        of_dag = dag_versions.c.dag_id == dag.spec.dag_id
        same = select(dag_versions.c.version_id).where(
            of_dag,
            dag_versions.c.fingerprint == dag.fingerprint,
            dag_versions.c.code_fingerprint == dag.code_fingerprint,
        )
        known = self._connection.execute(same).scalar()
        if known is not None:
            return int(known)
        keep_snapshot(self._connection, dag.code_fingerprint, parsed.files)
        version_id = advance(self._connection, "version")
        last = self._connection.execute(select(func.max(dag_versions.c.number)).where(of_dag)).scalar()
        row = {
            "version_id": version_id,
            "dag_id": dag.spec.dag_id,
            "number": (last or 0) + 1,
            "fingerprint": dag.fingerprint,
            "code_fingerprint": dag.code_fingerprint,
            "file": parsed.file,
            "task_count": len(dag.spec.tasks),
            "spec": encode_spec(unplanned(dag.spec)).decode(),
            "created_at": self._at,
        }
        self._connection.execute(insert(dag_versions), row)
        return version_id

    def _let_go(self, dag_ids: Collection[str]) -> None:
        """These DAGs turn stale; other files that want one of the names are to be parsed again."""
        if not dag_ids:
            return
        stale = update(dags).where(dags.c.dag_id.in_(dag_ids)).values(is_stale=True, revision=self._revision)
        self._connection.execute(stale)
        for file, declared in self._connection.execute(select(files.c.file, files.c.dag_ids)).all():
            if not set(dag_ids).isdisjoint(json.loads(declared)):
                self._connection.execute(update(files).where(files.c.file == file).values(digest=""))

    def _dag_row(self, dag_id: str) -> AnyRow | None:
        query = select(dags.c.file, dags.c.version_id, dags.c.is_stale, dags.c.header).where(dags.c.dag_id == dag_id)
        return self._connection.execute(query).first()

    def _owned(self, file: str) -> tuple[str, ...]:
        query = select(dags.c.dag_id).where(dags.c.file == file, dags.c.is_stale.is_(False)).order_by(dags.c.dag_id)
        return tuple(self._connection.execute(query).scalars())

    # ── files ────────────────────────────────────────────────────────────────────────────────────────────

    def _write_file(self, parsed: ParsedFile, dag_ids: tuple[str, ...]) -> None:
        row = {
            "file": parsed.file,
            "digest": parsed.digest,
            "needs": json.dumps(parsed.needs),
            "dag_ids": json.dumps(dag_ids),
            "task_count": sum(len(dag.spec.tasks) for dag in parsed.dags),
            "duration": parsed.duration,
            "parsed_at": self._at,
        }
        self._connection.execute(delete(files).where(files.c.file == parsed.file))
        self._connection.execute(insert(files), row)

    def _write_failure(self, file: str, failure: ImportFailure | None) -> None:
        self._connection.execute(delete(import_errors).where(import_errors.c.file == file))
        if failure is not None:
            row = {"file": file, "failure": _encode_failure(failure), "at": self._at}
            self._connection.execute(insert(import_errors), row)


def _clash(spec: DagSpec, file: str, other: str) -> ImportFailure:
    if file == other:
        message = f"the dag_id {spec.dag_id!r} is given twice in this file; rename one of the two DAGs"
    else:
        message = f"the dag_id {spec.dag_id!r} is that of a DAG in {other} already; rename it in {file} or in {other}"
    return ImportFailure(message=message, file=file, line=spec.line or None)


def _encode_failure(failure: ImportFailure) -> str:
    """Also where an author's words are no valid text."""
    sound = msgspec.structs.replace(
        failure, message=plain(failure.message), frames=tuple(plain(frame) for frame in failure.frames)
    )
    return msgspec.json.encode(sound).decode()
