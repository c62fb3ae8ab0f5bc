"""Nursery: the executor's side of the zygote that its workers are forked from."""

import contextlib
import socket
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from orchestrator.exceptions import WorkerStartError
from orchestrator.processes.entry import Entry, Origin, Process
from orchestrator.worker.wire import BIRTH, DEATH

_READ = 64 * DEATH.size
_STOP_SECONDS = 5.0


class Death(NamedTuple):
    """How a worker ended; ``status`` is as from ``os.wait``."""

    number: int
    pid: int
    status: int


class Nursery:
    """Has workers forked, and hears how they end. A zygote that is gone is replaced by a new one.

    ``zygote`` is the module whose ``main`` it runs, in this ``environment`` besides the scheduler's own; ``settings``
    are what it is sent first. It comes from ``origin``.
    """

    def __init__(
        self,
        settings: msgspec.Struct,
        origin: Origin,
        zygote: str = "orchestrator.worker.zygote",
        environment: Mapping[str, str] = {},
    ) -> None:
        self._settings = settings
        self._origin = origin
        self._entry = Entry(f"{zygote}:main", environment=dict(environment))
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._rest = b""
        self.is_up = False

    @property
    def file(self) -> int:
        """Turns readable when ``deaths`` has news."""
        assert self._control is not None
        return self._control.fileno()

    def start(self) -> int:
        """Start a zygote, in place of the one before; its ``file``."""
        self.stop()
        self._control, far_end = socket.socketpair()
        with far_end:
            try:
                self._process = self._origin.start(self._entry, files=[far_end.fileno()])
            except OSError as error:
                self._control.close()
                self._control = None
                raise WorkerStartError(
                    f"worker processes cannot be started: {error.strerror}; free processes or memory on this machine"
                ) from error
        data = msgspec.json.encode(self._settings)
        self._control.sendall(len(data).to_bytes(4) + data)
        self.is_up, self._rest = False, b""
        return self.file

    def spawn(self, number: int, files: Sequence[int], *, once: bool) -> None:
        """Have a worker forked that holds these descriptors; where the zygote is gone they go with it."""
        assert self._control is not None
        with contextlib.suppress(OSError):
            socket.send_fds(self._control, [BIRTH.pack(number, once)], files)

    def deaths(self) -> list[Death] | None:
        """The workers that ended since the last call; None when the zygote itself is gone."""
        assert self._control is not None
        try:
            data = self._control.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except ConnectionError:
            data = b""
        if not data:
            return None
        self._rest += data
        whole = len(self._rest) - len(self._rest) % DEATH.size
        found = [Death(*record) for record in DEATH.iter_unpack(self._rest[:whole])]
        self._rest = self._rest[whole:]
        self.is_up = True
        return [death for death in found if death.number]

    def stop(self) -> None:
        """End the zygote, which ends all its workers; returns when it is gone."""
        if self._control is None or self._process is None:
            return
        self._control.close()
        self._control = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
            return
        self._process.kill()
        self._process.wait()
