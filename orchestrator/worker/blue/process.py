"""BlueProcess: one warm process that replays the workflows of many runs, for as long as its scheduler lives."""

import contextlib
import faulthandler
import math
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import NamedTuple

from orchestrator.core.particulars import Failure
from orchestrator.worker.blue.pulse import Pulse
from orchestrator.worker.blue.repertoire import make_replays
from orchestrator.worker.blue.runlog import Stenographer
from orchestrator.worker.blue.settings import BlueSettings
from orchestrator.worker.blue.wire import (
    Activate,
    Answer,
    Ask,
    Forget,
    FromBlue,
    Hello,
    Look,
    Remark,
    Reply,
    Spent,
    Stands,
    Supply,
    ToBlue,
    frame,
    to_blue,
    to_records,
    whole,
)
from orchestrator.worker.rawoutput import RawOutput

_READ = 256 * 1024
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Ends(NamedTuple):
    """What a blue process is born with: its end of the link, its pulse, and the file behind its descriptors 1 and 2."""

    link: socket.socket
    pulse: Pulse
    raw: RawOutput


class BlueProcess:
    """Takes words from its replayer and answers each in turn; it ends when that hangs up."""

    def __init__(self, ends: Ends, settings: BlueSettings) -> None:
        self._link = ends.link
        self._pulse = ends.pulse
        self._memory_limit = settings.memory_limit or math.inf
        self._is_spent = False
        stenographer = Stenographer(Path(settings.log_folder), settings.max_log_bytes, ends.raw)
        self._replays = make_replays(settings, ends.pulse, stenographer, lambda text: self._say(Remark(text=text)))

    def run(self) -> None:
        """Work until nobody is left to work for."""
        faulthandler.enable(file=2)
        faulthandler.register(signal.SIGUSR1, file=2, all_threads=False)
        self._say(Hello(pid=os.getpid()))
        frames = to_blue()
        with contextlib.suppress(ConnectionError):
            while data := self._link.recv(_READ):
                for word in frames.feed(data):
                    self._take(word)

    def _take(self, word: ToBlue) -> None:
        match word:
            case Activate():
                self._activate(word)
            case Supply():
                self._supply(word)
            case Ask():
                self._ask(word)
            case Look():
                self._say(Stands(run_key=word.run_key, standing=self._replays.standing(word.run_key)))
            case Forget():
                self._replays.forget(word.run_keys)
        self._pulse.end()
        self._look_at_memory()

    def _activate(self, word: Activate) -> None:
        activation = whole(word.activation, to_records(word.facts))
        self._say(Answer(ticket=word.ticket, word=self._replays.activate(activation)))

    def _supply(self, word: Supply) -> None:
        said = self._replays.supply(word.run_key, to_records(word.facts), is_all=word.is_all)
        if said is not None:
            self._say(Answer(ticket=word.ticket, word=said))

    def _ask(self, word: Ask) -> None:
        answer = self._replays.ask(word.run_key, word.name, word.payload)
        if isinstance(answer, Failure):
            self._say(Reply(run_key=word.run_key, failure=answer))
        else:
            self._say(Reply(run_key=word.run_key, result=answer))

    def _look_at_memory(self) -> None:
        if not self._is_spent and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT > self._memory_limit:
            self._is_spent = True
            self._say(Spent())

    def _say(self, word: FromBlue) -> None:
        self._pulse.end()  # from here on it is the replayer that is waited for
        self._link.sendall(frame(word))
