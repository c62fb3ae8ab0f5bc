"""The zygote: a small process that has imported all that a worker needs, and forks one whenever it is asked to.

The scheduler never forks: a fork costs in proportion to the memory of the process, and threads do not survive it.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import traceback

import msgspec

from orchestrator.worker.process import Endpoints, WorkerProcess
from orchestrator.worker.rawoutput import RawOutput
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.wire import BIRTH, BIRTH_FILES, DEATH

BUG_STATUS = 70  # EX_SOFTWARE


class Birth(msgspec.Struct):
    """In a new worker: what it is to be."""

    ends: Endpoints
    once: bool


class Zygote:
    """Forks workers, ends the process groups of those that died, and tells how they did."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._numbers: dict[int, int] = {}
        self._wake, alarm = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(alarm, False)
        self._alarm = alarm
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(alarm)
        # Whether workers end is for the scheduler to say, and it says so by closing the socket.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: None)

    def serve(self) -> Birth | None:
        """Returns None in the zygote when its scheduler is gone, and in each new worker what that is to be."""
        self._control.sendall(DEATH.pack(0, os.getpid(), 0))
        events = select.poll()
        events.register(self._control, select.POLLIN)
        events.register(self._wake, select.POLLIN)
        while True:
            ready = dict(events.poll())
            if self._wake in ready:
                self._reap()
            if self._control.fileno() not in ready:
                continue
            message, files, _, _ = socket.recv_fds(self._control, BIRTH.size, BIRTH_FILES)
            if not message:
                self._end_all()
                return None
            number, once = BIRTH.unpack(message)
            birth = self._fork(number, files, once=once)
            if birth is not None:
                return birth

    def _fork(self, number: int, files: list[int], *, once: bool) -> Birth | None:
        orders, link, writer, reader = files
        pid = os.fork()
        if pid:
            self._numbers[pid] = number
            for file in files:
                os.close(file)
            return None
        self._leave()
        ends = Endpoints(socket.socket(fileno=orders), socket.socket(fileno=link), RawOutput(writer, reader))
        return Birth(ends, once)

    def _leave(self) -> None:
        """In a new worker: let go of what is the zygote's."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        self._control.close()
        os.close(self._wake)
        os.close(self._alarm)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                _end_group(pid)
                with contextlib.suppress(OSError):  # the scheduler may be gone; the next look at the socket tells
                    self._control.sendall(DEATH.pack(self._numbers.pop(pid, 0), pid, status))

    def _end_all(self) -> None:
        for pid in self._numbers:
            _end_group(pid)


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def receive_settings(control: socket.socket) -> WorkerSettings:
    """The settings, which come first: a length of four bytes and JSON."""
    size = int.from_bytes(control.recv(4, socket.MSG_WAITALL))
    return msgspec.json.decode(control.recv(size, socket.MSG_WAITALL), type=WorkerSettings)


def main(file: int) -> None:
    """Be the zygote that is spoken to over that socket and, in every process that is forked from it, a worker."""
    control = socket.socket(fileno=file)
    sys.argv[:] = ["orchestrator-worker"]
    settings = receive_settings(control)
    gc.collect()
    gc.freeze()  # so that collections in the workers leave the shared pages alone
    birth = Zygote(control).serve()
    if birth is None:
        os._exit(0)
    _live(birth, settings)


def _live(birth: Birth, settings: WorkerSettings) -> None:
    status = 0
    try:
        WorkerProcess(birth.ends, settings, once=birth.once).run()
    except BaseException:
        traceback.print_exc()
        status = BUG_STATUS
    finally:
        # Not sys.exit(): threads that a body left behind would hold the process up.
        os._exit(status)
