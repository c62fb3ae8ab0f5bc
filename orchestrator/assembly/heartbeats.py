"""What activities said last of themselves, for those who look."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import Beating, RunLogs
from orchestrator.names import TaskState
from orchestrator.storage.views import ActivityRow
from orchestrator.worker.heartbeats import LastBeat

Beats: TypeAlias = Mapping[tuple[str, int], LastBeat]

_DONE = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})


def last_beats(home: Home, run_key: int, activities: Iterable[ActivityRow]) -> Beats:
    """By task and map_index, of those of a run's activities that gave heartbeats and have not succeeded."""
    logs = home.part(RunLogs)
    if not run_key or not logs.has_beats(run_key):
        return {}
    places = [
        Beating(task_id=one.task_id, map_index=one.map_index, generation=one.generation)
        for one in activities
        if one.state not in _DONE
    ]
    beats = zip(places, logs.beats(run_key, places), strict=True)
    return {(place.task_id, place.map_index): beat for place, beat in beats if beat is not None}
