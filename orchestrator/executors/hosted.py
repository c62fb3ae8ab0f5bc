"""HostedExecutor: an executor of a plugin, in a process of its own."""

import logging
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from orchestrator.core.orders import Lost, Order, Report, Started, TakenBack
from orchestrator.exceptions import WorkerStartError
from orchestrator.executors.channel import Channel
from orchestrator.executors.host_wire import (
    About,
    Adopted,
    Broken,
    FromHost,
    Open,
    Pieces,
    Ready,
    Reported,
    Said,
    Submit,
    decode_from_host,
    line,
)
from orchestrator.names import AttemptKey
from orchestrator.ports import Adoption, Clock
from orchestrator.worker.settings import WorkerSettings

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 30.0  # for which start() and adopt() wait for the host
_STOP_SECONDS = 10.0
_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from orchestrator.executors.host import main; main()"


class HostedExecutor:
    """Speaks to the host of ``classpath``; a host that dies is started again, and asked to adopt what was open."""

    def __init__(self, classpath: str, folder: Path, settings: WorkerSettings, clock: Clock) -> None:
        self._opening = Open(classpath=classpath, settings=settings, folder=str(folder))
        self._clock = clock
        self._open: set[AttemptKey] = set()
        self._said: list[Report] = []
        self._selector = selectors.DefaultSelector()

    def start(self) -> None:
        """Start the host; WorkerStartError in one sentence where the executor does not start."""
        self._pieces = Pieces()
        self._channel = Channel(self._selector, self)
        far = self._channel.far
        command = [sys.executable, "-P", "-c", _PROGRAM, str(far.fileno()), *sys.path]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=[far.fileno()], start_new_session=True
        )
        far.close()
        self._tell(self._opening)
        ready = self._answer(Ready)
        if ready is None or ready.trouble:
            self.stop()
            trouble = (
                ready.trouble if ready else f"its process ended, or said nothing for {_ANSWER_SECONDS:.0f} seconds"
            )
            raise WorkerStartError(f"the executor {self._opening.classpath} does not start: {trouble}")

    def submit(self, orders: Sequence[Order]) -> None:
        self._open.update(order.key for order in orders)
        self._tell(Submit(orders=tuple(orders)))

    def go(self, keys: Sequence[AttemptKey]) -> None:
        self._tell(About(call="go", keys=tuple(keys)))

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        self._tell(About(call="cancel", keys=tuple(keys)))

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        self._tell(About(call="take_back", keys=tuple(keys)))

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        """What the host says; UNKNOWN of those that it does not speak of."""
        self._tell(About(call="adopt", keys=tuple(keys)))
        answer = self._answer(Adopted)
        said = dict(answer.found) if answer else {}
        found = {key: said.get(key, Adoption.UNKNOWN) for key in keys}
        self._open.update(key for key, one in found.items() if one is Adoption.RUNNING)
        return found

    def reports(self) -> list[Report]:
        self._selector.select(0)
        self._hear()
        if self._channel.has_ended:
            self._start_again()
        said, self._said = self._said, []
        return said

    def files(self) -> Sequence[int]:
        return (self._selector.fileno(),)  # type: ignore[attr-defined]

    def next_due(self) -> datetime | None:
        """Now, where an answer was waited for and reports came with it."""
        return self._clock.now() if self._said else None

    def stop(self) -> None:
        """Hang up, upon which the host stops its executor and ends."""
        self._channel.hang_up()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, word: Said) -> None:
        self._channel.send(line(word))

    def _answer(self, kind: type[FromHost]) -> "FromHost | None":
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not self._channel.has_ended and time.monotonic() < deadline:
            self._selector.select(deadline - time.monotonic())
            for word in self._hear():
                if isinstance(word, kind):
                    return word
        return None

    def _hear(self) -> list[FromHost]:
        answers: list[FromHost] = []
        for piece in self._pieces.feed(self._channel.receive()):
            try:
                word = decode_from_host(piece)
            except msgspec.MsgspecError as error:
                log.error("the executor %s said what is no report: %s", self._opening.classpath, error)
                continue
            match word:
                case Reported(report=report):
                    self._take(report)
                case Broken(message=message):
                    log.error("the executor %s: %s", self._opening.classpath, message)
                case _:
                    answers.append(word)
        return answers

    def _take(self, report: Report) -> None:
        if report.key not in self._open:
            log.error("the executor %s reports on %s, which it was not given", self._opening.classpath, report.key)
            return
        if not isinstance(report, Started):
            self._open.discard(report.key)
        self._said.append(report)

    def _start_again(self) -> None:
        log.error("the process of the executor %s has ended; it is started again", self._opening.classpath)
        self._process.wait()
        self.start()
        for key, found in self.adopt(tuple(self._open)).items():
            self._settle(key, found)

    def _settle(self, key: AttemptKey, found: Adoption) -> None:
        at = self._clock.now()
        if found is Adoption.NOT_STARTED:
            self._take(TakenBack(key=key, at=at))
        elif found is Adoption.LOST:
            self._take(Lost(key=key, at=at, reason="the process of its executor ended"))
