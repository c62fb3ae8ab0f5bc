"""Runs one attempt in the process that calls, on whatever machine that is.

``python -m orchestrator.worker.run_order`` takes words from stdin and reports on stdout, until either is closed.
"""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import NoReturn

import msgspec

from orchestrator.core.orders import Failed, Order, Report, Started
from orchestrator.core.particulars import Failure
from orchestrator.names import Delivery
from orchestrator.worker.desk import Job
from orchestrator.worker.equipment import equip, worker_name
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.interruption import Interruption, heed_signals_in_children
from orchestrator.worker.logbook import Logbook
from orchestrator.worker.rawoutput import RawOutput, open_raw
from orchestrator.worker.watch import Watch
from orchestrator.worker.wire import Cancel, Go, Pieces, decode_word, encode

_READ = 64 * 1024


def run_order(words: int, reports: int) -> NoReturn:
    """Run the attempt that the first word on the descriptor ``words`` tells, and end the process.

    What an executor says later is heard meanwhile: Go, Release and Cancel. On ``reports`` go a line of JSON when the
    body begins, and one when it has ended. Where ``words`` ends first, nobody wants the attempt any more: the process
    ends with all that it has started. Called in the main thread, of a process that does nothing else.
    """
    _Attempt(words, reports).run()


class _Attempt:
    def __init__(self, words: int, reports: int) -> None:
        self._words = words
        self._reports = reports
        self._pieces = Pieces()
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._interruption = Interruption(signal.SIGUSR1)
        self._saying = threading.Lock()

    def run(self) -> NoReturn:
        _lead_a_group()
        heard = self._hear()
        job = next(heard, None)
        if job is None:
            _end_all()
        self._see_through(msgspec.json.decode(job, type=Job), heard)

    def _see_through(self, job: Job, heard: Iterator[bytes]) -> NoReturn:
        heed_signals_in_children()
        self._interruption.install()
        self._cleanup_seconds = job.cleanup_seconds
        threading.Thread(target=self._listen, args=[heard], name="orchestrator-words", daemon=True).start()
        logbook = Logbook(job.settings, RawOutput(*open_raw(Path(tempfile.gettempdir()))), worker_name())
        logbook.begin(job.order)
        watch = Watch(job.order, Heartbeats(Path(job.settings.heartbeat_folder)), self._end)
        attempts = equip(job.settings, self._interruption, lambda _order: watch.hear())
        report = attempts.run(job.order, lambda order: self._may_begin(order, watch))
        logbook.end(report)
        self._finish(report)

    def _hear(self) -> Iterator[bytes]:
        """What is said, until there is nobody to say it."""
        while data := _read(self._words):
            yield from self._pieces.feed(data)

    def _listen(self, heard: Iterator[bytes]) -> None:
        for piece in heard:
            word = decode_word(piece)
            self._answers.put(isinstance(word, Go))
            if isinstance(word, Cancel):
                self._end(word)
        _end_all()

    def _may_begin(self, order: Order, watch: Watch) -> bool:
        self._say(Started(key=order.key, at=datetime.now(UTC), worker=worker_name()))
        if order.delivery is Delivery.AT_MOST_ONCE and not self._answers.get():
            return False
        watch.begin()
        return True

    def _end(self, cancel: Cancel) -> None:
        """Interrupt the body; if it does not heed that in time, give it up."""
        failed = Failed(key=cancel.key, at=datetime.now(UTC), kind=cancel.kind, failure=Failure(message=cancel.message))
        timer = threading.Timer(self._cleanup_seconds, self._finish, [failed])
        timer.daemon = True
        timer.start()
        self._interruption.ask(cancel)

    def _say(self, report: Report) -> None:
        data = memoryview(encode(report) + b"\n")
        while data:
            data = data[os.write(self._reports, data) :]

    def _finish(self, report: Report) -> NoReturn:
        """Have the last word, once, and end what the body has started and left."""
        with self._saying:
            self._say(report)
            _end_all()


def _read(file: int) -> bytes:
    try:
        return os.read(file, _READ)
    except OSError:  # a connection that was reset
        return b""


def _lead_a_group() -> None:
    if os.getpgrp() != os.getpid():
        os.setsid()


def _end_all() -> NoReturn:
    os.killpg(0, signal.SIGKILL)
    os._exit(1)  # the first process of a container is spared by its own signal


def main() -> None:
    words, reports = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    run_order(words, reports)


if __name__ == "__main__":
    main()
