"""TriggersProcess: thousands of triggers in one event loop, for as long as their scheduler lives."""

import asyncio
import contextlib
import faulthandler
import os
import signal
import socket
from pathlib import Path

from orchestrator.authoring.neighbours import keep_neighbours
from orchestrator.authoring.typed.types import AuthorTypes
from orchestrator.authoring.vault import keep_vault
from orchestrator.core.orders import Fired
from orchestrator.core.typed import keep_types
from orchestrator.core.waits import Wait
from orchestrator.dagbag.classes import VersionClasses
from orchestrator.worker.exchange import RunDatabase
from orchestrator.worker.triggers.code import Code
from orchestrator.worker.triggers.journal import Journal
from orchestrator.worker.triggers.overhearing import overhear
from orchestrator.worker.triggers.settings import TriggererSettings
from orchestrator.worker.triggers.vigil import Vigil
from orchestrator.worker.triggers.watchdog import Watchdog
from orchestrator.worker.triggers.wire import (
    Begin,
    End,
    Ended,
    FromTriggers,
    Hello,
    Told,
    ToTriggers,
    frame,
    to_triggers,
)
from orchestrator.worker.vault import vault_of

_READ = 256 * 1024


class TriggersProcess:
    """Takes words from its triggerer; it ends, with all that its triggers have started, when that hangs up.

    ``code`` is the folder of the version whose modules its triggers are in, empty where they are installed.
    """

    def __init__(self, link: socket.socket, settings: TriggererSettings) -> None:
        self._link = link
        self._settings = settings
        self._journal = Journal(Path(settings.log_folder), settings.max_log_bytes, _say_aloud)
        self._code = contextlib.ExitStack()
        self._vigil: Vigil | None = None
        self._writer: asyncio.StreamWriter

    def run(self) -> None:
        """Work until nobody is left to work for."""
        faulthandler.enable(file=overhear())
        self._journal.install()
        runs = RunDatabase(self._settings.run_database)
        keep_neighbours(runs.states)
        told = self._settings
        keep_vault(vault_of(told.database, told.fernet_key, told.fernet_file, told.backing))
        keep_types(AuthorTypes(VersionClasses(told.allowed_classes)))
        with contextlib.suppress(ConnectionError):
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        reader, self._writer = await asyncio.open_connection(sock=self._link)
        self._say(Hello(pid=os.getpid()))
        frames = to_triggers()
        while data := await reader.read(_READ):
            for word in frames.feed(data):
                self._take(word)
        os.killpg(0, signal.SIGKILL)

    def _take(self, word: ToTriggers) -> None:
        match word:
            case Begin():
                if self._vigil is None:
                    self._vigil = self._new_vigil(word.code)
                self._vigil.begin(word.waits)
            case End():
                if self._vigil is not None:
                    self._vigil.end(word.tickets)
                self._say(Ended(number=word.number))

    def _new_vigil(self, folder: str) -> Vigil:
        loop, code = asyncio.get_running_loop(), Code(folder)
        self._code.enter_context(code.active())
        vigil = Vigil(loop, self._journal, code.prepare, self._tell)
        Watchdog(loop, self._settings.patience, vigil.wait_of, self._warn).start()
        return vigil

    def _tell(self, report: Fired) -> None:
        self._say(Told(report=report))

    def _say(self, word: FromTriggers) -> None:
        self._writer.write(frame(word))

    def _warn(self, wait: Wait | None, text: str) -> None:
        """At once, though the loop is blocked."""
        if wait is not None:
            self._journal.note(wait.log, "WARNING", text)
        _say_aloud(text)


def _say_aloud(text: str) -> None:
    """Among the messages of the scheduler."""
    os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))
