"""HostProcess: the scheduler's side of a host. Nothing here waits, but to start it and to stop it."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys

import msgspec

from orchestrator.exceptions import WorkerStartError
from orchestrator.executors.channel import Channel
from orchestrator.executors.host_wire import FromHost, Open, Said, decode_from_host
from orchestrator.worker.wire import Pieces, frame

_STOP_SECONDS = 10.0
_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from orchestrator.executors.host import main; main()"


class HostProcess:
    """One host from its start to its end."""

    def __init__(self, opening: Open, selector: selectors.BaseSelector) -> None:
        self._pieces = Pieces()
        self._channel = Channel(selector, self)
        with self._channel.far as far:
            command = [sys.executable, "-P", "-c", _PROGRAM, str(far.fileno()), *sys.path]
            try:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, pass_fds=[far.fileno()], start_new_session=True
                )
            except OSError as error:
                self._channel.hang_up()
                raise WorkerStartError(
                    f"the process of an executor cannot be started: {error.strerror}; free processes or memory here"
                ) from error
        self.tell(opening)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes from it."""
        return self._channel.has_ended

    def tell(self, word: Said) -> None:
        """Send it, or keep it until it can be."""
        self._channel.send(frame(word))

    def hear(self) -> list[FromHost]:
        """What it has said; nothing more where it said what no host says."""
        try:
            return [decode_from_host(piece) for piece in self._pieces.feed(self._channel.receive())]
        except msgspec.MsgspecError:
            self._channel.hang_up()
            return []

    def bury(self) -> int | None:
        """End what is left of it; its status, None where it had not ended by itself."""
        status = self._process.poll()
        self._kill()
        return status

    def stop(self) -> None:
        """Hang up, upon which the host stops its executor and ends; returns when it is gone."""
        self._channel.hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
