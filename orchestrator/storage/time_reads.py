"""What pages about time ask: the tries of a run, the days of a DAG, and how long its tasks take."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, bindparam, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from orchestrator.core.events import ActivityDeferred
from orchestrator.core.transcript import Fact
from orchestrator.names import UNMAPPED
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_run
from orchestrator.storage.history_reads import fact_of, facts_of_run
from orchestrator.storage.run_reads import as_activity
from orchestrator.storage.tables import activities, history
from orchestrator.storage.views import ActivityRow


class TimeReads(Guarded):
    """Moments and durations, of which there may be many."""

    @of_run
    def put_off_tasks(self, run_key: int) -> list[str]:
        """The tasks of the run whose tries have waited without a worker."""
        query = select(_TASK_ID).where(history.c.run_key == run_key, history.c.type == ActivityDeferred.__name__)
        with reading(self._engine) as connection:
            return list(connection.execute(query.distinct()).scalars())

    @of_run
    def stored_of_tasks(
        self,
        run_key: int,
        task_ids: Collection[str],
        *,
        types: tuple[str, ...],
        first: int = UNMAPPED,
        last: int = UNMAPPED,
        limit: int = 5000,
    ) -> list[Fact]:
        """The last facts of some types about activities of these tasks, from ``first`` to ``last``."""
        number = func.coalesce(_number("count"), 1)
        query = facts_of_run(run_key, types).where(
            _TASK_ID.in_(task_ids), _MAP_INDEX.between(UNMAPPED, last), _MAP_INDEX + number > first
        )
        with reading(self._engine) as connection:
            found = connection.execute(query.order_by(history.c.seq.desc()).limit(limit))
            return [fact_of(row) for row in found][::-1]

    @of_run
    def instances(self, run_key: int, task_id: str, *, offset: int = 0, limit: int = 100) -> list[ActivityRow]:
        """The activities of a task that something is recorded of, by map_index."""
        query = select(activities).where(activities.c.run_key == run_key, activities.c.task_id == task_id)
        with reading(self._engine) as connection:
            found = connection.execute(query.order_by(activities.c.map_index).limit(limit).offset(offset or None))
            return [as_activity(row) for row in found]


class _Field(FunctionElement[Any]):
    """A field of a fact's body, as text; NULL where it is left out."""

    inherit_cache = True


@compiles(_Field)
def _arrow(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    body, field = (compiler.process(one, **options) for one in element.clauses)
    return f"(CAST({body} AS JSON) ->> {field})"


@compiles(_Field, "sqlite")
def _extract(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    body, field = (compiler.process(one, **options) for one in element.clauses)
    return f"json_extract({body}, '$.' || {field})"


def _field(name: str) -> ColumnElement[Any]:
    return _Field(history.c.body, bindparam(None, name, type_=Text, unique=True))


def _number(name: str) -> ColumnElement[Any]:
    return cast(_field(name), Integer)


_TASK_ID = _field("task_id")
_MAP_INDEX = func.coalesce(_number("map_index"), UNMAPPED)
