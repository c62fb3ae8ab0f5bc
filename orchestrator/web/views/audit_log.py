"""The audit log: who did what, by pages and filters, and how far its chain is proven."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec

from orchestrator.assembly.auditing import proof_of
from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.exceptions import UsageError
from orchestrator.storage.audit_proof import Proof
from orchestrator.storage.audit_reads import AuditFilter
from orchestrator.web.views.audit_table import AuditLine, audit_line

PER_PAGE = 100
MOST_EXPORTED = 10_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are looked for; ``since`` and ``until`` are days, both included."""

    who: str = ""
    action: str = ""
    dag: str = ""
    run: str = ""
    since: str = ""
    until: str = ""
    before: int = 0

    def values(self, **changes: Any) -> dict[str, Any]:
        """For an address."""
        return msgspec.structs.asdict(self) | {"before": ""} | changes

    def filter(self) -> AuditFilter:
        """UsageError where a day is none."""
        until = _day(self.until)
        return AuditFilter(
            who=self.who.strip() or None,
            action=self.action.strip().replace(" ", "_") or None,
            dag_id=self.dag.strip() or None,
            run_id=self.run.strip() or None,
            since=_day(self.since),
            until=None if until is None else until + timedelta(days=1),
        )


class AuditLog(msgspec.Struct, frozen=True, kw_only=True):
    """``older`` is where the next page begins, None where there is none; ``proof`` is for administrators."""

    wanted: Wanted
    lines: list[AuditLine]
    older: int | None
    proof: Proof | None

    @property
    def before(self) -> int:
        """Where this page begins; 0 is the newest line."""
        return self.wanted.before


def audit_log(home: Home, wanted: Wanted) -> AuditLog:
    found = home.reads.audit_page(wanted.filter(), before_id=wanted.before or None, limit=PER_PAGE)
    return AuditLog(
        wanted=wanted,
        lines=[audit_line(row) for row in found.lines],
        older=found.older,
        proof=proof_of(home).standing() if home.who.may(Right.ADMIN) else None,
    )


def exported(home: Home, wanted: Wanted) -> Iterator[bytes]:
    """The lines that are looked for, newest first, one JSON object on each line of text; the first ten thousand."""
    before, left = wanted.before or None, MOST_EXPORTED
    while left:
        found = home.reads.audit_page(wanted.filter(), before_id=before, limit=min(1_000, left))
        for row in found.lines:
            yield msgspec.json.encode(row) + b"\n"
        if found.older is None:
            return
        before, left = found.older, left - len(found.lines)


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), UTC)  # noqa: DTZ007 - a day
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no day; write one such as 2026-11-23") from None
