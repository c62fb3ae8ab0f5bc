"""The roll call: each plugin is loaded in a process of its own, under a time limit, and says what it brings."""

import contextlib
import inspect
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import msgspec

from orchestrator.authoring.operator import BaseOperator
from orchestrator.dagbag.importing import LocalModules
from orchestrator.dagbag.plugin_modules import blaming, load_plugins, module_of
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagImportError
from orchestrator.plugins.candidates import Candidate, candidates
from orchestrator.plugins.cards import Card, RollJob, Trouble
from orchestrator.plugins.hooks import LISTENING
from orchestrator.plugins.plugin import Plugin

_CHUNK = 1 << 16


def main() -> None:
    """Read a RollJob from stdin, and write the cards to stdout."""
    answer = os.dup(1)
    os.dup2(2, 1)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=RollJob)
    children = [_Child(one, job) for one in candidates(Path(job.plugins))]
    found = [card for child in children for card in child.cards()]
    with os.fdopen(answer, "wb") as out:
        out.write(msgspec.json.encode(found))


class _Child:
    """The process in which one candidate is loaded."""

    def __init__(self, candidate: Candidate, job: RollJob) -> None:
        self._candidate = candidate
        self._patience = job.patience
        self._deadline = time.monotonic() + job.patience
        self._result, end = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._result)
            _become(candidate, job, end)
        os.close(end)

    def cards(self) -> list[Card]:
        """What it said, once it has ended; it is ended when it takes too long."""
        data, is_late = self._read()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        os.close(self._result)
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(data, type=list[Card])
        return [_failed(self._candidate, _death(status, self._patience, is_late=is_late))]

    def _read(self) -> tuple[bytes, bool]:
        data = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._result, selectors.EVENT_READ)
            while selector.select(max(0.0, self._deadline - time.monotonic())):
                if not (more := os.read(self._result, _CHUNK)):
                    return data, False
                data += more
        return data, True


def _become(candidate: Candidate, job: RollJob, result: int) -> NoReturn:
    """Be the process of one candidate."""
    try:
        os.setpgid(0, 0)
        with os.fdopen(result, "wb") as out:
            out.write(msgspec.json.encode(cards_of(candidate, Roots(Path(job.dags), Path(job.plugins)))))
    finally:
        os._exit(0)


def cards_of(candidate: Candidate, roots: Roots) -> list[Card]:
    """Load a candidate in this process; what it brings, or why it cannot."""
    if candidate.problem:
        return [_failed(candidate, candidate.problem)]
    try:
        with LocalModules(roots).active():
            plugins = load_plugins(candidate, roots)
            with blaming(candidate, roots):
                cards = [_card(candidate, plugin) for plugin in plugins]
            operators = _operators(module_of(candidate))
    except DagImportError as error:
        trouble = Trouble(message=error.message, file=error.file or "", line=error.line, frames=error.frames)
        return [
            Card(name=candidate.name, source=candidate.source, is_installed=candidate.is_installed, trouble=trouble)
        ]
    if operators:
        cards[0] = msgspec.structs.replace(cards[0], brings={**cards[0].brings, "operators": operators})
    return cards


def _card(candidate: Candidate, plugin: Plugin) -> Card:
    brings: dict[str, tuple[str, ...]] = {}
    for kind in ("macros", "filters"):
        brings[kind] = tuple(sorted(plugin.mapping(kind)))
    brings["secrets_backends"] = tuple(type(one).__name__ for one in plugin.backends())
    brings["executors"] = tuple(sorted(plugin.executors()))
    brings["listeners"] = tuple(name for name in LISTENING if name in plugin.hooks)
    return Card(
        name=plugin.name,
        source=candidate.source,
        is_installed=candidate.is_installed,
        brings={kind: names for kind, names in brings.items() if names},
        commands=plugin.commands_with_help(),
        ignored=plugin.ignored,
    )


def _operators(found: object) -> tuple[str, ...]:
    """The operators and sensors that a module defines itself."""
    if not isinstance(found, ModuleType):
        return ()
    own = (one for one in vars(found).values() if inspect.isclass(one) and one.__module__.startswith(found.__name__))
    return tuple(one.__name__ for one in own if issubclass(one, BaseOperator))


def _failed(candidate: Candidate, message: str) -> Card:
    return _troubled(candidate, Trouble(message=message, file=candidate.source))


def _troubled(candidate: Candidate, trouble: Trouble) -> Card:
    return Card(name=candidate.name, source=candidate.source, is_installed=candidate.is_installed, trouble=trouble)


def _death(status: int, patience: float, *, is_late: bool) -> str:
    if is_late:
        return f"loading it took longer than {patience:g} s and was ended; move slow work into its hooks"
    code = os.waitstatus_to_exitcode(status)
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
    return f"it ended the process that loaded it, {how}"
