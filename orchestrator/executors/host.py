"""The host: a process that runs one executor of an author, beside its scheduler."""

import os
import select
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from orchestrator.core.orders import Report
from orchestrator.dagbag.live_plugins import LivePlugins
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import ConfigError
from orchestrator.executors.host_wire import (
    About,
    Adopted,
    Broken,
    Open,
    Ready,
    Reported,
    Said,
    Submit,
    ToHost,
    decode_from_host,
    decode_to_host,
)
from orchestrator.executors.made import made
from orchestrator.names import AttemptKey
from orchestrator.ports import Adoption, Executor
from orchestrator.worker.wire import Pieces, encode, frame

_PAUSE = 1.0  # seconds between two calls of reports() where the executor names no time
_READ = 256 * 1024
_STOP_SECONDS = 8.0  # less than the scheduler waits for it


class Link:
    """The socket to the scheduler."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._pieces = Pieces()

    def fileno(self) -> int:
        return self._link.fileno()

    def hear(self) -> Iterator[ToHost] | None:
        """What has come, waiting for something; None once the scheduler has hung up."""
        try:
            data = self._link.recv(_READ)
        except ConnectionError:
            data = b""
        return map(decode_to_host, self._pieces.feed(data)) if data else None

    def say(self, word: Said) -> None:
        self._link.sendall(frame(word))


class Host:
    """Calls the executor as the scheduler says, and passes on what it reports, until the scheduler hangs up."""

    def __init__(self, link: Link, executor: Executor) -> None:
        self._link = link
        self._executor = executor

    def run(self, early: Iterator[ToHost]) -> None:
        words: Iterator[ToHost] | None = early
        while words is not None:
            for word in words:
                self._heed(word)
            self._pass_on()
            words = self._wait()

    def _wait(self) -> Iterator[ToHost] | None:
        files, patience = self._moments()
        readable, _, _ = select.select([self._link.fileno(), *files], [], [], patience)
        return self._link.hear() if self._link.fileno() in readable else iter(())

    def _moments(self) -> tuple[list[int], float]:
        try:
            due = self._executor.next_due()
            files = list(self._executor.files())
            left = _PAUSE if due is None else (due - datetime.now(UTC)).total_seconds()
        except Exception as error:
            self._link.say(Broken(message=f"files() or next_due() raised {_named(error)}"))
            return [], _PAUSE
        return files, min(_PAUSE, max(0.0, left))

    def _heed(self, word: ToHost) -> None:
        match word:
            case Submit(order=order):
                self._try("submit", [order], (order.key,))
            case About(call="adopt", keys=keys):
                self._adopt(keys)
            case About(call=call, keys=keys):
                self._try(call, list(keys), keys if call == "go" else ())
            case Open():
                raise AssertionError("a host is opened once")

    def _try(self, call: str, what: Sequence[object], keys: tuple[AttemptKey, ...]) -> None:
        try:
            getattr(self._executor, call)(what)
        except Exception as error:
            self._link.say(Broken(message=f"{call}() raised {_named(error)}", keys=keys))

    def _adopt(self, keys: tuple[AttemptKey, ...]) -> None:
        try:
            said = self._executor.adopt(list(keys))
            found = tuple((key, Adoption(said.get(key, Adoption.UNKNOWN))) for key in keys)
        except Exception as error:
            self._link.say(Broken(message=f"adopt() raised {_named(error)}"))
            found = tuple((key, Adoption.UNKNOWN) for key in keys)
        self._link.say(Adopted(found=found))

    def _pass_on(self) -> None:
        try:
            reports = list(self._executor.reports())
        except Exception as error:
            self._link.say(Broken(message=f"reports() raised {_named(error)}"))
            return
        for report in reports:
            self._link.say(_checked(report))


def _checked(report: Report) -> Reported | Broken:
    """The report, if a scheduler can take it in."""
    key = getattr(report, "key", None)
    keys = (key,) if isinstance(key, AttemptKey) else ()
    if not isinstance(report, get_args(Report)):
        return Broken(message=f"reports() gave {_short(report)}, which is no report", keys=keys)
    try:
        word = Reported(report=report)
        decode_from_host(encode(word))
    except Exception as error:  # a result that is no JSON, fields of other types
        return Broken(message=f"reports() gave a {type(report).__name__} that cannot be read: {error}", keys=keys)
    if report.at.tzinfo is None:
        return Broken(message=f"reports() gave a {type(report).__name__} whose at has no time zone", keys=keys)
    return word


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _short(thing: object) -> str:
    text = repr(thing)
    return text if len(text) < 200 else f"{text[:200]}…"


def _started(opening: Open, plugins: LivePlugins) -> tuple[Executor | None, Ready]:
    """The executor at work; None, and why, where it does not start."""
    try:
        Path(opening.settings.folder).mkdir(parents=True, exist_ok=True)
        executor = made(opening.maker, opening.settings, plugins)
        executor.start()
    except ConfigError as error:
        return None, Ready(trouble=str(error), is_setting=True)
    except Exception as error:
        return None, Ready(trouble=f"the executor {opening.maker.named} does not start: {_named(error)}")
    return executor, Ready()


def _stop(executor: Executor) -> None:
    """Stop it, or end without that."""
    timer = threading.Timer(_STOP_SECONDS, os._exit, [1])
    timer.daemon = True
    timer.start()
    executor.stop()


def _opening(link: Link) -> tuple[Open | None, Iterator[ToHost]]:
    """The first word, and what came with it."""
    while (words := link.hear()) is not None:
        for word in words:
            assert isinstance(word, Open)
            return word, words
    return None, iter(())


def main() -> None:
    """Arguments: the descriptor of the socket to the scheduler."""
    os.set_inheritable(int(sys.argv[1]), False)
    link = Link(socket.socket(fileno=int(sys.argv[1])))
    sys.argv[:] = ["orchestrator-executor"]
    opening, words = _opening(link)
    if opening is None:
        return
    plugins = LivePlugins(Roots(Path(opening.maker.dags), Path(opening.maker.plugins)))
    with plugins.active():
        executor, ready = _started(opening, plugins)
        link.say(ready)
        if executor is not None:
            try:
                Host(link, executor).run(words)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the scheduler is gone
            finally:
                _stop(executor)
