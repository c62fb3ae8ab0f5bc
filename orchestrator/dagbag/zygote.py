"""The zygote: a process that has authoring loaded, and forks one child for each DAG file that is to be parsed.

The child runs the author's code in a process group of its own, under limits of time and memory, with its output
caught; whatever it does, the zygote lives on and tells the dag processor. It ends when the dag processor does.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import time
from collections import deque
from pathlib import Path
from typing import NoReturn

import msgspec

import orchestrator
import orchestrator.operators
from orchestrator.dagbag.child import BROKEN, CLOSED, run_child
from orchestrator.dagbag.frames import receive, send
from orchestrator.dagbag.jobs import Job, Outcome, Request
from orchestrator.dagbag.parsing import Parse
from orchestrator.dagbag.quarantine.installing import install
from orchestrator.dagbag.roots import PLUGINS

_CHUNK = 1 << 16
_GRACE = 1.0  # a child that is late ends itself and says where it stood; only one that cannot is killed
_OUTPUT = 16 * 1024


class _Child:
    """A child process, and the ends of its two pipes that are the zygote's."""

    def __init__(self, request: Request, pid: int, result: int, output: int) -> None:
        self.request = request
        self.pid = pid
        self.files = (result, output)
        self.result = bytearray()
        self.output = b""
        self.deadline = time.monotonic() + request.job.limits.timeout + _GRACE
        self.late = False

    def read(self, file: int) -> bool:
        """Take in what there is to read; False when there will be no more."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(file, _CHUNK)
            if file == self.files[0]:
                self.result += data
            else:
                self.output = (self.output + data)[-_OUTPUT:]
            return bool(data)
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def end(self) -> Outcome:
        """The process has closed its result, or has to: end it, with all that it started."""
        self.kill()
        _, status = os.waitpid(self.pid, 0)
        self.read(self.files[1])
        for file in self.files:
            os.close(file)
        death = _death(os.waitstatus_to_exitcode(status), self)
        return Outcome(id=self.request.id, death=death, output=self.output.decode("utf-8", "replace"))


class Zygote:
    """Serves one connection until its other side goes, with at most ``parallel`` children at a time.

    Those ask for variables and connections through ``door``.
    """

    def __init__(self, connection: socket.socket, parallel: int, door: int) -> None:
        self._connection = connection
        self._door = door
        self._parallel = parallel
        self._waiting: deque[Request] = deque()
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)

    def serve(self) -> None:
        while True:
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is not self._connection:
                    self._read(key.data, key.fd)
                elif (frame := receive(self._connection)) is not None:
                    self._waiting.append(msgspec.json.decode(frame[0], type=Request))
                else:
                    return
            self._kill_late_ones()
            while self._waiting and len(self._children) < self._parallel:
                self._start(self._waiting.popleft())

    def close(self) -> None:
        """End all children."""
        for child in self._children:
            child.kill()

    def _patience(self) -> float | None:
        """Seconds until the first deadline."""
        deadlines = [child.deadline for child in self._children if not child.late]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _start(self, request: Request) -> None:
        result, result_end = os.pipe()
        output, output_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become(request.job, result_end, output_end)
        for file in (result_end, output_end):
            os.close(file)
        with contextlib.suppress(OSError):  # the child does the same: whoever comes first
            os.setpgid(pid, pid)
        child = _Child(request, pid, result, output)
        self._children.append(child)
        for file in child.files:
            os.set_blocking(file, False)
            self._selector.register(file, selectors.EVENT_READ, child)

    def _become(self, job: Job, result: int, output: int) -> NoReturn:
        """Be the child: hold nothing that is the zygote's."""
        self._selector.close()
        self._connection.close()
        for child in self._children:
            for file in child.files:
                os.close(file)
        run_child(job, result, output, self._door)

    def _read(self, child: _Child, file: int) -> None:
        if child not in self._children or child.read(file):
            return
        self._selector.unregister(file)
        if file == child.files[0]:
            self._finish(child)

    def _finish(self, child: _Child) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(child.files[1])
        self._children.remove(child)
        outcome = child.end()
        body = b"" if outcome.death else bytes(child.result)
        send(self._connection, msgspec.json.encode(outcome), body)

    def _kill_late_ones(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.deadline <= now and not child.late:
                child.late = True
                child.kill()


def _death(status: int, child: _Child) -> str:
    """What became of a process that has not handed in its result; empty where it has."""
    if child.late:
        timeout = child.request.job.limits.timeout
        return f"parsing took longer than {timeout:g} s and could not be interrupted, so its process was killed"
    if status < 0:
        name = signal.Signals(-status).name
        return f"the process that parsed the file was ended by {name}; a library has crashed, or memory ran out"
    if status == BROKEN:
        return "the file could not be parsed by a fault of the program itself; please report it with the lines below"
    if status == CLOSED:
        return "the file has closed files that are not its own, so that its parse ended without a result; it may not"
    if status > 0 or not child.result:
        return f"the file ended the process that parsed it, with exit status {status}; a DAG file has to run to its end"
    return ""


def _warm_up() -> None:
    """Load and run once what every parse needs, then keep the collector off it: the children share it as it is."""
    for name in orchestrator.__all__:
        getattr(orchestrator, name)
    install()
    folder = Path(__file__).parent
    msgspec.json.encode(Parse(Job(file="sample.py", folder=str(folder), plugins=str(folder / PLUGINS))).run())
    gc.collect()
    gc.freeze()


def main(file: int, parallel: int, door: int) -> None:
    """Serve the socket that is open as ``file``; the children ask through ``door``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the dag processor's to answer
    _warm_up()
    with socket.socket(fileno=file) as connection:
        zygote = Zygote(connection, parallel, door)
        try:
            zygote.serve()
        except ConnectionError:
            pass  # the dag processor has gone
        finally:
            zygote.close()
