"""LogSearch: a word or an expression is looked for in a log, a stretch at a time, in a process of its own.

An expression may take for ever, and none can be ended from inside: the process is ended instead.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

import orchestrator
from orchestrator.exceptions import UsageError

MOST_LETTERS = 1000
MOST_HITS = 5000
_STRETCH = 0.5
_CPU_SECONDS = 3
_PATIENCE = 30.0
_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT = 0.1
_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from orchestrator.assembly.log_scan import main; main()"
_COMMAND = (sys.executable, "-I", "-S", "-c", _CODE, str(Path(orchestrator.__file__).parent.parent))

Level = Literal["error", "warning", "info", "debug", "output"]


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: lines of these ``levels``, or of all, in which ``q`` is, if there is one."""

    q: str = ""
    regex: bool = False
    case: bool = False
    levels: list[Level] = []


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a stretch of a log had: ``hits`` are the numbers of its lines, from 0, each followed by the beginnings and
    ends of what was found in it, as JavaScript counts letters and without the colours; ``count`` of how many lines.

    The next stretch begins at the byte ``at``, in the line ``line``; there is none where that is ``size``.
    """

    hits: list[list[int]]
    count: int
    at: int
    line: int
    size: int


class _Wrong(msgspec.Struct, frozen=True, kw_only=True):
    wrong: str


def search(paths: Sequence[str], size: int, sought: Sought, at: int, line: int, most: int) -> Found:
    """As far as it comes in half a second; nowhere, where others search just now. ``most`` hits are told, about.

    UsageError for an expression that is none, or that takes too long.
    """
    if len(sought.q) > MOST_LETTERS:
        raise UsageError(f"what is looked for has {MOST_LETTERS} letters at most")
    if not _AT_ONCE.acquire(timeout=_WAIT):
        return Found(hits=[], count=0, at=at, line=line, size=size)
    try:
        place = {"paths": paths, "at": at, "line": line, "most": min(most, MOST_HITS)}
        patience = {"seconds": _STRETCH, "cpu_seconds": _CPU_SECONDS}
        return _ask(msgspec.json.encode(msgspec.to_builtins(sought) | place | patience), line)
    finally:
        _AT_ONCE.release()


def _ask(wanted: bytes, line: int) -> Found:
    try:
        done = subprocess.run(
            _COMMAND, input=wanted, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise _too_dear(line) from None
    if done.returncode != 0:
        raise _too_dear(line)
    try:
        return msgspec.json.decode(done.stdout, type=Found)
    except msgspec.ValidationError:
        wrong = msgspec.json.decode(done.stdout, type=_Wrong).wrong
        raise UsageError(f"this is no regular expression: {wrong}") from None


def _too_dear(line: int) -> UsageError:
    return UsageError(
        f"this expression takes too long, it was given up after line {line:,}; make it simpler, such as without one "
        "repetition inside of another"
    )
