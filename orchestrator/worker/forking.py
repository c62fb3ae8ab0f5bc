"""Forking: a small process that has imported all that its workers need, and forks one whenever it is asked to.

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
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec

import orchestrator.operators
from orchestrator.processes.endings import Endings
from orchestrator.worker.wire import BIRTH, BIRTH_FILES, BUG_STATUS, DEATH

S = TypeVar("S", bound=msgspec.Struct)


class _Asked(NamedTuple):
    """A worker that is to be: its number, whether it lives for one order only, and its descriptors."""

    number: int
    once: bool
    files: list[int]


class Birth(NamedTuple):
    """In a new worker: what it is to be. ``files`` are the descriptors that its executor gave it."""

    files: list[int]
    once: bool


class Zygote:
    """Forks workers, ends the process groups of those that died, and tells how they did."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._numbers: dict[int, int] = {}
        self._endings = Endings()

    def serve(self) -> Birth | None:
        """Returns None in the zygote when its scheduler is gone, and in each new worker what that is to be."""
        with contextlib.suppress(OSError):  # the scheduler may be gone already; the first look at the socket tells
            self._control.sendall(DEATH.pack(0, os.getpid(), 0))
        events = select.poll()
        events.register(self._control, select.POLLIN)
        events.register(self._endings, select.POLLIN)
        while True:
            ready = dict(events.poll())
            if self._endings.fileno() in ready:
                self._bury()
            if self._control.fileno() not in ready:
                continue
            asked = self._asked()
            if asked is None:
                self._end_all()
                return None
            birth = self._fork(asked)
            if birth is not None:
                return birth

    def _asked(self) -> _Asked | None:
        """What the scheduler wants; None when it is gone."""
        try:
            message, files, _, _ = socket.recv_fds(self._control, BIRTH.size, BIRTH_FILES)
        except ConnectionError:
            return None
        if not message:
            return None
        number, once = BIRTH.unpack(message)
        return _Asked(number, once, files)

    def _fork(self, asked: _Asked) -> Birth | None:
        try:
            pid = os.fork()
        except OSError as error:
            # The worker's ends are closed below, which the scheduler sees; it tries again.
            sys.stderr.write(f"no worker process could be started: {error.strerror}\n")
            pid = -1
        if pid == 0:
            return self._be(asked)
        for file in asked.files:
            os.close(file)
        if pid > 0:
            self._numbers[pid] = asked.number
        return None

    def _be(self, asked: _Asked) -> Birth:
        """In a new worker: let go of what is the zygote's."""
        os.setsid()
        self._endings.let_go()
        self._control.close()
        return Birth(asked.files, asked.once)

    def _bury(self) -> None:
        for pid, status in self._endings.reap():
            _end_group(pid)
            with contextlib.suppress(OSError):  # the scheduler may be gone; the next look at the socket tells
                self._control.sendall(DEATH.pack(self._numbers.pop(pid, 0), pid, status))

    def _end_all(self) -> None:
        for pid in self._numbers:
            _end_group(pid)


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def load_authoring() -> None:
    """Import all that a DAG file can ask this package for, so that no worker has to."""
    for name in orchestrator.__all__:
        getattr(orchestrator, name)


def receive_settings(control: socket.socket, kind: type[S]) -> S:
    """The settings, which come first: a length of four bytes and JSON; EOFError if nobody is there to send them."""
    size = int.from_bytes(control.recv(4, socket.MSG_WAITALL))
    if not size:
        raise EOFError("the scheduler has gone before it said what its workers are to be")
    return msgspec.json.decode(control.recv(size, socket.MSG_WAITALL), type=kind)


def serve(control: socket.socket, live: Callable[[Birth], None]) -> None:
    """Be the zygote that is spoken to over that socket and, in every process that is forked from it, do ``live``.

    Never returns. All that workers need has been imported by now.
    """
    gc.collect()
    gc.freeze()  # so that collections in the workers leave the shared pages alone
    birth = Zygote(control).serve()
    status, stderr = 0, os.dup(2)
    try:
        if birth is not None:
            live(birth)
    except BaseException:
        _tell(traceback.format_exc(), stderr)
        status = BUG_STATUS
    finally:
        # Not sys.exit(): threads that a body left behind would hold the process up.
        os._exit(status)


def _tell(what: str, stderr: int) -> None:
    """Say what is wrong with our own code where the scheduler writes, and in the log of the attempt, where descriptor 2
    leads there. Not by sys.stderr: that may lead to memory, which ends with this process.
    """
    leads = {os.fstat(file).st_ino: file for file in (stderr, 2)}
    for file in leads.values():
        with contextlib.suppress(OSError):
            os.write(file, what.encode("utf-8", "backslashreplace"))
