"""Sprouting: what the seed does, in the seed and in the processes that it forks.

It is sent a length and an entry in JSON, with descriptors: where to report to, standard input, and those of the entry.
"""

import contextlib
import os
import select
import signal
import socket
import struct
import sys
import traceback
from types import ModuleType
from typing import NamedTuple, NoReturn

import msgspec

from orchestrator.processes.endings import Endings
from orchestrator.processes.entry import Entry
from orchestrator.processes.title import set_title

SIZE = struct.Struct("<I")
_WORD = struct.Struct("<i")
_MOST_FILES = 16
_DEFECT = 70  # EX_SOFTWARE


class _Asked(NamedTuple):
    """A process that is to be."""

    entry: Entry
    report: int
    stdin: int
    files: list[int]


def hear(report: int) -> int | None:
    """The next word about a process: its pid, or the negative errno for which there is none; then its exit status.
    None where there is no seed any more."""
    word = os.read(report, _WORD.size)
    return _WORD.unpack(word)[0] if word else None


def sprout(control: int) -> NoReturn:
    """Be the seed of whoever is on the other side of that socket, until that is gone."""
    set_title("orchestrator.seed")
    with contextlib.suppress(ConnectionError):
        _Seed(socket.socket(fileno=control)).serve()
    os._exit(0)


class _Seed:
    """Forks, and reports to each descriptor how the process ended that it stands for, by pid."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._endings = Endings()
        self._reports: dict[int, int] = {}

    def serve(self) -> None:
        look = select.poll()
        for each in (self._control, self._endings):
            look.register(each, select.POLLIN)
        while True:
            ready = dict(look.poll())
            if self._endings.fileno() in ready:
                self._report()
            if self._control.fileno() in ready:
                asked = self._asked()
                if asked is None:
                    return
                self._fork(asked)

    def _asked(self) -> _Asked | None:
        size, files, _, _ = socket.recv_fds(self._control, SIZE.size, _MOST_FILES)
        if not size:
            return None
        words = self._control.recv(SIZE.unpack(size)[0], socket.MSG_WAITALL)
        report, stdin, *own = files
        return _Asked(msgspec.json.decode(words, type=Entry), report, stdin, own)

    def _fork(self, asked: _Asked) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            pid = -(error.errno or 1)
        if pid == 0:
            self._be(asked)
        for file in (asked.stdin, *asked.files):
            os.close(file)
        _tell(asked.report, pid)
        if pid > 0:
            self._reports[pid] = asked.report
        else:
            os.close(asked.report)

    def _report(self) -> None:
        for pid, status in self._endings.reap():
            report = self._reports.pop(pid)
            _tell(report, os.waitstatus_to_exitcode(status))
            os.close(report)

    def _be(self, asked: _Asked) -> NoReturn:
        """In a new process: let go of what is the seed's, and run the entry."""
        self._endings.let_go()
        self._control.close()
        for report in (asked.report, *self._reports.values()):
            os.close(report)
        _settle_in(asked)
        _run(asked)


def _tell(report: int, word: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know
        os.write(report, _WORD.pack(word))


def _settle_in(asked: _Asked) -> None:
    """Be as a process that has just been started."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(asked.stdin, 0)
    os.close(asked.stdin)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the end
    # What a body starts by multiprocessing would take the command for the program to import.
    sys.modules["__main__"] = ModuleType("__main__")
    os.environ.update(asked.entry.environment)
    set_title(asked.entry.title)


def _run(asked: _Asked) -> NoReturn:
    """Ends this process by force: the way out through whoever planted the seed is not its own."""
    status = _DEFECT
    try:
        status = asked.entry.run(asked.files)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
