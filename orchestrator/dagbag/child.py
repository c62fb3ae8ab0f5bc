"""What becomes of a forked process that parses one file: limits, then the parse, then its result, then the end."""

import contextlib
import errno
import os
import resource
import signal
import socket
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from orchestrator.authoring.vault import keep_vault
from orchestrator.dagbag.asking import AskingVault
from orchestrator.dagbag.jobs import Job
from orchestrator.dagbag.parsing import Parse
from orchestrator.ports import ParsedFile

BROKEN = 70
"""The exit status of a parse that failed by a fault of ours."""

CLOSED = 71
"""The exit status of a parse whose file closed what its result was to be written to."""

_ENDED = 0


def run_child(job: Job, result: int, output: int, door: int) -> NoReturn:
    """Parse, write the ParsedFile as JSON to ``result``, and leave; what is printed goes to ``output``.

    Variables and connections are asked for through ``door``.
    """
    status = BROKEN
    try:
        os.setpgid(0, 0)
        _redirect(output)
        _limit(job)
        vault = AskingVault(socket.socket(fileno=door))
        keep_vault(vault)
        _write(result, _parse(job, vault, result))
        status = _ENDED
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)  # no atexit hooks, no waiting for the author's threads


def _redirect(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)


def _limit(job: Job) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [job.limits.memory, physical, *([] if hard == resource.RLIM_INFINITY else [hard])]
    with contextlib.suppress(ValueError, OSError):  # not every system knows these limits
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    with contextlib.suppress(OSError):  # should memory run out all the same, this process is the one to go
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _parse(job: Job, vault: AskingVault, result: int) -> ParsedFile:
    parse = Parse(job, vault.stamps)

    def time_is_up(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the protocol of signals
        # Nothing is raised into the author's code: it could be caught there.
        _write(result, parse.cut_short(frame))
        os._exit(_ENDED)

    signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, job.limits.timeout)
    parse.listen()
    parsed = parse.run()
    signal.setitimer(signal.ITIMER_REAL, 0)
    return parsed


def _write(file: int, parsed: ParsedFile) -> None:
    rest = memoryview(msgspec.json.encode(parsed))
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        os._exit(CLOSED)
