"""Crew: the worker processes of a local executor, as many as there is work for."""

import selectors
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from orchestrator.core.orders import Report
from orchestrator.exceptions import ConfigError
from orchestrator.executors.brood import Brood
from orchestrator.executors.flight import Flight
from orchestrator.executors.link import WorkerLink
from orchestrator.executors.nursery import Nursery
from orchestrator.processes.entry import Origin
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.wire import Beat, Hello

_GROWTH_PAUSE = 0.02  # seconds between one growth and the next, in which it is seen what the last one has brought


class Crew:
    """Between ``least`` and ``most`` warm workers, and any number of those that live for one order.

    ``window`` is how many orders a worker holds; ``idle_seconds`` how long one beyond ``least`` lives without work.
    Moments are seconds of the monotonic clock.
    """

    def __init__(
        self, settings: WorkerSettings, origin: Origin, *, least: int, most: int, window: int, idle_seconds: float
    ) -> None:
        self._log_folder = Path(settings.log_folder)
        self._least = least
        self._most = most
        self._window = window
        self._idle_seconds = idle_seconds
        self._selector = selectors.DefaultSelector()
        self._brood: Brood[WorkerLink] = Brood(Nursery(settings, origin), self._selector, "worker processes")
        self._warm: list[WorkerLink] = []

    @property
    def size(self) -> int:
        """How many worker processes stay for more than one attempt."""
        return len(self._warm)

    def start(self, now: float) -> None:
        """Start the workers that should always be there."""
        try:
            self._log_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the log folder {self._log_folder} cannot be made ({error.strerror}); give [logging] base_log_folder "
                f"a folder that this user may write to"
            ) from error
        self._brood.start()
        self.replenish(now)

    def stop(self) -> None:
        """End every process, by force."""
        self._brood.stop()
        self._warm.clear()
        self._selector.close()

    def fileno(self) -> int:
        """Turns readable when ``heard`` has something to tell."""
        return self._selector.fileno()

    # ── births ───────────────────────────────────────────────────────────────────────────────────────────

    def can_spawn(self, now: float) -> bool:
        """Whether another worker may be started, or the ones before it did so badly that it should wait."""
        return self._brood.can_bear(now)

    def spawn(self, now: float, *, alone: bool = False) -> WorkerLink:
        """A new worker; it can be sent orders at once."""
        link = WorkerLink(self._brood.next_number(), self._selector, self._log_folder, now, is_alone=alone)
        if not alone:
            self._warm.append(link)
        return self._brood.bear(link, once=alone)

    def replenish(self, now: float) -> None:
        """Replace workers that have ended, where there are too few."""
        if self.can_spawn(now):
            for _ in range(self._least - len(self._warm)):
                self.spawn(now)

    def grow(self, waiting: int, now: float) -> None:
        """Start more workers for orders that wait, if those that there are will not take them soon."""
        more = min(waiting, self._most - len(self._warm), max(1, len(self._warm)))
        if more > 0 and self.can_spawn(now) and all(link.is_taken_up(now) for link in self._warm):
            self._brood.spawn_at = now + _GROWTH_PAUSE
            for _ in range(more):
                self.spawn(now)

    def shrink(self, now: float) -> None:
        """Let those go that were idle for long and are too many."""
        idle = [link for link in self._warm if not link.sent and now - link.busy_since >= self._idle_seconds]
        for link in idle[: max(0, len(self._warm) - self._least)]:
            self._remove(link)

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
            yield self._brood.spawn_at
        yield from self._brood.moments()

    def _has_idle(self, now: float) -> bool:
        return any(link.pid and not link.sent and link.has_room(now) for link in self._warm)

    # ── news ─────────────────────────────────────────────────────────────────────────────────────────────

    def heard(self, now: float) -> Iterator[tuple[WorkerLink, list[Report | Beat]]]:
        """What workers have said since the last time."""
        for link in self._brood.talking(now):
            yield link, self.hear(link, now) or []

    def hear(self, link: WorkerLink, now: float) -> list[Report | Beat] | None:
        """What this worker has said since the last time; None if nothing."""
        words = link.hear(now)
        self._brood.heard(link, now)
        if words and not link.pid:
            hello = words.pop(0)
            assert isinstance(hello, Hello)
            link.pid = hello.pid
            self._brood.is_up()
        return cast("list[Report | Beat] | None", words)

    def gone(self, now: float) -> list[tuple[WorkerLink, int | None]]:
        """The workers that have ended, with their wait status, where it is known; each is told once."""
        return self._brood.gone(now)

    def bury(self, link: WorkerLink, now: float) -> None:
        """Forget a worker that has ended."""
        if not link.is_alone:
            self._warm.remove(link)
        self._brood.bury(link, now)

    def _remove(self, link: WorkerLink) -> None:
        self._warm.remove(link)
        self._brood.remove(link)
