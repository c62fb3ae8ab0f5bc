"""The dag processor's side of the zygote: hands out files to be parsed, and takes in what comes of them."""

import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from orchestrator.dagbag.frames import receive, send
from orchestrator.dagbag.jobs import Job, Outcome, Request
from orchestrator.exceptions import OrchestratorError
from orchestrator.ports import ParsedFile

_BOOT = """
import sys
sys.path.append(sys.argv[1])
from orchestrator.dagbag.zygote import main
main(*map(int, sys.argv[2:]))
"""
_PACKAGE_ROOT = str(Path(__file__).parents[2])
_BATCH = 32
_BATCH_SECONDS = 0.1
_STOP_SECONDS = 0.2
_TRIES = 2
_AHEAD = 4  # so that the zygote has work while what came of it is recorded


class Stop(Protocol):
    """What says that it is time to end; a ``threading.Event``, for one."""

    def is_set(self) -> bool: ...


class Parsed(NamedTuple):
    """What came of one job: the parsed file, or what became of the process; and the end of what it printed."""

    job: Job
    parsed: ParsedFile | None
    death: str
    output: str


class _Zygote:
    """A running zygote, and the jobs that it works on."""

    def __init__(self, parallel: int) -> None:
        self.connection, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, _PACKAGE_ROOT, str(theirs.fileno()), str(parallel)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                # The same file gives the same DAGs, also where it walks through a set.
                env={"PYTHONHASHSEED": "0", **os.environ},
            )

    def close(self) -> int:
        """It ends when its connection does, and its children with it; its exit status, below 0 for a signal."""
        self.connection.close()
        return self.process.wait()


class Parsers:
    """Parses ``parallel`` files at once. The zygote is started when there is work; ``close`` gives its memory back."""

    def __init__(self, parallel: int) -> None:
        self._parallel = parallel
        self._zygote: _Zygote | None = None
        self._ids = 0

    @property
    def is_open(self) -> bool:
        return self._zygote is not None

    def close(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def parse(self, jobs: Iterable[Job], stop: Stop) -> Iterator[list[Parsed]]:
        """What came of the jobs, in the order in which they end, some at a time. Ends early once ``stop`` is set."""
        waiting = deque((job, _TRIES) for job in jobs)
        working: dict[int, tuple[Job, int]] = {}
        try:
            while (waiting or working) and not stop.is_set():
                if batch := self._turn(waiting, working):
                    yield batch
        finally:
            if working:
                self.close()

    def _turn(self, waiting: deque[tuple[Job, int]], working: dict[int, tuple[Job, int]]) -> list[Parsed]:
        """One batch: everything that ends within a moment of the first."""
        batch: list[Parsed] = []
        ends_at = time.monotonic() + _STOP_SECONDS
        while (waiting or working) and len(batch) < _BATCH:
            try:
                self._hand_out(waiting, working)
                frame = self._next(ends_at)
            except (ConnectionError, EOFError):
                batch.extend(self._lost(waiting, working))
                continue
            if frame is None:
                break
            if not batch:
                ends_at = time.monotonic() + _BATCH_SECONDS
            batch.append(_parsed(*frame, working))
        return batch

    def _hand_out(self, waiting: deque[tuple[Job, int]], working: dict[int, tuple[Job, int]]) -> None:
        if self._zygote is None:
            self._zygote = _Zygote(self._parallel)
        while waiting and len(working) < self._parallel * _AHEAD:
            self._ids += 1
            working[self._ids] = waiting.popleft()
            send(self._zygote.connection, msgspec.json.encode(Request(id=self._ids, job=working[self._ids][0])))

    def _next(self, ends_at: float) -> tuple[Outcome, bytes] | None:
        """The next outcome, if one comes in time; EOFError if the zygote is gone."""
        assert self._zygote is not None
        connection = self._zygote.connection
        if not select.select([connection], [], [], max(0.0, ends_at - time.monotonic()))[0]:
            return None
        frame = receive(connection)
        if frame is None:
            raise EOFError
        return msgspec.json.decode(frame[0], type=Outcome), frame[1]

    def _lost(self, waiting: deque[tuple[Job, int]], working: dict[int, tuple[Job, int]]) -> Iterator[Parsed]:
        """The zygote has died: its jobs are tried once more, for it may not have been their fault."""
        assert self._zygote is not None
        status = self._zygote.close()
        self._zygote = None
        if status > 0:
            raise OrchestratorError(f"the process that parses DAG files cannot run: exit status {status}, see above")
        for job, tries in working.values():
            if tries > 1:
                waiting.append((job, tries - 1))
            else:
                yield Parsed(job, None, "the processes that parse DAG files were killed while they parsed this one", "")
        working.clear()


def _parsed(outcome: Outcome, body: bytes, working: dict[int, tuple[Job, int]]) -> Parsed:
    job, _ = working.pop(outcome.id)
    if outcome.death:
        return Parsed(job, None, outcome.death, outcome.output)
    try:
        return Parsed(job, msgspec.json.decode(body, type=ParsedFile), "", outcome.output)
    except msgspec.DecodeError as error:
        return Parsed(job, None, f"what the parse handed over cannot be read: {error}", outcome.output)
