"""Crew: the worker processes of a local executor, as many as there is work for."""

import selectors
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import cast

from orchestrator.core.orders import Report
from orchestrator.exceptions import ConfigError, WorkerStartError
from orchestrator.executors.flight import Flight
from orchestrator.executors.link import WorkerLink
from orchestrator.executors.nursery import Nursery
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.wire import Hello

_DEATH_NEWS = 1.0  # seconds to wait for the zygote's word on a worker that has hung up
_MOST_STILLBIRTHS = 5
_BACK_OFF = 0.05  # seconds, doubled with each worker that ended before it was up
_GROWTH_PAUSE = 0.02  # seconds between one growth and the next, in which it is seen what the last one has brought


class Crew:
    """Between ``least`` and ``most`` warm workers, and any number of those that live for one order.

    ``window`` is how many orders a worker holds; ``idle_seconds`` how long one beyond ``least`` lives without work.
    Moments are seconds of the monotonic clock.
    """

    def __init__(self, settings: WorkerSettings, *, least: int, most: int, window: int, idle_seconds: float) -> None:
        self._nursery = Nursery(settings)
        self._log_folder = Path(settings.log_folder)
        self._least = least
        self._most = most
        self._window = window
        self._idle_seconds = idle_seconds
        self._selector = selectors.DefaultSelector()
        self._numbers = count(1)
        self._links: dict[int, WorkerLink] = {}
        self._warm: list[WorkerLink] = []
        self._statuses: dict[int, int] = {}
        self._hung_up: dict[int, float] = {}
        self._stillbirths = 0
        self._bereft: set[int] = set()  # not up yet when their zygote ended, which is no fault of theirs
        self._spawn_at = 0.0

    def start(self, now: float) -> None:
        """Start the workers that should always be there."""
        try:
            self._log_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the log folder {self._log_folder} cannot be made ({error.strerror}); give [logging] base_log_folder "
                f"a folder that this user may write to"
            ) from error
        self._watch_zygote()
        self.replenish(now)

    def stop(self) -> None:
        """End every process, by force."""
        for link in list(self._links.values()):
            link.kill()
            self._remove(link)
        self._nursery.stop()
        self._selector.close()

    def fileno(self) -> int:
        """Turns readable when ``heard`` has something to tell."""
        return self._selector.fileno()

    # ── births ───────────────────────────────────────────────────────────────────────────────────────────

    def can_spawn(self, now: float) -> bool:
        """Whether another worker may be started, or the ones before it did so badly that it should wait."""
        return now >= self._spawn_at

    def spawn(self, now: float, *, alone: bool = False) -> WorkerLink:
        """A new worker; it can be sent orders at once."""
        link = WorkerLink(next(self._numbers), self._selector, self._log_folder, now, is_alone=alone)
        self._links[link.number] = link
        if not alone:
            self._warm.append(link)
        # Where the zygote is gone, the link is hung up, and what was sent over it comes back.
        self._nursery.spawn(link.number, link.far_ends, once=alone)
        link.let_go()
        return link

    def replenish(self, now: float) -> None:
        """Replace workers that have ended, where there are too few."""
        if self.can_spawn(now):
            for _ in range(self._least - len(self._warm)):
                self.spawn(now)

    def grow(self, waiting: int, now: float) -> None:
        """Start more workers for orders that wait, if those that there are will not take them soon."""
        more = min(waiting, self._most - len(self._warm), max(1, len(self._warm)))
        if more > 0 and self.can_spawn(now) and all(link.is_taken_up(now) for link in self._warm):
            self._spawn_at = now + _GROWTH_PAUSE
            for _ in range(more):
                self.spawn(now)

    def shrink(self, now: float) -> None:
        """Let those go that were idle for long and are too many."""
        idle = [link for link in self._warm if not link.sent and now - link.busy_since >= self._idle_seconds]
        for link in idle[: max(0, len(self._warm) - self._least)]:
            self._remove(link)

    def _watch_zygote(self) -> None:
        self._selector.register(self._nursery.start(), selectors.EVENT_READ, None)

    # ── work ─────────────────────────────────────────────────────────────────────────────────────────────

    def with_room(self, now: float, code: str) -> WorkerLink | None:
        """The worker that would begin an order soonest; one that has the code at hand, among equals."""
        best, least = None, self._window << 1
        for link in self._warm:
            load = len(link.sent) << 1 | (code not in link.codes)
            if load < least and link.has_room(now):
                best, least = link, load
        return best

    def recall(self, now: float) -> list[Flight]:
        """The orders that would begin sooner elsewhere, taken back from where they wait."""
        idle = self._has_idle(now)
        return [flight for link in self._warm for flight in link.recall(now, others_idle=idle)]

    def next_due(self, waiting: int, since: float) -> float | None:
        """The first moment after ``since`` when a look might change something although no worker says a word."""
        moments = (moment for moment in self._moments(waiting, since) if moment > since)
        return min(moments, default=None)

    def _moments(self, waiting: int, since: float) -> Iterator[float]:
        idle = self._has_idle(since)
        for link in self._warm:
            yield from link.moments(waiting=waiting > 0, others_idle=idle)
            if not link.sent and len(self._warm) > self._least:
                yield link.busy_since + self._idle_seconds
        if waiting or len(self._warm) < self._least:
            yield self._spawn_at
        yield from (silent_since + _DEATH_NEWS for silent_since in self._hung_up.values())

    def _has_idle(self, now: float) -> bool:
        return any(link.pid and not link.sent and link.has_room(now) for link in self._warm)

    # ── news ─────────────────────────────────────────────────────────────────────────────────────────────

    def heard(self, now: float) -> Iterator[tuple[WorkerLink, list[Report]]]:
        """What workers have said since the last time."""
        for key, _ in self._selector.select(0):
            if key.data is None:
                self._hear_zygote(now)
            else:
                yield key.data, self.hear(key.data, now) or []

    def hear(self, link: WorkerLink, now: float) -> list[Report] | None:
        """What this worker has said since the last time; None if nothing."""
        words = link.hear(now)
        if link.has_ended:
            self._hung_up.setdefault(link.number, now)
        if words and not link.pid:
            hello = words.pop(0)
            assert isinstance(hello, Hello)
            link.pid = hello.pid
            self._stillbirths = 0
        return cast("list[Report] | None", words)

    def gone(self, now: float) -> list[tuple[WorkerLink, int | None]]:
        """The workers that have ended, with their wait status, where it is known; each is told once."""
        if not self._statuses and not self._hung_up:
            return []
        late = [number for number, since in self._hung_up.items() if now - since >= _DEATH_NEWS]
        found = {number: self._statuses.pop(number, None) for number in (*self._statuses, *late)}
        return [(self._links[number], status) for number, status in found.items() if number in self._links]

    def bury(self, link: WorkerLink, now: float) -> None:
        """Forget a worker that has ended."""
        is_bereft = link.number in self._bereft
        self._remove(link)
        if not link.pid and not is_bereft:
            self._stillborn(now)

    def _remove(self, link: WorkerLink) -> None:
        link.close()
        del self._links[link.number]
        self._hung_up.pop(link.number, None)
        self._bereft.discard(link.number)
        if not link.is_alone:
            self._warm.remove(link)

    def _hear_zygote(self, now: float) -> None:
        deaths = self._nursery.deaths()
        if deaths is not None:
            self._statuses.update((death.number, death.status) for death in deaths if death.number in self._links)
            return
        if not self._nursery.is_up:
            self._stillborn(now)
        self._bereft.update(number for number, link in self._links.items() if not link.pid)
        self._selector.unregister(self._nursery.file)
        self._watch_zygote()

    def _stillborn(self, now: float) -> None:
        self._stillbirths += 1
        if self._stillbirths >= _MOST_STILLBIRTHS:
            raise WorkerStartError(
                f"worker processes cannot be started: {self._stillbirths} ended before they were up; what they said "
                f"stands above, among the messages of the scheduler"
            )
        self._spawn_at = now + _BACK_OFF * 2**self._stillbirths
