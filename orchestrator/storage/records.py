"""Records: what people set, in tables of record; each change is one short transaction and one line of the audit."""

from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from orchestrator.core.rights import LOCAL, Principal, Right
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.ports import Clock
from orchestrator.storage.audit import note
from orchestrator.storage.catalog_reads import no_such_dag
from orchestrator.storage.database import reading, writing
from orchestrator.storage.guard import Guarded, of_dag, of_home, visible
from orchestrator.storage.pausing import set_paused
from orchestrator.storage.schema import DEFAULT_POOL
from orchestrator.storage.tables import dags, pools


class Records(Guarded):
    """Pause flags and pools. ``by`` is who asked, if that is told of a principal that is local."""

    def __init__(self, engine: Engine, clock: Clock, who: Principal = LOCAL) -> None:
        super().__init__(engine, who)
        self._clock = clock

    @of_dag.taking(Right.EDIT)
    def set_paused(self, dag_id: str, paused: bool, *, by: str) -> bool:
        """Pause or unpause a DAG; whether that changed anything. NotFoundError where there is no such DAG."""
        with writing(self._engine) as connection:
            changed = set_paused(connection, dag_id, paused, self._clock.now())
            if changed is None:
                raise no_such_dag(connection, dag_id, self._visible(dags.c.dag_id))
            if not changed:
                return False
            self._note(connection, "pause_dag" if paused else "unpause_dag", by, dag_id=dag_id)
            return True

    @of_home.taking(Right.EDIT)
    def set_pool(self, name: str, slots: int, description: str = "", *, by: str) -> None:
        """Make or change a pool; ``slots`` -1 means no limit."""
        if not name or slots < -1:
            raise UsageError(f"a pool needs a name and at least 0 slots, or -1 for no limit; not {name!r} with {slots}")
        values = {"slots": slots, "description": description}
        with writing(self._engine) as connection:
            if connection.execute(update(pools).where(pools.c.name == name).values(**values)).rowcount == 0:
                connection.execute(insert(pools).values(name=name, **values))
            self._note(connection, "set_pool", by, name=name, slots=slots)

    @of_home.taking(Right.EDIT)
    def delete_pool(self, name: str, *, by: str) -> None:
        """NotFoundError where there is none of that name; the default pool stays."""
        if name == DEFAULT_POOL:
            raise ConflictError(f"{DEFAULT_POOL} cannot be deleted, since tasks that name no pool run in it; resize it")
        with writing(self._engine) as connection:
            if connection.execute(delete(pools).where(pools.c.name == name)).rowcount == 0:
                known = connection.execute(select(pools.c.name)).scalars()
                raise NotFoundError(f"there is no pool {name!r}{did_you_mean(name, known)}")
            self._note(connection, "delete_pool", by, name=name)

    @visible
    def pool_slots(self, name: str) -> int:
        """How many slots a pool has; NotFoundError where there is none of that name."""
        with reading(self._engine) as connection:
            slots = connection.execute(select(pools.c.slots).where(pools.c.name == name)).scalar()
            if slots is None:
                known = connection.execute(select(pools.c.name)).scalars()
                raise NotFoundError(f"there is no pool {name!r}{did_you_mean(name, known)}")
            return int(slots)

    def _note(self, connection: Connection, action: str, by: str, **body: Any) -> None:
        note(connection, self._clock.now(), self._in_the_name_of(by), action, **body)
