"""Endings: the ends of this process's children, as something to sleep on."""

import contextlib
import os
import signal
from collections.abc import Iterator

_STOPPING = (signal.SIGINT, signal.SIGTERM)


class Endings:
    """Its descriptor turns readable when a child has ended.

    For a process that does nothing but fork: it takes no notice of SIGINT and SIGTERM, since whether it ends is for
    whoever it forks for to say.
    """

    def __init__(self) -> None:
        self._wake, self._alarm = os.pipe()
        for file in (self._wake, self._alarm):
            os.set_blocking(file, False)
        # A function, unlike SIG_IGN, is not passed on to the programs that a child starts.
        for number in (signal.SIGCHLD, *_STOPPING):
            signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._alarm)

    def fileno(self) -> int:
        return self._wake

    def reap(self) -> Iterator[tuple[int, int]]:
        """The pid and the wait status of each child that has ended since the last call."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                yield pid, status

    def let_go(self) -> None:
        """In a new child: none of this is its own."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._wake)
        os.close(self._alarm)
