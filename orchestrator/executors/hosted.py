"""HostedExecutor: an author's executor, in a process of its own."""

import selectors
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from orchestrator.core.orders import Lost, Order, Report, Started, TakenBack
from orchestrator.exceptions import ConfigError, WorkerStartError
from orchestrator.executors.base import ExecutorSettings
from orchestrator.executors.host_process import HostProcess
from orchestrator.executors.host_wire import About, Adopted, Broken, FromHost, Maker, Open, Ready, Reported, Submit
from orchestrator.names import AttemptKey, Delivery
from orchestrator.ports import Adoption, Clock

_READY_SECONDS = 30.0  # that the first start may take
_SETTLED = 10.0  # seconds after which the death of a host says nothing about the next one
_PAUSE, _LONGEST_PAUSE = 0.1, 30.0  # seconds before a host is started in place of one that has died


class Held:
    """An attempt that the executor has. ``free``: an earlier scheduler handed it out, so its loss is nobody's fault."""

    __slots__ = ("free", "has_started", "is_cancelled", "may_run", "order", "was_sent")

    def __init__(self, order: Order | None) -> None:
        self.order = order
        self.free = order is None
        self.was_sent = order is None
        self.has_started = False
        self.may_run = False
        self.is_cancelled = False

    @property
    def has_begun(self) -> bool:
        """Whether its body may have begun."""
        if self.order is not None and self.order.delivery is Delivery.AT_MOST_ONCE:
            return self.may_run
        return self.has_started or self.may_run


class HostedExecutor:
    """Speaks to the host. One that dies is started again, later each time, and asked what became of what it had.

    Nothing waits for an answer once it has started: what an earlier scheduler handed out counts as running until the
    host has said otherwise. What is handed out while there is no host waits for the next. ``notice`` is told, in one
    sentence, of what a person should know.
    """

    def __init__(
        self,
        maker: Maker,
        settings: ExecutorSettings,
        clock: Clock,
        *,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._name = maker.named
        self._opening = Open(maker=maker, settings=settings)
        self._clock = clock
        self._notice = notice
        self._selector = selectors.DefaultSelector()
        self._host: HostProcess | None = None
        self._held: dict[AttemptKey, Held] = {}
        self._is_ready = False
        self._said: list[Report] = []
        self._deaths = 0
        self._born_at = self._start_at = 0.0
        self._trouble = ""

    def facts(self) -> dict[str, str | int]:
        """What it says of itself to those who look; no processes: the one that it lives in has died and comes back."""
        return {"executor": self._name, "processes": int(self._host is not None), "attempts": len(self._held)}

    # ── the port ─────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start the host, and wait until its executor has started.

        ConfigError where there is no such class, WorkerStartError where it does not start.
        """
        self._host = HostProcess(self._opening, self._selector)
        ready = self._first_word(self._host)
        if ready is None or ready.trouble:
            trouble = ready.trouble if ready else f"the executor {self._name} has not started: {self._why(self._host)}"
            self._host.stop()
            raise (ConfigError if ready and ready.is_setting else WorkerStartError)(trouble)
        self._born_at, self._is_ready = time.monotonic(), True

    def submit(self, orders: Sequence[Order]) -> None:
        """Pass these on; each key once."""
        for order in orders:
            if order.key in self._held:
                continue
            self._held[order.key] = Held(order)
            if self._is_ready:
                self._send(order)

    def go(self, keys: Sequence[AttemptKey]) -> None:
        for held in self._known(keys):
            held.may_run = True
        self._tell("go", keys)

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        self.take_back(keys)
        for held in self._known(keys):
            held.is_cancelled = True
        self._tell("cancel", keys)

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        """Give back what no host was given; of the others the host decides."""
        for key in keys:
            if key in self._held and not self._held[key].was_sent:
                self._take(TakenBack(key=key, at=self._clock.now()))
        self._tell("take_back", keys)

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        """RUNNING, all of them; those of which the host says otherwise are reported on."""
        new = [key for key in keys if key not in self._held]
        self._held |= {key: Held(None) for key in new}
        self._tell("adopt", new)
        return dict.fromkeys(keys, Adoption.RUNNING)

    def reports(self) -> list[Report]:
        """What happened since the last call; also the moment at which a host that died is started again."""
        self._selector.select(0)
        now = time.monotonic()
        if self._host is None and now >= self._start_at:
            self._start_again(now)
        if self._host is not None:
            self._take_in(self._host.hear())
            if self._host.has_ended:
                self._bury(self._host, now)
        said, self._said = self._said, []
        return said

    def files(self) -> Sequence[int]:
        return (self._selector.fileno(),)

    def next_due(self) -> datetime | None:
        """When a host is to be started again; now, where there is something to report already."""
        if self._said:
            return self._clock.now()
        if self._host is not None:
            return None
        return self._clock.now() + timedelta(seconds=max(0.0, self._start_at - time.monotonic()))

    def stop(self) -> None:
        """Let the host stop its executor; it has ten seconds."""
        if self._host is not None:
            self._host.stop()
            self._host = None
        self._is_ready = False
        self._held.clear()

    # ── hosts that start and end ─────────────────────────────────────────────────────────────────────────

    def _first_word(self, host: HostProcess) -> Ready | None:
        deadline = time.monotonic() + _READY_SECONDS
        while not host.has_ended and (left := deadline - time.monotonic()) > 0:
            self._selector.select(left)
            words = host.hear()
            ready = next((word for word in words if isinstance(word, Ready)), None)
            self._take_in([word for word in words if word is not ready])
            if ready is not None:
                return ready
        return None

    def _why(self, host: HostProcess) -> str:
        if not host.has_ended:
            return f"its start() took longer than {_READY_SECONDS:.0f} seconds"
        return f"its process {host.pid} ended"

    def _start_again(self, now: float) -> None:
        try:
            self._host = HostProcess(self._opening, self._selector)
        except WorkerStartError as error:
            self._notice(f"{error}; activities wait")
            self._put_off(now)
            return
        self._born_at = now

    def _hand_over(self) -> None:
        """Ask a new host about what the one before had, say again what that may not have heard, and go on."""
        self._is_ready = True
        had = {key: held for key, held in self._held.items() if held.was_sent}
        self._tell("adopt", list(had))
        self._tell("go", [key for key, held in had.items() if held.may_run])
        self._tell("cancel", [key for key, held in had.items() if held.is_cancelled])
        for held in self._held.values():
            if held.order is not None and not held.was_sent:
                self._send(held.order)

    def _bury(self, host: HostProcess, now: float) -> None:
        """What it had is asked about at the next."""
        host.bury()
        self._host, self._is_ready = None, False
        if now - self._born_at > _SETTLED:
            self._deaths = 0
        self._put_off(now)
        why = self._trouble or f"the process {host.pid} of the executor {self._name} has ended"
        self._trouble = ""
        self._notice(f"{why}; it is started again in {self._start_at - now:.1f} s, with {len(self._held)} activities")

    def _put_off(self, now: float) -> None:
        self._deaths += 1
        self._start_at = now + min(_PAUSE * 2.0 ** (self._deaths - 1), _LONGEST_PAUSE)

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, call: str, keys: Sequence[AttemptKey]) -> None:
        """Where there is no host, the next one is told in ``_hand_over``."""
        mine = tuple(key for key in keys if key in self._held)
        if self._host is not None and self._is_ready and mine:
            self._host.tell(About(call=call, keys=mine))

    def _send(self, order: Order) -> None:
        assert self._host is not None
        self._held[order.key].was_sent = True
        self._host.tell(Submit(order=order))

    def _known(self, keys: Sequence[AttemptKey]) -> list[Held]:
        return [self._held[key] for key in keys if key in self._held]

    def _take_in(self, words: Sequence[FromHost]) -> None:
        for word in words:
            match word:
                case Reported(report=report):
                    self._take(report)
                case Adopted(found=found):
                    for key, what in found:
                        self._settle(key, what)
                case Broken(message=message, keys=keys):
                    self._notice(f"the executor {self._name}: {message}")
                    for key in keys:
                        self._lose(key, f"the executor {self._name}: {message}")
                case Ready(trouble=trouble):
                    self._trouble = trouble
                    if not trouble:
                        self._hand_over()

    def _take(self, report: Report) -> None:
        held = self._held.get(report.key)
        if held is None:
            self._notice(
                f"the executor {self._name} reports on {report.key}, which it does not have; it is passed over"
            )
            return
        if isinstance(report, Started):
            held.has_started = True
        else:
            del self._held[report.key]
        self._said.append(report)

    def _settle(self, key: AttemptKey, found: Adoption) -> None:
        if found is Adoption.NOT_STARTED and key in self._held:
            self._take(TakenBack(key=key, at=self._clock.now()))
        elif found is not Adoption.RUNNING:
            self._lose(key, "the process of its executor ended while it was open")

    def _lose(self, key: AttemptKey, reason: str) -> None:
        held = self._held.get(key)
        if held is not None:
            reason = "the scheduler or its host stopped while it was open" if held.free else reason
            self._take(Lost(key=key, at=self._clock.now(), reason=reason, started=held.has_begun, free=held.free))
