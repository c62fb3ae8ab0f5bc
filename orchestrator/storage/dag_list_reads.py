"""Questions about many DAGs at once, for lists of them: each is one query, whatever the number of DAGs and of runs."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select

from orchestrator.names import RunState
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, visible
from orchestrator.storage.run_reads import as_run
from orchestrator.storage.tables import cursors, dag_versions, dags, runs
from orchestrator.storage.views import RunRow

_MOST = 500  # as many parameters as every database takes


class DagListReads(Guarded):
    """What is told of DAGs beside each other. DAGs that may not be seen are left out, also where they are named."""

    @visible
    def last_states(self) -> dict[str, RunState]:
        """The state of each DAG's latest run, by dag_id; of those that have one."""
        query = (
            select(dags.c.dag_id, runs.c.state)
            .select_from(dags)
            .join(runs, runs.c.run_key == _nth_newest(1))
            .where(dags.c.is_stale.is_(False), self._visible(dags.c.dag_id))
        )
        with reading(self._engine) as connection:
            return {row.dag_id: RunState(row.state) for row in connection.execute(query)}

    @visible
    def last_runs(self, dag_ids: Collection[str], *, count: int = 14) -> dict[str, list[RunRow]]:
        """The last runs of each of these DAGs, oldest first, by dag_id."""
        oldest = _nth_newest(count)
        query = (
            select(runs, dag_versions.c.number.label("version_number"))
            .select_from(dags)
            .join(runs, (runs.c.dag_id == dags.c.dag_id) & (runs.c.run_key >= func.coalesce(oldest, 0)))
            .outerjoin(dag_versions, dag_versions.c.version_id == runs.c.version_id)
            .where(dags.c.dag_id.in_(list(dag_ids)[:_MOST]), self._visible(dags.c.dag_id))
            .order_by(runs.c.run_key)
        )
        found: dict[str, list[RunRow]] = defaultdict(list)
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                found[row.dag_id].append(as_run(row))
        return dict(found)

    @visible
    def cursors(self) -> dict[str, datetime]:
        """The last slot of its schedule that is dealt with, by dag_id; of those that have one."""
        with reading(self._engine) as connection:
            query = select(cursors).where(self._visible(cursors.c.dag_id))
            return {row.dag_id: row.slot for row in connection.execute(query)}


def _nth_newest(number: int) -> ScalarSelect[int]:
    """The key of the n-th newest run of the DAG in the query around it; NULL where it has had fewer."""
    other = runs.alias()
    return (
        select(other.c.run_key)
        .where(other.c.dag_id == dags.c.dag_id)
        .order_by(other.c.run_key.desc())
        .offset(number - 1)
        .limit(1)
        .correlate(dags)
        .scalar_subquery()
    )
