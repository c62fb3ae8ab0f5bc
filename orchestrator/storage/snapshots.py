"""Snapshots: the files of a DAG's versions, kept by content and laid out as folders for workers to import from."""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection, insert, select

from orchestrator.exceptions import NotFoundError, StorageCorruptError, StorageUnavailableError
from orchestrator.storage.synced import sync_folder, write_synced
from orchestrator.storage.tables import blobs, dag_versions, snapshots

_FINGERPRINT = re.compile(r"[0-9A-Za-z_-]{1,128}")


def keep_snapshot(connection: Connection, code_fingerprint: str, files: Mapping[str, bytes]) -> None:
    """Record the files, unless a snapshot of that fingerprint is recorded already."""
    if not files:
        return
    where = snapshots.c.code_fingerprint == code_fingerprint
    if connection.execute(select(snapshots.c.path).where(where).limit(1)).first() is not None:
        return
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    known = set(connection.execute(select(blobs.c.sha256).where(blobs.c.sha256.in_(set(digests.values())))).scalars())
    fresh = {digests[path]: content for path, content in files.items() if digests[path] not in known}
    if fresh:
        connection.execute(insert(blobs), [{"sha256": sha, "content": content} for sha, content in fresh.items()])
    connection.execute(
        insert(snapshots),
        [{"code_fingerprint": code_fingerprint, "path": path, "sha256": sha} for path, sha in digests.items()],
    )


def snapshot_of(connection: Connection, version_id: int) -> tuple[str, dict[str, bytes]]:
    """The code fingerprint of a version and its files by path."""
    where = dag_versions.c.version_id == version_id
    code_fingerprint = connection.execute(select(dag_versions.c.code_fingerprint).where(where)).scalar()
    if code_fingerprint is None:
        raise NotFoundError(f"version {version_id} is not recorded, so its code is not either")
    query = (
        select(snapshots.c.path, blobs.c.content)
        .join(blobs, blobs.c.sha256 == snapshots.c.sha256)
        .where(snapshots.c.code_fingerprint == code_fingerprint)
        .order_by(snapshots.c.path)
    )
    return code_fingerprint, {row.path: bytes(row.content) for row in connection.execute(query)}


def folder_of(folder: Path, code_fingerprint: str) -> Path:
    """Where the snapshot of that fingerprint is laid out."""
    if _FINGERPRINT.fullmatch(code_fingerprint) is None:
        raise StorageCorruptError(f"{code_fingerprint!r} is no code fingerprint; restore the database from a backup")
    return folder / code_fingerprint


def lay_out(target: Path, files: Mapping[str, bytes]) -> None:
    """Put the files there, all or nothing, on disk when this returns; a folder that is there already stays."""
    if target.is_dir():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".draft-", dir=target.parent) as draft:
            _write_all(Path(draft, "code"), files)
            with _unless_there(target):
                Path(draft, "code").rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StorageUnavailableError(
            f"the code of a DAG version cannot be written to {target} ({error.strerror}); check the room and the "
            f"permissions there"
        ) from error


@contextlib.contextmanager
def _unless_there(target: Path) -> Iterator[None]:
    """Another process may have been faster; what it put there is the same."""
    try:
        yield
    except OSError:
        if not target.is_dir():
            raise


def is_inside(path: str) -> bool:
    """Whether the path stays inside the folder that it is joined to."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\x00" not in path


def _inside(path: str) -> PurePosixPath:
    """The path, if it stays inside the folder that it is joined to."""
    if not is_inside(path):
        raise StorageCorruptError(f"the recorded file {path!r} lies outside of its snapshot; record the DAG again")
    return PurePosixPath(path)


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for path, content in files.items():
        write_synced(folder / _inside(path), content)
    for root, _, _ in os.walk(folder):
        sync_folder(Path(root))
