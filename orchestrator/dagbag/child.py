"""What becomes of a forked process that parses one file: limits, then the parse, then its result, then the end."""

import os
import resource
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

import msgspec

from orchestrator.dagbag.jobs import Job
from orchestrator.dagbag.parsing import Parse
from orchestrator.ports import ParsedFile

BROKEN = 70
"""The exit status of a parse that failed by a fault of ours."""

_ENDED = 0


def run_child(job: Job, result: int, output: int) -> NoReturn:
    """Parse, write the ParsedFile as JSON to ``result``, and leave; what is printed goes to ``output``."""
    status = BROKEN
    try:
        os.setpgid(0, 0)
        _redirect(output)
        _limit(job)
        _write(result, _parse(job, result))
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
    memory = job.limits.memory if hard == resource.RLIM_INFINITY else min(job.limits.memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))


def _parse(job: Job, result: int) -> ParsedFile:
    parse = Parse(job)

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
    while rest:
        rest = rest[os.write(file, rest) :]
