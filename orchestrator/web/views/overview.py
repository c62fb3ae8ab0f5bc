"""Overview: what the first page shows."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.names import RunState
from orchestrator.storage.views import ImportErrorRow, PoolRow, RunRow, SchedulerRow
from orchestrator.web.views.dues import Late, late_dags
from orchestrator.web.views.health import PartLine, part_lines
from orchestrator.web.views.required import Asked, asked

DAY = timedelta(days=1)
_FEW = 12


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """``ended`` counts the runs that ended within a day, by state; ``open_count`` those that have not."""

    scheduler: SchedulerRow | None
    is_alive: bool
    pending: int
    open_runs: list[RunRow]
    open_count: int
    ended: Mapping[RunState, int]
    failures: list[RunRow]
    awaiting: list[Asked]
    awaiting_count: int
    import_errors: list[ImportErrorRow]
    pools: list[PoolRow]
    late: list[Late]
    dag_count: int
    parts: list[PartLine]


def overview(home: Home, now: datetime) -> Overview:
    """A few short questions, none of which grows with the number of runs."""
    reads, since = home.reads, now - DAY
    scheduler = reads.scheduler()
    return Overview(
        scheduler=scheduler,
        is_alive=scheduler is not None and scheduler.is_alive(now),
        pending=reads.pending_requests(),
        open_runs=reads.open_runs(limit=_FEW),
        open_count=reads.open_run_count(),
        ended=reads.ended_counts(since),
        failures=reads.ended_runs(since, states=[RunState.FAILED], limit=_FEW),
        awaiting=[asked(home.who, row) for row in reads.awaiting(limit=_FEW)],
        awaiting_count=reads.awaiting_count(),
        import_errors=reads.import_errors(),
        pools=reads.pools(),
        late=late_dags(home, now),
        dag_count=reads.dag_count(),
        parts=part_lines(home, now),
    )
