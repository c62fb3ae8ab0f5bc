"""BlueCrew: the blue processes of a replayer, none while there is nothing for them."""

import selectors
from collections.abc import Iterator
from pathlib import Path

from orchestrator.exceptions import WorkerStartError
from orchestrator.executors.blue_link import BlueLink
from orchestrator.executors.brood import Brood
from orchestrator.executors.nursery import Nursery
from orchestrator.processes.interpreter import Interpreter
from orchestrator.worker.blue.settings import BlueSettings
from orchestrator.worker.blue.wire import FromBlue, Hello

_ZYGOTE = "orchestrator.worker.blue.zygote"
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}  # code that walks through a set takes the same way in each process
_PATIENCE = 0.02  # seconds after which a process has so much to do that there had better be another


class BlueCrew:
    """Up to ``most`` processes, each of which ends once it was idle for ``idle_seconds``.

    The zygote ends with the last. Moments are seconds of the monotonic clock.
    """

    def __init__(self, settings: BlueSettings, *, most: int, idle_seconds: float) -> None:
        self._log_folder = Path(settings.log_folder)
        self._most = most
        self._idle_seconds = idle_seconds
        self._selector = selectors.DefaultSelector()
        nursery = Nursery(settings, Interpreter(), _ZYGOTE, _ENVIRONMENT)
        self._brood: Brood[BlueLink] = Brood(nursery, self._selector, "processes for workflows")
        self.links: list[BlueLink] = []

    def stop(self) -> None:
        """End every process, by force."""
        self._brood.stop()
        self._selector.close()
        self.links.clear()

    def fileno(self) -> int:
        """Turns readable when ``heard`` has something to tell."""
        return self._selector.fileno()

    def choose(self, now: float) -> BlueLink | None:
        """The process that a run had best go to; None while none can be started."""
        links = [link for link in self.links if not link.has_ended and not link.is_spent]
        least = min(links, key=lambda link: (len(link.errands), len(link.runs)), default=None)
        is_taken_up = least is None or (least.errands and now - least.busy_since > _PATIENCE)
        if is_taken_up and len(self.links) < self._most and self._brood.can_bear(now):
            return self._spawn(now)
        return least

    def _spawn(self, now: float) -> BlueLink:
        try:
            self._log_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkerStartError(f"the log folder {self._log_folder} cannot be made: {error.strerror}") from error
        self._brood.start()
        link = BlueLink(self._brood.next_number(), self._selector, self._log_folder, now)
        self.links.append(link)
        return self._brood.bear(link)

    def shrink(self, now: float) -> list[BlueLink]:
        """Let those go that are spent, or were idle for long; they have nothing to answer."""
        gone = [link for link in self.links if not link.errands and (link.is_spent or self._idle_at(link) <= now)]
        for link in gone:
            self.links.remove(link)
            self._brood.remove(link)
        if gone and not self.links:
            self._brood.rest()
        return gone

    def moments(self, *, waiting: bool) -> Iterator[float]:
        """When something is to be looked at although no process says a word."""
        for link in self.links:
            yield link.next_look() if link.errands else self._idle_at(link)
        if waiting:
            yield self._brood.spawn_at
        yield from self._brood.moments()

    def _idle_at(self, link: BlueLink) -> float:
        return link.busy_since + self._idle_seconds

    def heard(self, now: float) -> Iterator[tuple[BlueLink, list[FromBlue]]]:
        """What the processes have said since the last time."""
        for link in self._brood.talking(now):
            words = link.hear(now)
            self._brood.heard(link, now)
            if words and not link.pid:
                hello = words.pop(0)
                assert isinstance(hello, Hello)
                link.pid = hello.pid
                self._brood.is_up()
            yield link, words

    def gone(self, now: float) -> list[tuple[BlueLink, int | None]]:
        """The processes that have ended, with their wait status, where it is known; each is told once."""
        return self._brood.gone(now)

    def bury(self, link: BlueLink, now: float) -> None:
        """Forget a process that has ended."""
        self.links.remove(link)
        self._brood.bury(link, now)
