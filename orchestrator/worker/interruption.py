"""Interruption: cuts a body short, in the thread that runs it, when another thread says so."""

import os
import signal
import threading
from collections.abc import Callable

from orchestrator.names import AttemptKey
from orchestrator.worker.wire import Cancel


class Interrupted(BaseException):
    """Raised in a body that is cut short, so that its ``finally`` blocks run; no Exception, so that few swallow it."""

    def __init__(self, cancel: Cancel) -> None:
        self.cancel = cancel
        super().__init__(cancel.message)


class Interruption:
    """Watches one attempt at a time. ``number`` is the signal by which the main thread is reached.

    The same signal from anybody else is passed over: whether a worker ends is for its scheduler to say.
    """

    def __init__(self, number: signal.Signals) -> None:
        self._number = number
        self._own = self._on_signal
        self._asked: Cancel | None = None
        self._key: AttemptKey | None = None
        self._stop: Callable[[], bool] | None = None
        self.delivered: Cancel | None = None

    def install(self) -> None:
        """Listen for the signal; in the main thread. Called before each attempt, in case a body took it for itself."""
        if signal.getsignal(self._number) is not self._own:
            signal.signal(self._number, self._own)

    def begin(self, key: AttemptKey) -> None:
        """From here on ``ask`` may interrupt; Interrupted if it has been asked to already."""
        self.delivered = None
        self._key = key
        self._deliver()

    def before_it(self, stop: Callable[[], bool] | None) -> None:
        """What to call in the main thread before Interrupted is raised; where it returns True, nothing is raised."""
        self._stop = stop

    def end(self) -> None:
        """From here on nothing is interrupted."""
        self._key = None
        self._stop = None

    def ask(self, cancel: Cancel) -> None:
        """Interrupt that attempt, if it runs now or as soon as it begins; from any thread."""
        self._asked = cancel
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, self._number)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._deliver()

    def _deliver(self) -> None:
        asked = self._asked
        if asked is None or asked.key != self._key:
            return
        self._asked, self.delivered = None, asked
        stopped = self._stop() if self._stop is not None else False
        if not stopped:
            raise Interrupted(asked)


def heed_signals_in_children() -> None:
    """Let processes that a body forks end by SIGTERM and SIGINT as any other; this one leaves that to its scheduler."""
    os.register_at_fork(after_in_child=_heed_signals)


def _heed_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
