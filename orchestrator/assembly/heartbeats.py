"""What activities said last of themselves, for those who look."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from orchestrator.assembly.home import Home
from orchestrator.core.orders import progress_path
from orchestrator.names import TaskState
from orchestrator.storage.views import ActivityRow
from orchestrator.worker.heartbeats import Heartbeats, LastBeat

Beats: TypeAlias = Mapping[tuple[str, int], LastBeat]

_DONE = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})


def last_beats(home: Home, run_key: int, activities: Iterable[ActivityRow]) -> Beats:
    """By task and map_index, of those of a run's activities that gave heartbeats and have not succeeded."""
    heartbeats = Heartbeats(home.config.logging.base_heartbeat_folder)
    places = heartbeats.of_run(run_key)
    found = {}
    for one in activities if places else ():
        place = progress_path(run_key, one.task_id, one.map_index, one.generation)
        if place in places and one.state not in _DONE and (beat := heartbeats.last(place)) is not None:
            found[one.task_id, one.map_index] = beat
    return found
