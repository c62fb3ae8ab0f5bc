"""RunLog: what the code of a workflow says goes into the log of its run; not while it is replayed."""

from pathlib import Path

from orchestrator.authoring.blue import current_blue, is_blue
from orchestrator.core.orders import log_path
from orchestrator.worker.blue.lifting import lifted
from orchestrator.worker.capture import Capture
from orchestrator.worker.log import AttemptLog
from orchestrator.worker.rawoutput import RawOutput

_BEFORE_ALL_FACTS = 0


def run_log(run_key: int) -> str:
    """Where the log of a workflow's own code lies below the log folder."""
    return log_path(run_key, _BEFORE_ALL_FACTS, -1)


class RunLog(AttemptLog):
    """One log for each run, added to by every stretch of its code; a stretch has ``limit`` bytes."""

    @property
    def is_deaf(self) -> bool:
        """Whether anything said now is dropped: it was said before, or no code of a workflow runs."""
        return super().is_deaf or (is_blue() and current_blue().run.is_replaying)

    def _append(self, data: bytes) -> None:
        with lifted():  # to write this down is no effect of the author's
            super()._append(data)


class Stenographer:
    """Takes a blue process's output over, and gives what each stretch of code says to the log of its run."""

    def __init__(self, folder: Path, limit: int, raw: RawOutput) -> None:
        self._raw = raw
        self._log = RunLog(folder, limit, raw, raw.take_over())
        self._capture = Capture(self._log)
        self._capture.install()

    def begin(self, run_key: int) -> None:
        """What is said from here on belongs to that run."""
        self._capture.restore()
        self._log.begin(run_log(run_key), "")

    def end(self) -> None:
        """Nothing belongs to it any more."""
        self._capture.end_lines()
        if self._raw.has_more():
            self._log.settle()
        self._log.end()
