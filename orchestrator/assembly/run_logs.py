"""RunLogs: what a run's code wrote, and what its activities said last, for whoever may see the run."""

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.line_index import LineIndex, LineIndexes
from orchestrator.assembly.line_window import LineWindow, from_byte, from_line, single_lines
from orchestrator.assembly.log_search import MOST_HITS, Found, Sought, search
from orchestrator.assembly.log_stream import LogStream
from orchestrator.core.orders import log_path, progress_path
from orchestrator.storage.guard import Guarded, of_run
from orchestrator.worker.blue.runlog import run_log
from orchestrator.worker.heartbeats import Heartbeats, LastBeat

MOST_AT_ONCE = 1024**2
_COUNTING = 0.04
_INDEXES = LineIndexes()


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
    """Reads files by the numbers of facts: no id becomes a path.

    A try that was put off in between has several logs: ``seqs`` are the facts of all, and they are read as one.
    """

    def __init__(self, home: Home) -> None:
        super().__init__(home.engine, home.who)
        self._folders = home.config.logging

    @of_run
    def piece(
        self, run_key: int, seq: int = 0, map_index: int = 0, *, offset: int = 0, limit: int = MOST_AT_ONCE
    ) -> Piece:
        """Of the log that the activity, or the callback, of the fact ``seq`` has; 0 is what a workflow's code wrote."""
        return self._piece([seq], run_key, map_index, offset, limit)

    @of_run
    def stretch(self, run_key: int, seqs: list[int], map_index: int, *, offset: int, limit: int) -> Piece:
        """Of the logs of a try, as one."""
        return self._piece(seqs, run_key, map_index, offset, limit)

    @of_run
    def sizes(self, run_key: int, seqs: list[int], map_index: int) -> list[int]:
        """How long each of them is, in bytes."""
        return self._stream(run_key, seqs, map_index).sizes

    @of_run
    def lines(
        self,
        run_key: int,
        seqs: list[int],
        map_index: int,
        *,
        line: int = 0,
        byte: int | None = None,
        count: int = 200,
        of: int | None = None,
    ) -> LineWindow:
        """``count`` lines from that number on, or from the byte on. Where so many are not counted yet, those that stand
        about there if there are ``of`` in all; each call counts some more.
        """
        stream, index = self._counted(run_key, seqs, map_index)
        if byte is not None:
            return from_byte(stream, index, byte, count)
        return from_line(stream, index, line, count, of)

    @of_run
    def single_lines(self, run_key: int, seqs: list[int], map_index: int, numbers: list[int]) -> LineWindow:
        """Lines that lie anywhere, in that order; up to the first that is not counted yet, or not there."""
        return single_lines(*self._counted(run_key, seqs, map_index), numbers)

    @of_run
    def search(
        self,
        run_key: int,
        seqs: list[int],
        map_index: int,
        *,
        sought: Sought,
        at: int = 0,
        line: int = 0,
        most: int = MOST_HITS,
    ) -> Found:
        """Look through the next stretch, from the byte ``at`` on, which is in that line."""
        paths = self._paths(run_key, seqs, map_index)
        return search(paths, LogStream(paths).size, sought, at, line, most)

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

    def _piece(self, seqs: list[int], run_key: int, map_index: int, offset: int, limit: int) -> Piece:
        stream = self._stream(run_key, seqs, map_index)
        return Piece(data=stream.read(offset, min(limit, MOST_AT_ONCE)), size=stream.size)

    def _counted(self, run_key: int, seqs: list[int], map_index: int) -> tuple[LogStream, LineIndex]:
        stream = self._stream(run_key, seqs, map_index)
        index = _INDEXES.of((self._folders.base_log_folder, run_key, *seqs[:1], map_index))
        index.go_on(stream, _COUNTING)
        return stream, index

    def _stream(self, run_key: int, seqs: list[int], map_index: int) -> LogStream:
        return LogStream(self._paths(run_key, seqs, map_index))

    def _paths(self, run_key: int, seqs: list[int], map_index: int) -> list[str]:
        """``seq`` 0 is what a workflow's code wrote."""
        folder = self._folders.base_log_folder
        places = (log_path(run_key, seq, map_index) if seq else run_log(run_key) for seq in seqs)
        return [str(folder / place) for place in places]
