"""The attempts of an activity, told by the facts about it."""

from orchestrator.assembly.home import Home
from orchestrator.core.tries import Try, tries_of
from orchestrator.storage.facts import told
from orchestrator.storage.views import ActivityRow

_MOST_FACTS = 2_000


def tries(home: Home, row: ActivityRow) -> list[Try]:
    """The oldest first; of very many, the last ones. None where it was never handed out."""
    if not row.run_key or not row.attempt:
        return []
    facts = home.reads.facts_about(row.run_key, row.task_id, row.map_index, limit=_MOST_FACTS)
    return tries_of(map(told, facts), row.task_id, row.map_index)
