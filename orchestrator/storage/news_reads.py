"""Questions about what has changed since somebody looked last."""

from collections import defaultdict

from sqlalchemy import select

from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, visible
from orchestrator.storage.tables import counters, dags, history, runs
from orchestrator.storage.views import RunChange, Standing

_STANDING = select(counters.c.name, counters.c.value).where(counters.c.name.in_(("position", "catalog")))
_FACTS = select(
    history.c.position, history.c.run_key, history.c.seq, history.c.type, runs.c.dag_id, runs.c.run_id
).join(runs, runs.c.run_key == history.c.run_key)


class NewsReads(Guarded):
    """What live pages ask, again and again."""

    @visible
    def standing(self) -> Standing:
        """How far everything has come; whoever has seen this has missed what is above."""
        with reading(self._engine) as connection:
            found = {row.name: row.value for row in connection.execute(_STANDING)}
        return Standing(position=found.get("position", 0), revision=found.get("catalog", 0))

    @visible
    def changes(self, after: int, until: int, *, limit: int = 10_000) -> list[RunChange] | None:
        """What runs had recorded above the position ``after`` up to ``until``, a change for each run, by position. None
        where it is more than ``limit`` facts."""
        query = _FACTS.where(history.c.position > after, history.c.position <= until, self._visible(runs.c.dag_id))
        with reading(self._engine) as connection:
            facts = connection.execute(query.order_by(history.c.position).limit(limit + 1)).all()
        if len(facts) > limit:
            return None
        of_run = defaultdict(list)
        for fact in facts:
            of_run[fact.run_key].append(fact)
        found = [
            RunChange(
                position=each[-1].position,
                run_key=run_key,
                dag_id=each[-1].dag_id,
                run_id=each[-1].run_id,
                seq=each[-1].seq,
                is_new=each[0].seq == 1,
                of_run=any(fact.type.startswith("Run") for fact in each),
                of_tasks=any(not fact.type.startswith("Run") for fact in each),
            )
            for run_key, each in of_run.items()
        ]
        return sorted(found, key=lambda change: change.position)

    @visible
    def changed_dags(self, after: int, until: int) -> list[str]:
        """The DAGs that were recorded, paused or unpaused above the revision ``after`` up to ``until``."""
        query = select(dags.c.dag_id).where(
            dags.c.revision > after, dags.c.revision <= until, self._visible(dags.c.dag_id)
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query.order_by(dags.c.dag_id)).scalars())
