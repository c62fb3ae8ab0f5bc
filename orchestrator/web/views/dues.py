"""Dues: when the schedules want their DAGs next, and which have waited in vain."""

from datetime import datetime, timedelta

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.timetables import next_slot
from orchestrator.storage.views import DagRow

_PATIENCE = timedelta(minutes=1)
_REMEMBERED = 20_000
_AT_ONCE = 100

# A date of a cron expression takes as long to find as a page of DAGs to read, and changes only with what is its key.
_known: dict[tuple[object, ...], datetime | None] = {}


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG whose run should have begun at ``due``."""

    dag: DagRow
    due: datetime


def due_next(dag: DagRow, last: datetime | None, now: datetime) -> datetime | None:
    """When the schedule wants the DAG next, past or future; None of one that is paused, or has no date left."""
    if not _has_dates(dag):
        return None
    key = _key(dag, last)
    if key not in _known:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        slot = next_slot(dag.header, last=last, unpaused_at=dag.unpaused_at, now=now)
        _known[key] = None if slot is None else slot.fire_at
    return _known[key]


def is_late(due: datetime | None, now: datetime) -> bool:
    """Whether its run should have begun a while ago."""
    return due is not None and due < now - _PATIENCE


def late_dags(home: Home, now: datetime, *, most: int = _AT_ONCE) -> list[Late]:
    """The DAGs whose runs should have begun, the longest first.

    Of those whose dates are not known yet, ``most`` are looked at, the ones that nothing was dealt with for the longest
    first; the next call goes on with the others.
    """
    cursors = home.reads.cursors()
    dags = sorted(home.reads.dags(), key=lambda dag: cursors.get(dag.dag_id, dag.unpaused_at))
    known = [dag for dag in dags if _key(dag, cursors.get(dag.dag_id)) in _known]
    others = [dag for dag in dags if _has_dates(dag) and _key(dag, cursors.get(dag.dag_id)) not in _known]
    dues = ((dag, due_next(dag, cursors.get(dag.dag_id), now)) for dag in [*known, *others[:most]])
    found = [Late(dag=dag, due=due) for dag, due in dues if due is not None and is_late(due, now)]
    return sorted(found, key=lambda late: late.due)


def _has_dates(dag: DagRow) -> bool:
    return not (dag.is_paused or dag.is_stale or dag.header.schedule is None)


def _key(dag: DagRow, last: datetime | None) -> tuple[object, ...]:
    """All that its next date follows from."""
    return (dag.dag_id, dag.version_id, last, dag.unpaused_at)
