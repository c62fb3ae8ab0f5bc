"""What is left of a defect in a worker's own code."""

import subprocess
import sys

from orchestrator.executors.epitaph import epitaph
from orchestrator.worker.wire import BUG_STATUS

_WORKER = """
import io, os, sys
from orchestrator.worker import forking

class Zygote:
    def __init__(self, control): ...
    def serve(self):
        return forking.Birth([], False)

def live(birth):
    sys.stderr = io.StringIO()  # as while a body runs
    os.dup2(1, 2)
    raise RuntimeError("a defect")

forking.Zygote = Zygote
forking.serve(None, live)
"""


def test_the_traceback_of_a_defect_comes_to_the_schedulers_stderr_and_to_the_attempts_output() -> None:
    done = subprocess.run([sys.executable, "-c", _WORKER], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == BUG_STATUS
    assert "RuntimeError: a defect" in done.stderr
    assert "RuntimeError: a defect" in done.stdout


def test_the_failure_of_its_attempt_says_where_the_traceback_is() -> None:
    said = epitaph(7, BUG_STATUS << 8)
    assert "worker process 7 ended with exit status 70" in said
    assert "the traceback is in the log of this attempt and in what the scheduler writes to stderr" in said
