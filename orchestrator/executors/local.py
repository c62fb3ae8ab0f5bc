"""LocalExecutor: runs activities in worker processes on this machine."""

import math
import os
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.core.orders import Completed, Failed, Lost, Order, Report, Skipped, Started, TakenBack
from orchestrator.core.particulars import Failure
from orchestrator.executors.crew import Crew
from orchestrator.executors.deadlines import Deadlines
from orchestrator.executors.epitaph import epitaph, write_epitaph
from orchestrator.executors.flight import Flight
from orchestrator.executors.leftovers import Leftovers
from orchestrator.executors.limits import Limits
from orchestrator.executors.link import WorkerLink
from orchestrator.names import AttemptKey, FailureKind, Isolation
from orchestrator.ports import Adoption, Clock
from orchestrator.processes.entry import Origin
from orchestrator.processes.interpreter import Interpreter
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.wire import Beat, Cancel, Go, Release

_MOST_DEATHS = 3  # workers that may die while they load the code of one order
_CANCELLED = "it was cancelled while it ran"


class LocalExecutor:
    """Warm workers, each with a window of orders; what has not begun is taken back wherever it would have to wait.

    It begins with ``workers`` processes (one for each CPU, unless given) and grows to ``parallelism`` while bodies are
    long. ``cleanup_time`` is what an attempt has between being told to end and being killed. The zygote of its workers
    comes from ``origin``, a new interpreter unless given.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        clock: Clock,
        *,
        workers: int | None = None,
        parallelism: int = 32,
        window: int = 16,
        idle_time: timedelta = timedelta(seconds=60),
        cleanup_time: timedelta = timedelta(seconds=5),
        origin: Origin | None = None,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._cleanup_seconds = cleanup_time.total_seconds()
        self._crew = Crew(
            settings,
            origin or Interpreter(),
            least=min(workers or os.cpu_count() or 1, parallelism),
            most=parallelism,
            window=window,
            idle_seconds=idle_time.total_seconds(),
        )
        self._flights: dict[AttemptKey, Flight] = {}
        self._carriers: dict[AttemptKey, WorkerLink] = {}
        self._waiting: deque[Flight] = deque()
        self._waiting_alone: deque[Flight] = deque()
        heartbeats = Heartbeats(Path(settings.heartbeat_folder))
        self._limits = Limits(self._flights, heartbeats)
        self._leftovers = Leftovers(heartbeats)
        self._kills: Deadlines[AttemptKey] = Deadlines(self._carriers.__contains__)
        self._said: list[Report] = []
        self._looked_at = 0.0

    def facts(self) -> dict[str, str | int]:
        """What it says of itself to those who look: how many processes there are, and attempts in hand."""
        return {"executor": "LocalExecutor", "processes": self._crew.size, "attempts": len(self._flights)}

    # ── the port ─────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start the workers; they come up while the scheduler goes on."""
        self._crew.start(time.monotonic())

    def submit(self, orders: Sequence[Order]) -> None:
        """Give each order to the worker that would begin it soonest, or keep it until one would; each key once."""
        for order in orders:
            if order.key in self._flights:
                continue
            flight = self._flights[order.key] = Flight(order)
            self._queue_of(flight).append(flight)
        self._hand_out(time.monotonic())

    def go(self, keys: Sequence[AttemptKey]) -> None:
        """Let at_most_once bodies begin whose start is committed."""
        now = time.monotonic()
        for key in keys:
            flight, link = self._flights.get(key), self._carriers.get(key)
            if flight is not None and link is not None and flight.has_begun and flight.ending is None:
                flight.may_run = True
                self._limits.watch(flight, now)
                link.tell(Go(key=key))

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        """End these: what waits is given back, what runs is interrupted and, if it does not heed that, killed."""
        self.take_back(keys)
        now = time.monotonic()
        for key in keys:
            flight = self._flights.get(key)
            if flight is not None:
                self._end(flight, Cancel(key=key, kind=FailureKind.CANCELLED, message=_CANCELLED), now)

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        """Give back what has not begun."""
        wanted = [self._flights[key] for key in keys if key in self._flights]
        links = {self._carriers[flight.key] for flight in wanted if flight.key in self._carriers}
        unclaimed = [flight for link in links for flight in link.take_back()]
        self._requeue(unclaimed)
        self._give_back({flight.key for flight in wanted} - self._carriers.keys())
        for flight in wanted:
            link = self._carriers.get(flight.key)
            if link is not None and flight.has_begun and not flight.may_run:
                link.tell(Release(key=flight.key))
        if unclaimed:
            self._hand_out(time.monotonic())

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        """What an earlier scheduler handed out is lost: its workers ended with it."""
        return {key: Adoption.RUNNING if key in self._flights else Adoption.LOST for key in keys}

    def reports(self) -> list[Report]:
        """What happened since the last call; also the moment at which orders are moved and time-outs enforced."""
        now = self._looked_at = time.monotonic()
        for link, words in self._crew.heard(now):
            self._take_in(link, words, now)
        for link, status in self._crew.gone(now):
            self._bury(link, status, now)
        self._enforce(now)
        self._requeue(self._crew.recall(now))
        self._hand_out(now)
        self._crew.shrink(now)
        self._crew.replenish(now)
        self._leftovers.clear(now)
        said, self._said = self._said, []
        return said

    def files(self) -> Sequence[int]:
        """One descriptor that stands for all workers."""
        return (self._crew.fileno(),)

    def next_due(self) -> datetime | None:
        """When a time-out, or a body that proves long, wants looking at."""
        if self._said:
            return self._clock.now()
        waiting = len(self._waiting) + len(self._waiting_alone)
        moments = (self._limits.next(), self._kills.next(), self._crew.next_due(waiting, self._looked_at))
        due = min((moment for moment in moments if moment is not None), default=math.inf)
        if due == math.inf:
            return None
        return self._clock.now() + timedelta(seconds=max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """End every worker and all that it has started, by force."""
        self._crew.stop()
        self._flights.clear()
        self._carriers.clear()
        self._waiting.clear()
        self._waiting_alone.clear()

    # ── orders on their way ──────────────────────────────────────────────────────────────────────────────

    def _queue_of(self, flight: Flight) -> deque[Flight]:
        return self._waiting_alone if flight.order.isolation is Isolation.FORK else self._waiting

    def _hand_out(self, now: float) -> None:
        """Send what waits to workers that would begin it soon."""
        while self._waiting:
            flight = self._waiting[0]
            link = self._crew.with_room(now, flight.order.code)
            if link is None or not link.send(flight, now):
                break
            self._carriers[flight.key] = link
            self._waiting.popleft()
        if self._waiting:
            self._crew.grow(len(self._waiting), now)
        while self._waiting_alone and self._crew.can_spawn(now):
            flight = self._waiting_alone.popleft()
            link = self._crew.spawn(now, alone=True)
            link.send(flight, now)
            self._carriers[flight.key] = link

    def _requeue(self, flights: Sequence[Flight]) -> None:
        """Put what workers have not claimed back to the front of what waits."""
        for flight in reversed(flights):
            self._carriers.pop(flight.key, None)
            self._queue_of(flight).appendleft(flight)

    def _give_back(self, keys: set[AttemptKey]) -> None:
        """Report those of the waiting that are wanted back."""
        if not keys:
            return
        for queue in (self._waiting, self._waiting_alone):
            back = [flight for flight in queue if flight.key in keys]
            kept = [flight for flight in queue if flight.key not in keys]
            queue.clear()
            queue.extend(kept)
            for flight in back:
                del self._flights[flight.key]
                self._said.append(TakenBack(key=flight.key, at=self._clock.now()))

    # ── what workers say ─────────────────────────────────────────────────────────────────────────────────

    def _take_in(self, link: WorkerLink, words: Iterable[Report | Beat], now: float) -> None:
        flights, carriers, said = self._flights, self._carriers, self._said
        for report in words:
            if type(report) is Started:
                flight = flights[report.key]
                link.begun(flight)
                if flight.is_limited and flight.may_run:
                    self._limits.watch(flight, now)
            elif isinstance(report, Beat):
                flight = flights[report.key]
                flight.alive_at, flight.has_progress = now, True
                continue
            else:
                flight = flights.pop(report.key)
                link.ended(flight)
                del carriers[report.key]
                if flight.has_progress and isinstance(report, (Completed, Skipped)):
                    self._leftovers.add(flight.order.progress, now)
            said.append(report)

    def _enforce(self, now: float) -> None:
        """Interrupt what has run or been silent for too long; kill what has not heeded being interrupted."""
        for cancel in self._limits.due(now):
            self._end(self._flights[cancel.key], cancel, now)
        for key in self._kills.due(now):
            self._carriers[key].kill()

    def _end(self, flight: Flight, cancel: Cancel, now: float) -> None:
        link = self._carriers.get(flight.key)
        if link is None or flight.ending is not None:
            return
        flight.ending = cancel
        link.tell(cancel)
        self._kills.add(now + self._cleanup_seconds, flight.key)

    # ── workers that end ─────────────────────────────────────────────────────────────────────────────────

    def _bury(self, link: WorkerLink, status: int | None, now: float) -> None:
        """Take in a dead worker's last words; say what became of the order that it held, and hand the others on."""
        while (words := self._crew.hear(link, now)) is not None:
            self._take_in(link, words, now)
        unclaimed = link.take_back()
        held = list(link.sent.values())
        for flight in held:
            self._account_for(flight, link, status)
        self._requeue(unclaimed)
        self._crew.bury(link, now)

    def _account_for(self, flight: Flight, link: WorkerLink, status: int | None) -> None:
        """What to say of the order that a worker held when it died."""
        why = epitaph(link.pid, status)
        report = self._verdict(flight, why)
        if report is None:
            flight.deaths += 1
            self._requeue([flight])
            return
        write_epitaph(self._settings, flight.order, link, report)
        del self._flights[flight.key]
        del self._carriers[flight.key]
        self._said.append(report)

    def _verdict(self, flight: Flight, why: str) -> Failed | Lost | TakenBack | None:
        """None: the body certainly never began, and another worker shall have it."""
        at, key = self._clock.now(), flight.key
        if flight.ending is not None and not flight.is_running:
            return TakenBack(key=key, at=at)
        if flight.ending is not None:
            return Failed(key=key, at=at, kind=flight.ending.kind, failure=Failure(message=flight.ending.message))
        if flight.has_begun:
            return Lost(key=key, at=at, reason=why, started=flight.is_running)
        if flight.deaths + 1 < _MOST_DEATHS:
            return None
        message = f"{_MOST_DEATHS} workers died while they loaded {flight.order.file}; the last time {why}"
        return Failed(key=key, at=at, kind=FailureKind.LOADING, failure=Failure(message=message))
