"""Triggering: asking for a run of a DAG, as commands, pages and the API do it."""

import re
import uuid
from datetime import UTC, datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.authoring.conf import check_conf
from orchestrator.core import run_types
from orchestrator.core.requests import TriggerRun
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import RunType
from orchestrator.storage.views import DagRow

_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]{1,250}")  # Airflow's allowed_run_id_pattern
_NO_CONF = msgspec.Raw(b"{}")


def trigger_run(
    home: Home,
    dag_id: str,
    *,
    conf: msgspec.Raw = _NO_CONF,
    run_id: str | None = None,
    logical_date: datetime | None = None,
    note: str | None = None,
    by: str = "",
    client_key: str | None = None,
) -> TriggerRun:
    """Ask for a run by hand; it is recorded as queued when this returns, whether a scheduler runs or not.

    ``conf`` is a JSON object. Without them, ``run_id`` and ``logical_date`` are made from the moment. Asked twice with
    one ``client_key``, it is one run. UsageError where the conf or the run id will not do; ConflictError where the DAG
    has no such runs, its file is gone, or the run is there already.
    """
    dag = home.reads.dag(dag_id)
    require_runnable(dag)
    check_conf(dag.header, msgspec.json.decode(conf))
    date = logical_date or datetime.now(UTC)
    request = TriggerRun(
        dag_id=dag_id,
        run_id=checked_run_id(run_id) if run_id is not None else f"{RunType.MANUAL}__{date.isoformat()}",
        run_uid=uuid.uuid4().hex,
        run_type=RunType.MANUAL,
        logical_date=date,
        conf=conf,
        note=note,
        by=by,
    )
    home.requests.submit(request, client_key or request.run_uid)
    home.ring()
    return request


def require_runnable(dag: DagRow) -> None:
    """ConflictError if the DAG's file is gone, or if it has no runs by hand."""
    if dag.is_stale:
        raise ConflictError(
            f"DAG {dag.dag_id!r} cannot be run: its file {dag.header.file} is gone; put the file back to run it"
        )
    if (refusal := run_types.refusal(dag.header, RunType.MANUAL)) is not None:
        raise ConflictError(refusal)


def checked_run_id(run_id: str) -> str:
    """The run id, if it may be one; UsageError if not."""
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(f"the run id {run_id!r} may hold letters, digits and _.~:+- only, 250 characters at most")
    return run_id
