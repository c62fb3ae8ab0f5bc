"""The dag processor's side of the zygote: hands out files to be parsed, and takes in what comes of them."""

import itertools
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from orchestrator.dagbag.asking import Answers, EnvironmentParseVault, ParseVault
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
_numbers = itertools.count(1)
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
    """A running zygote, and the door at which its children ask."""

    def __init__(self, parallel: int, vault: ParseVault) -> None:
        self.connection, theirs = socket.socketpair()
        door, knocker = socket.socketpair(type=socket.SOCK_DGRAM)
        self.answers = Answers(door, vault)
        with theirs, knocker:
            numbers = map(str, (theirs.fileno(), parallel, knocker.fileno()))
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, _PACKAGE_ROOT, *numbers],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), knocker.fileno()],
                start_new_session=True,
                # The same file gives the same DAGs, also where it walks through a set.
                env={"PYTHONHASHSEED": "0", **os.environ},
            )

    def close(self) -> int:
        """It ends when its connection does, and its children with it; its exit status, below 0 for a signal."""
        self.connection.close()
        self.answers.door.close()
        return self.process.wait()


class _Round:
    """The jobs of one call of ``parse``: those that wait, and those that the zygote has, by id.

    When the zygote dies, each job that it had is a suspect. Suspects come last, one at a time: the one that is alone
    when the zygote dies again is the one that kills it.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._waiting = deque(jobs)
        self._suspects: deque[Job] = deque()
        self._working: dict[int, Job] = {}
        self._is_trial = False

    def add(self, jobs: Iterable[Job]) -> None:
        self._waiting.extend(jobs)

    @property
    def is_over(self) -> bool:
        return not (self._waiting or self._suspects or self._working)

    @property
    def is_under_way(self) -> bool:
        return bool(self._working)

    def requests(self, most: int) -> Iterator[Request]:
        """What the zygote is to be given now, so that it has at most so many."""
        while self._waiting and len(self._working) < most:
            yield self._hand_out(self._waiting.popleft())
        if self._suspects and not self._working:
            self._is_trial = True
            yield self._hand_out(self._suspects.popleft())

    def _hand_out(self, job: Job) -> Request:
        number = next(_numbers)
        self._working[number] = job
        return Request(id=number, job=job)

    def take(self, outcome: Outcome, body: bytes) -> Parsed:
        job = self._working.pop(outcome.id)
        if outcome.death:
            return Parsed(job, None, outcome.death, outcome.output)
        try:
            return Parsed(job, msgspec.json.decode(body, type=ParsedFile), "", outcome.output)
        except msgspec.DecodeError as error:
            return Parsed(job, None, f"what the parse handed over cannot be read: {error}", outcome.output)

    def lose(self) -> list[Parsed]:
        """The zygote has died; what is certain of its jobs."""
        lost = list(self._working.values())
        self._working.clear()
        if self._is_trial:
            return [Parsed(job, None, "the file kills the processes that parse DAG files", "") for job in lost]
        self._suspects.extend(lost)
        return []


class Parsers:
    """Parses ``parallel`` files at once. The zygote is started when there is work; ``close`` gives its memory back.

    What the files ask for of variables and connections is answered from ``vault``, while results are waited for.
    """

    def __init__(self, parallel: int, vault: ParseVault | None = None) -> None:
        self._parallel = parallel
        self._vault = vault or EnvironmentParseVault()
        self._zygote: _Zygote | None = None

    def close(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def parse(
        self, jobs: Iterable[Job], stop: Stop, more: Callable[[], Iterable[Job]] = tuple
    ) -> Iterator[list[Parsed]]:
        """What came of the jobs, in the order in which they end, some at a time. Ends early once ``stop`` is set.

        While nothing ends for a moment, ``more`` is asked for other jobs to begin meanwhile.
        """
        work = _Round(jobs)
        try:
            while not work.is_over and not stop.is_set():
                if batch := self._batch(work):
                    yield batch
                else:
                    work.add(more())
        finally:
            if work.is_under_way:
                self.close()

    def _batch(self, work: _Round) -> list[Parsed]:
        """Everything that ends within a moment of the first; nothing if that takes long."""
        batch: list[Parsed] = []
        ends_at = time.monotonic() + _STOP_SECONDS
        while not work.is_over and len(batch) < _BATCH:
            try:
                frame = self._exchange(work, ends_at)
            except (ConnectionError, EOFError):
                self._bury()
                batch.extend(work.lose())
                continue
            if frame is None:
                break
            if not batch:
                ends_at = time.monotonic() + _BATCH_SECONDS
            batch.append(work.take(*frame))
        return batch

    def _exchange(self, work: _Round, ends_at: float) -> tuple[Outcome, bytes] | None:
        """Hand out work; the next outcome, if one comes in time. EOFError or ConnectionError if the zygote is gone."""
        if self._zygote is None:
            self._zygote = _Zygote(self._parallel, self._vault)
        connection = self._zygote.connection
        for request in work.requests(self._parallel * _AHEAD):
            send(connection, msgspec.json.encode(request))
        if not self._answered_until(connection, ends_at):
            return None
        frame = receive(connection)
        if frame is None:
            raise EOFError
        return msgspec.json.decode(frame[0], type=Outcome), frame[1]

    def _answered_until(self, connection: socket.socket, ends_at: float) -> bool:
        """Answer questions until the zygote has something to say; False if the time is up before."""
        assert self._zygote is not None
        answers = self._zygote.answers
        while True:
            ready = select.select([connection, answers.door], [], [], max(0.0, ends_at - time.monotonic()))[0]
            if answers.door in ready:
                answers.give()
            if connection in ready or not ready:
                return bool(ready)

    def _bury(self) -> None:
        """The zygote has died; OrchestratorError unless it was killed, for another would die as well."""
        assert self._zygote is not None
        status = self._zygote.close()
        self._zygote = None
        if status > 0:
            raise OrchestratorError(
                f"the process that parses DAG files ended with exit status {status}; what it said stands above"
            )
