"""Feed: the facts of all runs in the order in which they were committed, and how far each reader of them has come."""

from typing import NamedTuple

from sqlalchemy import Engine, func, insert, select, update

from orchestrator.core.events import Recorded
from orchestrator.storage.database import reading, writing
from orchestrator.storage.history import recorded
from orchestrator.storage.tables import counters, history

_FACTS = select(
    history.c.position,
    history.c.run_key,
    history.c.seq,
    history.c.at,
    history.c.type,
    history.c.version,
    history.c.body,
).order_by(history.c.position)


class FedFact(NamedTuple):
    """A fact, the run that it is of, and its place among those of all runs."""

    position: int
    run_key: int
    fact: Recorded


class Feed:
    """``reader`` is the name under which it is remembered how far one has come."""

    def __init__(self, engine: Engine, reader: str) -> None:
        self._engine = engine
        self._name = f"listener:{reader}"

    def after(self, position: int, limit: int) -> list[FedFact]:
        """Up to ``limit`` facts that were committed after ``position``, in order."""
        with reading(self._engine) as connection:
            rows = connection.execute(_FACTS.where(history.c.position > position).limit(limit))
            return [FedFact(row[0], row[1], recorded(*row[2:])) for row in rows]

    def begin(self) -> int:
        """The position up to which the reader has heard everything; at its first time, of whatever there is now."""
        with writing(self._engine) as connection:
            found = connection.execute(select(counters.c.value).where(counters.c.name == self._name)).scalar()
            if found is None:
                found = connection.execute(select(func.max(history.c.position))).scalar() or 0
                connection.execute(insert(counters).values(name=self._name, value=found))
            return int(found)

    def heard(self, position: int) -> None:
        """The reader has dealt with everything up to there; durable when this returns."""
        with writing(self._engine) as connection:
            connection.execute(update(counters).where(counters.c.name == self._name).values(value=position))
