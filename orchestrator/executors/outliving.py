"""OutlivingExecutor: runs each attempt in a process of its own, which goes on when the scheduler does not."""

import contextlib
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.core.orders import Completed, Failed, Lost, Order, Report, Skipped, Started, TakenBack
from orchestrator.core.particulars import Failure
from orchestrator.executors.deadlines import Deadlines
from orchestrator.executors.leftovers import Leftovers
from orchestrator.names import AttemptKey, FailureKind
from orchestrator.ports import Adoption, Clock
from orchestrator.worker.desk import Claim, Desk, Job
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.wire import Cancel

_LOOK_SECONDS = 1.0  # between two looks for processes that ended without a word
_SETTLED_SECONDS = 60.0  # for which a report is kept, in case the scheduler dies before it has recorded it
_PROGRAM = "import sys; sys.path[:] = sys.argv[4:]; from orchestrator.worker.detached import main; main()"
_TAKEN = Claim(0)


class Attempt:
    """An attempt that is open here. ``process`` is None where an earlier scheduler started it."""

    def __init__(self, key: AttemptKey, desk: Desk, process: subprocess.Popen[bytes] | None) -> None:
        self.key = key
        self.desk = desk
        self.process = process
        self.claim: Claim | None = None
        self.ending: Cancel | None = None

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it has started, if it lives."""
        if self.claim is not None and self.claim.pid and self.desk.is_held():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.claim.pid, number)

    def reap(self) -> None:
        """Collect the process: it has ended, or nothing of it is wanted any more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def has_ended(self) -> bool:
        """Whether the process is known to be gone."""
        return self.process is not None and self.process.poll() is not None


class OutlivingExecutor:
    """Business with each process goes over a folder below ``folder``, where a later scheduler finds it again.

    A start costs some 300 ms, so it is for bodies that run for minutes or hours. ``cleanup_time`` is what an attempt
    has between being told to end and being killed.
    """

    def __init__(
        self,
        folder: Path,
        settings: WorkerSettings,
        clock: Clock,
        *,
        cleanup_time: timedelta = timedelta(seconds=5),
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._cleanup_seconds = cleanup_time.total_seconds()
        self._open: dict[AttemptKey, Attempt] = {}
        self._kills: Deadlines[AttemptKey] = Deadlines(self._open.__contains__)
        self._settled: deque[tuple[float, Desk]] = deque()
        self._leftovers = Leftovers(Heartbeats(Path(settings.heartbeat_folder)))
        self._said: list[Report] = []
        self._look_at = 0.0
        self._bell = -1

    @property
    def _bell_path(self) -> Path:
        return self._folder / "bell"

    def start(self) -> None:
        """Open the bell that processes ring, those of an earlier scheduler as well."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._bell_path, 0o600)
        self._bell = os.open(self._bell_path, os.O_RDWR | os.O_NONBLOCK)

    def submit(self, orders: Sequence[Order]) -> None:
        for order in orders:
            desk = Desk.of(order.key, self._folder)
            self._vacate(desk)
            desk.open(Job(order, self._settings))
            command = [sys.executable, "-P", "-c", _PROGRAM, str(desk.folder), str(self._bell_path)]
            process = subprocess.Popen(
                [*command, str(self._cleanup_seconds), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._open[order.key] = Attempt(order.key, desk, process)

    def _vacate(self, desk: Desk) -> None:
        """What lies there is of the same attempt before it was deferred; that is recorded, since it goes on."""
        if desk.folder.exists():
            self._settled = deque(one for one in self._settled if one[1].folder != desk.folder)
            shutil.rmtree(desk.folder, ignore_errors=True)

    def go(self, keys: Sequence[AttemptKey]) -> None:
        for attempt in self._known(keys):
            attempt.desk.say_go()

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        """Interrupt these; a process that does not heed it is killed."""
        self.take_back(keys)
        for attempt in self._known(keys):
            self._end(attempt)

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        """Give back what has not begun."""
        for attempt in self._known(keys):
            if attempt.desk.claim(_TAKEN):
                self._close(attempt, TakenBack(key=attempt.key, at=self._clock.now()))
            elif self._waits_for_go(attempt):
                self._end(attempt)

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        """Find these again; whatever else lies there is of attempts that have been recorded, and goes."""
        found = {key: self._adopt(key, Desk.of(key, self._folder)) for key in keys}
        mine = {Desk.of(key, self._folder).folder for key in keys} | {one.desk.folder for one in self._open.values()}
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder not in mine and not Desk(folder).is_held():
                shutil.rmtree(folder, ignore_errors=True)
        return found

    def reports(self) -> list[Report]:
        now = time.monotonic()
        if self._heard_bell() or now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            for attempt in list(self._open.values()):
                self._look(attempt)
        for attempt in self._known(self._kills.due(now)):
            attempt.kill(signal.SIGKILL)
            self._look_at = now
        self._leftovers.clear(now)
        while self._settled and self._settled[0][0] <= now:
            self._settled.popleft()[1].clear()
        said, self._said = self._said, []
        return said

    def files(self) -> Sequence[int]:
        return (self._bell,)

    def next_due(self) -> datetime | None:
        """At the next look for processes that ended without a word."""
        if self._said:
            return self._clock.now()
        look = self._look_at if self._open else math.inf
        settled = self._settled[0][0] if self._settled else math.inf
        due = min(look, settled, self._kills.next() or math.inf)
        if due == math.inf:
            return None
        return self._clock.now() + timedelta(seconds=max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """End everything that runs, by force."""
        for attempt in self._open.values():
            if not attempt.desk.claim(_TAKEN):
                attempt.claim = attempt.desk.claimed()
                attempt.kill(signal.SIGKILL)
            attempt.reap()
        self._open.clear()
        if self._bell >= 0:
            os.close(self._bell)
            self._bell = -1

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────

    def _known(self, keys: Sequence[AttemptKey]) -> Iterator[Attempt]:
        return (self._open[key] for key in keys if key in self._open)

    def _heard_bell(self) -> bool:
        heard = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._bell, 4096):
                heard = True
        return heard

    def _look(self, attempt: Attempt) -> None:
        """Say what is new about an attempt."""
        # In this order: a process reports before it lets go of its lock, and claims before it reports.
        is_held = attempt.desk.is_held()
        report = attempt.desk.reported()
        if attempt.claim is None:
            attempt.claim = attempt.desk.claimed()
            if attempt.claim is not None:
                self._said.append(Started(key=attempt.key, at=self._clock.now(), worker=attempt.claim.worker))
        if report is not None:
            self._close(attempt, report)
        elif attempt.claim is not None and not is_held:
            self._close(attempt, self._lost(attempt, attempt.claim))
        elif attempt.claim is None and attempt.has_ended and attempt.desk.claim(_TAKEN):
            reason = "its process ended before the body began"
            self._close(attempt, Lost(key=attempt.key, at=self._clock.now(), reason=reason, started=False))

    def _lost(self, attempt: Attempt, claim: Claim) -> Report:
        at = self._clock.now()
        if attempt.ending is not None:
            failure = Failure(message=attempt.ending.message)
            return Failed(key=attempt.key, at=at, kind=attempt.ending.kind, failure=failure)
        return Lost(key=attempt.key, at=at, reason=f"its process {claim.pid} is gone")

    def _close(self, attempt: Attempt, report: Report) -> None:
        self._said.append(report)
        job = attempt.desk.job()
        if job is not None and isinstance(report, (Completed, Skipped)):
            self._leftovers.add(job.order.progress, time.monotonic())
        del self._open[attempt.key]
        self._settled.append((time.monotonic() + _SETTLED_SECONDS, attempt.desk))
        attempt.reap()

    def _end(self, attempt: Attempt) -> None:
        if attempt.ending is None:
            attempt.claim = attempt.claim or attempt.desk.claimed()
            attempt.ending = Cancel(key=attempt.key, kind=FailureKind.CANCELLED, message="it was cancelled")
            attempt.desk.cancel(attempt.ending)
            attempt.kill(signal.SIGTERM)
            self._kills.add(time.monotonic() + self._cleanup_seconds + 1.0, attempt.key)

    def _waits_for_go(self, attempt: Attempt) -> bool:
        job = attempt.desk.job()
        return job is not None and job.order.delivery == "at_most_once" and not attempt.desk.has_go()

    def _adopt(self, key: AttemptKey, desk: Desk) -> Adoption:
        if desk.job() is None:
            return Adoption.NOT_STARTED
        is_held = desk.is_held()
        if desk.reported() is None:
            if desk.claim(_TAKEN) or desk.claimed() == _TAKEN:
                return Adoption.NOT_STARTED
            if not is_held and not desk.is_held() and desk.reported() is None:
                return Adoption.LOST
        self._open[key] = attempt = Attempt(key, desk, None)
        attempt.ending = desk.cancelled()
        self._look_at = 0.0
        return Adoption.RUNNING
