"""The seed: a process that has imported what the processes of a home have in common, and forks them.

What a fork does not change it shares with its parent, so modules that all of them need are in memory once. The steps:

1. The command imports what its processes need, while it has one thread, no open database and nothing of any user.
2. It forks the seed, which does nothing but wait to be asked. The command itself goes on to be the scheduler.
3. For each process that is started, or started again, the seed forks itself, and the fork runs an ``Entry``.
4. The seed tells whoever asked of its pid and, later, of how it ended.
5. The seed ends when the command does. Should it die before, its forks are ended, and started by an interpreter.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec

from orchestrator.exceptions import WorkerStartError
from orchestrator.processes.entry import Entry, Origin, Process
from orchestrator.processes.interpreter import Interpreter
from orchestrator.processes.sprouting import SIZE, hear, sprout

_STDERR = 2


@contextlib.contextmanager
def planted(load: Callable[[], None]) -> Iterator[Origin]:
    """A seed that holds what ``load`` imports besides all that is imported by now; it ends with the block.

    To be entered before there is a thread, an open database or a line of a user's code in this process.
    WorkerStartError where the system has no room for it.
    """
    load()
    assert threading.active_count() == 1, "the locks of other threads would stay locked in a fork"
    _keep_standard_files()
    control, theirs = socket.socketpair()
    pid = _fork()
    if pid == 0:
        os.setsid()  # the signals of a terminal are not for it
        control.close()
        sprout(theirs.detach())
    theirs.close()
    try:
        yield Seed(control)
    finally:
        control.close()
        os.waitpid(pid, 0)


class Seed:
    """An ``Origin`` for all threads. Once the seed is gone, processes come from an interpreter."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()

    def start(self, entry: Entry, *, stdin: int | None = None, files: Sequence[int] = ()) -> Process:
        with _nothing_to_read(stdin) as source:
            child = self._ask(entry, [source, *files])
            return child or Interpreter().start(entry, stdin=source, files=files)

    def _ask(self, entry: Entry, files: Sequence[int]) -> "Sprout | None":
        """Have it forked; None where there is nobody to do so, OSError where it cannot be done."""
        report, theirs = os.pipe()
        try:
            self._send(msgspec.json.encode(entry), [theirs, *files])
        finally:
            os.close(theirs)
        pid = hear(report)
        if pid is not None and pid > 0:
            return Sprout(pid, report)
        os.close(report)
        if pid is None:
            return None
        raise OSError(-pid, os.strerror(-pid))

    def _send(self, words: bytes, files: Sequence[int]) -> None:
        with self._lock, contextlib.suppress(ConnectionError):
            socket.send_fds(self._control, [SIZE.pack(len(words))], files)
            self._control.sendall(words)


class Sprout:
    """A process that the seed has forked; ``report`` is where the seed tells of it. Its ``pid`` is known at once."""

    def __init__(self, pid: int, report: int) -> None:
        self.pid = pid
        self._report = report
        self._status: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, as of ``Process``. One whose seed has died is ended, for nobody would hear of its end."""
        if self._status is None:
            if not _is_readable(self._report, timeout):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            status = hear(self._report)
            if status is None:
                self.kill()
            self._status = -signal.SIGKILL if status is None else status
            os.close(self._report)
        return self._status

    def kill(self) -> None:
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _is_readable(file: int, timeout: float | None) -> bool:
    look = select.poll()
    look.register(file, select.POLLIN)
    return bool(look.poll(None if timeout is None else timeout * 1000))


def _fork() -> int:
    """What is waiting to be printed is printed once."""
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()
    gc.freeze()  # no collection looks at what is here by now, and so unshares it by looking
    try:
        return os.fork()
    except OSError as error:
        raise WorkerStartError(
            f"no process can be started: {error.strerror}; free processes or memory on this machine"
        ) from error


def _keep_standard_files() -> None:
    """Where standard input, output or errors were closed, nothing else shall come by their numbers."""
    while (file := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(file)


@contextlib.contextmanager
def _nothing_to_read(stdin: int | None) -> Iterator[int]:
    """``stdin``, or a file with nothing in it."""
    if stdin is not None:
        yield stdin
        return
    file = os.open(os.devnull, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)
