"""The activities of a run by pages, in the order of its DAG, with those that nothing is recorded of."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select, true

from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import UNMAPPED
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_run
from orchestrator.storage.list_reads import TaskFilter, conditions
from orchestrator.storage.listing import Page, Paging
from orchestrator.storage.run_reads import as_activity, spec_of_run, untouched
from orchestrator.storage.tables import activities
from orchestrator.storage.views import ActivityRow, RunRow

_IS_INSTANCE = activities.c.map_index >= 0


class Found(NamedTuple):
    """How many rows of a task are wanted, and whether they are those of its instances."""

    number: int
    is_expanded: bool


class TaskReads(Guarded):
    """Nothing is read of what is not on the page, but for its number."""

    @of_run
    def list_tasks(self, run: RunRow, which: TaskFilter, paging: Paging) -> Page[ActivityRow]:
        """Every task of the run, in state none where nothing is recorded of it; of a mapped one, the activities that
        something is recorded of, and of a workflow, the calls. The order is the DAG's, whatever ``paging`` says.
        """
        rows: list[ActivityRow] = []
        with reading(self._engine) as connection:
            spec = spec_of_run(connection, run)
            found = _found(connection, run.run_key, which)
            skip, total = paging.offset, 0
            for task, number in _numbers(run, spec, found, which):
                total += number
                wanted = min(number - skip, paging.limit - len(rows))
                if wanted > 0:
                    rows += _rows(connection, run, task, found, which, Paging(limit=wanted, offset=skip))
                skip = max(0, skip - number)
        return Page(rows, total)


def _found(connection: Connection, run_key: int, which: TaskFilter) -> dict[str, Found]:
    is_wanted = and_(true(), *conditions(which))
    query = (
        select(
            activities.c.task_id,
            func.count().filter(_IS_INSTANCE),
            func.count().filter(and_(_IS_INSTANCE, is_wanted)),
            func.count().filter(is_wanted),
        )
        .where(activities.c.run_key == run_key)
        .group_by(activities.c.task_id)
    )
    rows = connection.execute(query)
    return {name: Found(wanted if instances else alone, bool(instances)) for name, instances, wanted, alone in rows}


def _numbers(
    run: RunRow, spec: DagSpec, found: Mapping[str, Found], which: TaskFilter
) -> Iterator[tuple[TaskSpec, int]]:
    for task in spec.tasks:
        known = found.get(task.task_id)
        if known is not None:
            yield task, known.number
        elif not task.is_activity:
            yield task, int(which.takes(untouched(run, task, UNMAPPED)))


def _rows(
    connection: Connection,
    run: RunRow,
    task: TaskSpec,
    found: Mapping[str, Found],
    which: TaskFilter,
    paging: Paging,
) -> list[ActivityRow]:
    known = found.get(task.task_id)
    if known is None:
        return [untouched(run, task, UNMAPPED)]
    query = select(activities).where(
        activities.c.run_key == run.run_key, activities.c.task_id == task.task_id, *conditions(which)
    )
    if known.is_expanded:
        query = query.where(_IS_INSTANCE)
    query = query.order_by(activities.c.map_index).limit(paging.limit).offset(paging.offset or None)
    return [as_activity(row) for row in connection.execute(query)]
