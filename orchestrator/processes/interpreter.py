"""Interpreter: processes that begin with nothing but Python."""

import os
import subprocess
import sys
from collections.abc import Sequence

import msgspec

from orchestrator.processes.entry import Entry, Process

# Not -m: what a body starts by multiprocessing would take this process for the program to import. -P and the path: it
# finds the modules that its starter finds, and no others beside its working folder.
_PROGRAM = """
import sys
sys.path[:] = sys.argv[3:]
from json import loads
from pkgutil import resolve_name
sys.exit(resolve_name(sys.argv[1])(*loads(sys.argv[2])))
"""


class Interpreter:
    """An ``Origin`` that shares nothing: each process imports all that it needs by itself."""

    def start(self, entry: Entry, *, stdin: int | None = None, files: Sequence[int] = ()) -> Process:
        given = msgspec.json.encode([*entry.arguments, *files]).decode()
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, entry.target, given, *sys.path],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            pass_fds=files,
            start_new_session=True,
            env={**os.environ, **entry.environment},
        )
