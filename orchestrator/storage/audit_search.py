"""Searching the audit: a page of lines at a time, whatever its length, and however few fit."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from orchestrator.core.rights import Right
from orchestrator.storage.audit_reads import AuditFilter, audit_row, conditions
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, visible
from orchestrator.storage.tables import audit
from orchestrator.storage.views import AuditRow

SPAN = 20_000
MOST = 5 * SPAN
"""How many lines one question looks through."""
_SKEW = timedelta(minutes=10)
"""How far the clocks of those who write lines may be apart: lines are looked for by date that much further."""


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines, newest first. ``older`` is the id below which to go on, None where no line is left; there may be one
    though fewer were found than asked for: then so many lines were looked through.
    """

    lines: list[AuditRow]
    older: int | None


class AuditSearch(Guarded):
    """What somebody did, found step by step along the ids of the lines: no filter makes a question slow."""

    @visible
    def audit_page(
        self, which: AuditFilter | None = None, *, before_id: int | None = None, limit: int = 100
    ) -> AuditPage:
        """What is about no DAG is told to administrators."""
        which = which or AuditFilter()
        query = select(audit).where(*conditions(which)).order_by(audit.c.id.desc())
        if not self._who.may(Right.ADMIN):
            query = query.where(audit.c.dag_id.is_not(None), self._visible(audit.c.dag_id))
        with reading(self._engine) as connection:
            top, bottom = _bounds(connection, which)
            top = top if before_id is None else min(top, before_id)
            return _search(connection, query, top, max(bottom, top - MOST), bottom, limit)


def _search(connection: Connection, query: Select[Any], top: int, until: int, bottom: int, limit: int) -> AuditPage:
    """From below ``top`` down to ``until``, span by span; at ``bottom`` there is no more."""
    found: list[AuditRow] = []
    while top > until:
        low = max(until, top - SPAN)
        rows = connection.execute(query.where(audit.c.id < top, audit.c.id >= low).limit(limit - len(found))).all()
        found += [audit_row(row) for row in rows]
        if len(found) == limit:
            return AuditPage(lines=found, older=found[-1].id if found[-1].id > bottom else None)
        top = low
    return AuditPage(lines=found, older=top if top > bottom else None)


def _bounds(connection: Connection, which: AuditFilter) -> tuple[int, int]:
    """Above the last line that may be meant, and the first one."""
    first, last = (connection.execute(select(end(audit.c.id))).scalar() for end in (func.min, func.max))
    if first is None or last is None:  # asked for one by one: both in one query would be a walk over all lines
        return 0, 0
    top = last + 1 if which.until is None else _first_from(connection, which.until + _SKEW, first, last + 1)
    bottom = first if which.since is None else _first_from(connection, which.since - _SKEW, first, last + 1)
    return top, bottom


def _first_from(connection: Connection, moment: datetime, low: int, high: int) -> int:
    """The id from which on lines are as young as that, between these: lines are written in the order of time."""
    while low < high:
        middle = (low + high) // 2
        found = select(audit.c.id, audit.c.at).where(audit.c.id >= middle).order_by(audit.c.id).limit(1)
        row = connection.execute(found).first()
        if row is None or row.at >= moment:
            high = middle
        else:
            low = row.id + 1
    return high
