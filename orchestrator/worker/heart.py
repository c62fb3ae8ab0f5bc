"""Heart: the heartbeats of one attempt, on their way to its progress file and to whoever watches over it."""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from orchestrator.core import values
from orchestrator.core.orders import Order
from orchestrator.core.particulars import NULL
from orchestrator.exceptions import BodyError, UsageError
from orchestrator.worker.heartbeats import MAX_PROGRESS_BYTES, Heartbeats, LastBeat
from orchestrator.worker.wire import beat_pause

Tell = Callable[[Order], None]

_KEEP_PAUSE = 0.1  # seconds between two writes of the file, however often the body beats

logger = logging.getLogger("orchestrator")


class ProgressTooLargeError(BodyError):
    """A progress is larger than what is kept of one."""


class Heart:
    """Takes beats from any thread of the body's process until ``stop``.

    What comes too fast is kept a moment later, the last of it at any rate. ``tell`` is called with the order when there
    is something to be kept or found for the first time and then, where there is a heartbeat_timeout, so often that
    whoever watches over it by ``patience`` knows in time.
    """

    def __init__(self, order: Order, heartbeats: Heartbeats, tell: Tell) -> None:
        self._order = order
        self._heartbeats = heartbeats
        self._tell = tell
        self._pid = os.getpid()
        # A body that is interrupted in the middle of a beat may beat again while it cleans up.
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._progress: msgspec.Raw | None = None  # None: nobody has looked yet
        self._beat: LastBeat | None = None  # what is to be written
        self._kept_at = self._told_at = -1e9
        self._is_over = False
        self._has_complained = False

    def beat(self, progress: Any) -> None:
        """The body is alive; ``progress``, unless None, takes the place of what it said before."""
        self._require_own_process("heartbeat")
        data = None if progress is None else _encoded(progress)
        with self._lock:
            if self._is_over:
                return
            self._progress = self._found() if data is None else data
            self._beat = LastBeat(at=datetime.now(UTC), attempt=self._order.key.attempt, progress=self._progress)
            self._keep_soon()
            self._tell_in_time()

    def last_progress(self) -> Any:
        """What this attempt or one before it said last; None if nothing."""
        self._require_own_process("last_progress")
        with self._lock:
            self._progress = self._found()
            return values.decode(self._progress)

    def stop(self, *, keep: bool) -> None:
        """From here on nothing is taken; what was said last is kept, if ``keep``."""
        with self._lock:
            self._is_over = True
            if self._timer is not None:
                self._timer.cancel()
            if keep:
                self._keep()

    def _require_own_process(self, name: str) -> None:
        if os.getpid() != self._pid:
            raise UsageError(
                f"{name}() works only in the process that runs the body, not in one that the body has started; "
                f"call it where the body waits for that one"
            )

    def _found(self) -> msgspec.Raw:
        if self._progress is not None:
            return self._progress
        beat = self._heartbeats.last(self._order.progress)
        if beat is None:
            return NULL
        self._tell_in_time()
        return beat.progress

    def _keep_soon(self) -> None:
        if self._timer is not None:
            return
        wait = self._kept_at + _KEEP_PAUSE - time.monotonic()
        if wait <= 0:
            self._keep()
            return
        timer = threading.Timer(wait, self._keep_now)
        timer.daemon = True
        timer.start()
        self._timer = timer

    def _keep_now(self) -> None:
        with self._lock:
            self._timer = None
            if not self._is_over:
                self._keep()

    def _keep(self) -> None:
        beat = self._beat
        if beat is None or not self._order.progress:
            return
        try:
            self._heartbeats.keep(self._order.progress, beat)
        except OSError as error:
            self._complain(error)
        self._beat, self._kept_at = None, time.monotonic()

    def _complain(self, error: OSError) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.warning("the progress cannot be kept: %s; the body goes on, the next attempt may not know it", error)

    def _tell_in_time(self) -> None:
        now, limit = time.monotonic(), self._order.heartbeat_timeout
        if self._told_at < 0 or (limit is not None and now >= self._told_at + beat_pause(limit)):
            self._told_at = now
            self._tell(self._order)


def _encoded(progress: Any) -> msgspec.Raw:
    data = values.encode(progress, "progress")
    if len(data) > MAX_PROGRESS_BYTES:
        raise ProgressTooLargeError(
            f"the progress is {len(data)} bytes of JSON, more than the {MAX_PROGRESS_BYTES} that are kept; "
            f"write it to a file or table and say where that is"
        )
    return msgspec.Raw(data)
