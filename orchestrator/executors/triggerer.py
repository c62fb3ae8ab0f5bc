"""LocalTriggerer: runs triggers in processes on this machine."""

import contextlib
import selectors
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from orchestrator.core.orders import Fired
from orchestrator.core.waits import Dropped, Ticket, Wait
from orchestrator.exceptions import WorkerStartError
from orchestrator.executors.brood import Brood
from orchestrator.executors.epitaph import epitaph
from orchestrator.executors.nursery import Nursery
from orchestrator.executors.trigger_link import TriggerLink
from orchestrator.ports import Clock
from orchestrator.processes.entry import Origin
from orchestrator.processes.interpreter import Interpreter
from orchestrator.worker.triggers.settings import TriggererSettings
from orchestrator.worker.triggers.wire import FromTriggers, Hello, Told

_ZYGOTE = "orchestrator.worker.triggers.zygote"
_SETTLED = 10.0  # seconds after which the death of a process says nothing about the next one
_PAUSE, _LONGEST_PAUSE = 0.1, 30.0  # seconds before a process is started in place of one that has died


class LocalTriggerer:
    """Processes of ``capacity`` triggers each, and none while there is nothing to wait for.

    Triggers of installed packages share them; those whose classes are in a version's own code have processes that hold
    that version. One that has nothing to do for ``idle_time`` ends. ``notice`` is told, in one sentence, of what a
    person should know. The zygote comes from ``origin``, a new interpreter unless given.
    """

    def __init__(
        self,
        settings: TriggererSettings,
        clock: Clock,
        *,
        capacity: int = 10_000,
        idle_time: timedelta = timedelta(seconds=60),
        notice: Callable[[str], None] = lambda _: None,
        origin: Origin | None = None,
    ) -> None:
        self._clock = clock
        self._capacity = capacity
        self._idle_seconds = idle_time.total_seconds()
        self._notice = notice
        self._selector = selectors.DefaultSelector()
        nursery = Nursery(settings, origin or Interpreter(), _ZYGOTE)
        self._brood: Brood[TriggerLink] = Brood(nursery, self._selector, "processes for triggers")
        self._links: list[TriggerLink] = []
        self._homes: dict[Ticket, TriggerLink] = {}
        self._waiting: dict[Ticket, Wait] = {}
        self._said: list[Fired | Dropped] = []
        self._deaths = 0
        self._start_at = 0.0

    def facts(self) -> dict[str, int]:
        """What it says of itself to those who look: there are processes while something is deferred."""
        return {"processes": len(self._links), "triggers": len(self._homes) + len(self._waiting)}

    # ── the port ─────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Nothing runs before there is something to wait for."""

    def submit(self, waits: Sequence[Wait]) -> None:
        """Have the processes run these that are not run already."""
        self._waiting |= {wait.ticket: wait for wait in waits if wait.ticket not in self._homes}
        self._hand_out(time.monotonic())

    def cancel(self, tickets: Sequence[Ticket]) -> None:
        """End these, wherever they are."""
        now = time.monotonic()
        by_link: dict[int, tuple[TriggerLink, list[Ticket]]] = {}
        for ticket in tickets:
            self._waiting.pop(ticket, None)
            link = self._homes.pop(ticket, None)
            if link is not None:
                by_link.setdefault(link.number, (link, []))[1].append(ticket)
        for link, its in by_link.values():
            link.end(its, now)

    def reports(self) -> list[Fired | Dropped]:
        """What came since the last call; also the moment at which processes are started and ended."""
        now = time.monotonic()
        self._listen(now)
        for link in self._links:
            if (stuck_at := link.stuck_at()) is not None and stuck_at <= now:
                self._notice(f"process {link.pid}, which runs triggers, takes nothing in any more and is ended")
                link.kill()
        self._shrink(now)
        self._hand_out(now)
        said, self._said = self._said, []
        return said

    def files(self) -> Sequence[int]:
        """One descriptor that stands for all processes."""
        return (self._selector.fileno(),)

    def next_due(self) -> datetime | None:
        """When a process that has nothing to do, or takes nothing in, wants looking at, or another is to be started."""
        if self._said:
            return self._clock.now()
        due = min(self._moments(), default=None)
        if due is None:
            return None
        return self._clock.now() + timedelta(seconds=max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """End every process, by force."""
        self._brood.stop()
        self._selector.close()
        self._links.clear()
        self._homes.clear()
        self._waiting.clear()

    def _moments(self) -> Iterator[float]:
        for link in self._links:
            if (stuck_at := link.stuck_at()) is not None:
                yield stuck_at
            if not link.tickets:
                yield link.idle_since + self._idle_seconds
        if self._waiting:
            yield max(self._start_at, self._brood.spawn_at)
        yield from self._brood.moments()

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────

    def _hand_out(self, now: float) -> None:
        """Give what waits to processes with room, starting others; where none can be started, it waits on."""
        by_link: dict[int, tuple[TriggerLink, list[Wait]]] = {}
        for ticket, wait in list(self._waiting.items()):
            link = self._choose(wait.code if wait.trigger.local else "", now)
            if link is None:
                break
            del self._waiting[ticket]
            self._homes[ticket] = link
            link.tickets.add(ticket)
            by_link.setdefault(link.number, (link, []))[1].append(wait)
        for link, waits in by_link.values():
            link.begin(waits)

    def _choose(self, code: str, now: float) -> TriggerLink | None:
        for link in self._links:
            if link.code == code and len(link.tickets) < self._capacity and not link.has_ended:
                return link
        if now < self._start_at or not self._brood.can_bear(now):
            return None
        self._spawn(code, now)
        return next((link for link in self._links if link.code == code and not link.tickets), None)

    def _spawn(self, code: str, now: float) -> None:
        with self._patient(now):
            self._brood.start()
            link = TriggerLink(self._brood.next_number(), self._selector, code, now)
            self._brood.bear(link)
            self._links.append(link)

    @contextlib.contextmanager
    def _patient(self, now: float) -> Iterator[None]:
        """Where no process can be started, that is tried again later."""
        try:
            yield
        except WorkerStartError as error:
            self._notice(f"{error}; what is deferred to a trigger waits")
            self._put_off(now)

    def _put_off(self, now: float) -> None:
        self._deaths += 1
        self._start_at = now + min(_PAUSE * 2.0 ** (self._deaths - 1), _LONGEST_PAUSE)

    def _shrink(self, now: float) -> None:
        """Let those go that have had nothing to do for long."""
        gone = [link for link in self._links if not link.tickets and link.idle_since + self._idle_seconds <= now]
        for link in gone:
            self._links.remove(link)
            self._brood.remove(link)
        if gone and not self._links:
            self._brood.rest()

    # ── what they say ────────────────────────────────────────────────────────────────────────────────────

    def _listen(self, now: float) -> None:
        with self._patient(now):
            for link in self._brood.talking(now):
                for word in link.hear(now):
                    self._take_in(link, word)
                self._brood.heard(link, now)
        for link, status in self._brood.gone(now):
            with self._patient(now):
                self._bury(link, status, now)

    def _take_in(self, link: TriggerLink, word: FromTriggers) -> None:
        if isinstance(word, Hello):
            link.pid = word.pid
            self._brood.is_up()
        elif isinstance(word, Told):
            ticket = Ticket(word.report.key.run_key, word.report.seq)
            if self._homes.get(ticket) is link:  # else it was ended meanwhile
                del self._homes[ticket]
                link.tickets.discard(ticket)
                self._said.append(word.report)

    def _bury(self, link: TriggerLink, status: int | None, now: float) -> None:
        """What it ran is lost; the engine says it again."""
        if now - link.born_at > _SETTLED:
            self._deaths = 0
        self._notice(
            f"{epitaph(link.pid, status)}; it ran {len(link.tickets)} triggers, which are begun again from the history"
        )
        for ticket in link.tickets:
            del self._homes[ticket]
            self._said.append(Dropped(ticket=ticket))
        self._links.remove(link)
        self._put_off(now)
        self._brood.bury(link, now)
