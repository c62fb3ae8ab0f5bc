"""Upkeep: cleaning a home's database, and writing its projections anew."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.config import Config
from orchestrator.exceptions import NotFoundError
from orchestrator.storage.cleaning import Cleaned, Cleaning
from orchestrator.storage.database import connect
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.rebuild import rebuild as rebuild_projections

Tell = Callable[[int, int], None]


def clean(config: Config, before: datetime, *, by: str, dry_run: bool, keep_audit: bool, tell: Tell) -> Cleaned:
    """Delete runs that ended before ``before``, with all that belongs to them, and lines of the audit from before it
    unless they are to be kept; ``tell`` hears how many runs, of how many."""
    engine = connect(config.database.sql_alchemy_conn, patience=config.database.busy_timeout.total_seconds())
    try:
        cleaning = Cleaning(engine, FsspecPayloadStore(config.payloads.url))
        now = datetime.now(UTC)
        cleaned = cleaning.clean(before, now=now, dry_run=dry_run, keep_audit=keep_audit, by=by, progress=tell)
        if not dry_run:
            _sweep(config, Reads(engine))
        return cleaned
    finally:
        engine.dispose()


def delete_dag(config: Config, dag_id: str) -> int:
    """Delete a DAG whose file is gone, with its runs and their logs; how many runs it had."""
    engine = connect(config.database.sql_alchemy_conn, patience=config.database.busy_timeout.total_seconds())
    try:
        count = Cleaning(engine).delete_dag(dag_id)
        _sweep(config, Reads(engine))
        return count
    finally:
        engine.dispose()


def rebuild(config: Config, tell: Tell) -> int:
    """Write the projections anew from the history; how many runs that were. SchedulerRunningError if one runs."""
    engine = connect(config.database.sql_alchemy_conn, patience=config.database.busy_timeout.total_seconds())
    try:
        return rebuild_projections(engine, f"{socket.gethostname()}:{os.getpid()}", tell)
    finally:
        engine.dispose()


def _sweep(config: Config, reads: Reads) -> None:
    """Remove the logs and the progress of runs that are gone."""
    for folder in (config.logging.base_log_folder, config.logging.base_heartbeat_folder):
        for run_key, path in _run_folders(folder):
            try:
                reads.run_by_key(run_key)
            except NotFoundError:
                shutil.rmtree(path, ignore_errors=True)


def _run_folders(folder: Path) -> Iterator[tuple[int, Path]]:
    if folder.is_dir():
        yield from ((int(path.name), path) for path in list(folder.iterdir()) if path.name.isdecimal())
