"""RunLogs: what a run's code wrote, and what its activities said last, for whoever may see the run."""

import contextlib
import os
from pathlib import Path

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.orders import log_path, progress_path
from orchestrator.storage.guard import Guarded, of_run
from orchestrator.worker.blue.runlog import run_log
from orchestrator.worker.heartbeats import Heartbeats, LastBeat

MOST_AT_ONCE = 1024**2


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a log, and how many bytes the whole has by now; none of either where nothing was written."""

    data: bytes
    size: int


class Beating(msgspec.Struct, frozen=True, kw_only=True):
    """An activity of a run, as its heartbeats are kept."""

    task_id: str
    map_index: int
    generation: int


class RunLogs(Guarded):
    """Reads files by the numbers of facts: no id becomes a path."""

    def __init__(self, home: Home) -> None:
        super().__init__(home.engine, home.who)
        self._folders = home.config.logging

    @of_run
    def piece(
        self, run_key: int, seq: int = 0, map_index: int = 0, *, offset: int = 0, limit: int = MOST_AT_ONCE
    ) -> Piece:
        """Of the log that the activity, or the callback, of the fact ``seq`` has; 0 is what a workflow's code wrote."""
        place = run_log(run_key) if seq == 0 else log_path(run_key, seq, map_index)
        return _piece(self._folders.base_log_folder / place, offset, min(limit, MOST_AT_ONCE))

    @of_run
    def beats(self, run_key: int, activities: list[Beating]) -> list[LastBeat | None]:
        """What each of these said last; None where nothing is kept of it."""
        heartbeats = Heartbeats(self._folders.base_heartbeat_folder)
        places = heartbeats.of_run(run_key)
        found: list[LastBeat | None] = []
        for one in activities:
            place = progress_path(run_key, one.task_id, one.map_index, one.generation)
            found.append(heartbeats.last(place) if place in places else None)
        return found

    @of_run
    def has_beats(self, run_key: int) -> bool:
        """Whether anything is kept of the run's activities."""
        return bool(Heartbeats(self._folders.base_heartbeat_folder).of_run(run_key))


def _piece(path: Path, offset: int, limit: int) -> Piece:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(offset)
        return Piece(data=file.read(limit), size=size)
    return Piece(data=b"", size=0)
