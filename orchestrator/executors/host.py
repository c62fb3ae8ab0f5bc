"""The host: a process that runs one executor of a plugin, beside its scheduler."""

import select
import socket
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import get_args

from orchestrator.core.orders import Report
from orchestrator.exceptions import UsageError
from orchestrator.executors.host_wire import (
    About,
    Adopted,
    Broken,
    Open,
    Pieces,
    Ready,
    Reported,
    Said,
    Submit,
    ToHost,
    decode_to_host,
    line,
)
from orchestrator.ports import Executor

_PORT = ("start", "submit", "go", "cancel", "take_back", "adopt", "reports", "files", "next_due", "stop")
_PAUSE = 1.0  # seconds between two calls of reports() where the executor names no time


def executor_class(classpath: str) -> type[Executor]:
    """The class of that path; UsageError where there is none, or it is no executor."""
    module, _, name = classpath.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"[core] executor is {classpath!r}, which cannot be imported: {error}") from error
    missing = [one for one in _PORT if not callable(getattr(found, one, None))]
    if not isinstance(found, type) or missing:
        lacks = f"; it has no {', '.join(missing)}" if missing else ""
        raise UsageError(f"[core] executor is {classpath!r}, which is no executor{lacks}")
    return found


class Host:
    """Calls the executor as the scheduler says, and passes on what it reports, until the scheduler hangs up."""

    def __init__(self, link: socket.socket, executor: Executor) -> None:
        self._link = link
        self._executor = executor
        self._pieces = Pieces()

    def run(self, early: list[bytes]) -> None:
        for piece in early:
            self._heed(decode_to_host(piece))
        while self._turn():
            pass
        self._executor.stop()

    def _turn(self) -> bool:
        readable, _, _ = select.select([self._link, *self._executor.files()], [], [], self._patience())
        if self._link in readable:
            data = self._link.recv(256 * 1024)
            if not data:
                return False
            for piece in self._pieces.feed(data):
                self._heed(decode_to_host(piece))
        self._pass_on()
        return True

    def _patience(self) -> float:
        due = self._executor.next_due()
        return _PAUSE if due is None else min(_PAUSE, max(0.0, (due - datetime.now(UTC)).total_seconds()))

    def _heed(self, word: ToHost) -> None:
        try:
            self._call(word)
        except Exception as error:
            self._say(Broken(message=f"{type(error).__name__}: {error}"))

    def _call(self, word: ToHost) -> None:
        match word:
            case Submit(orders=orders):
                self._executor.submit(orders)
            case About(call="adopt", keys=keys):
                self._say(Adopted(found=tuple(self._executor.adopt(keys).items())))
            case About(call=call, keys=keys):
                getattr(self._executor, call)(keys)

    def _pass_on(self) -> None:
        try:
            reports = self._executor.reports()
        except Exception as error:
            self._say(Broken(message=f"reports() raised {type(error).__name__}: {error}"))
            return
        for report in reports:
            if isinstance(report, get_args(Report)):
                self._say(Reported(report=report))
            else:
                self._say(Broken(message=f"reports() gave {report!r}, which is no report"))

    def _say(self, word: Said) -> None:
        self._link.sendall(line(word))


def main() -> None:
    """Arguments: the descriptor of the socket to the scheduler."""
    link = socket.socket(fileno=int(sys.argv[1]))
    pieces: list[bytes] = []
    feeder = Pieces()
    while not pieces:
        data = link.recv(256 * 1024)
        if not data:
            return
        pieces = feeder.feed(data)
    opening = decode_to_host(pieces.pop(0))
    assert isinstance(opening, Open)
    try:
        executor = executor_class(opening.classpath)(opening.settings, Path(opening.folder))  # type: ignore[call-arg]
        executor.start()
    except Exception as error:
        said = str(error) if isinstance(error, UsageError) else f"{opening.classpath}: {type(error).__name__}: {error}"
        link.sendall(line(Ready(trouble=said)))
        return
    link.sendall(line(Ready()))
    host = Host(link, executor)
    host._pieces = feeder
    host.run(pieces)
