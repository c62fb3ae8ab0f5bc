"""Logbook: keeps the log of each attempt that this process runs, with all that its body says."""

from pathlib import Path

from orchestrator.core.orders import Failed, Order, Report, Skipped
from orchestrator.worker.capture import Capture
from orchestrator.worker.log import AttemptLog
from orchestrator.worker.rawoutput import RawOutput
from orchestrator.worker.settings import WorkerSettings


class Logbook:
    """Takes the process's output over and gives it to one attempt after another; ``worker`` is host:pid."""

    def __init__(self, settings: WorkerSettings, raw: RawOutput, worker: str) -> None:
        self._worker = worker
        self._log = AttemptLog(Path(settings.log_folder), settings.max_log_bytes, raw, raw.take_over())
        self._capture = Capture(self._log)
        self._capture.install()

    def begin(self, order: Order) -> None:
        """What is said from here on belongs to this order's attempt."""
        self._capture.restore()
        self._log.begin(order.log, self._heading(order))

    def collect(self) -> None:
        """Take in what was said past ``sys.stdout``; at any time and from any thread."""
        self._log.collect()

    def end(self, report: Report) -> None:
        """Close the log with how the attempt ended; a success that said nothing has no log."""
        self._capture.end_lines()
        self._log.settle()
        self._log.end(self._ending(report))

    def _heading(self, order: Order) -> str:
        key = order.key
        index = "" if key.map_index < 0 else f" [{key.map_index}]"
        place = f"{order.dag_id}.{key.task_id}{index}" if key.task_id else order.dag_id
        if key.callback is not None:
            after = f" of attempt {key.attempt}" if key.task_id else ""
            return f"{place} in run {order.run_id}: {key.callback}_callback{after} begins in worker {self._worker}"
        return f"{place} in run {order.run_id}: attempt {order.key.attempt} begins in worker {self._worker}"

    def _ending(self, report: Report) -> list[tuple[str, str]]:
        if isinstance(report, Failed):
            frames = [("ERROR", frame) for frame in report.failure.frames]
            return [*frames, ("ERROR", f"failed ({report.kind}): {report.failure.message}")]
        if not self._log.is_written:
            return []
        if isinstance(report, Skipped):
            return [("INFO", f"skipped itself: {report.reason}")]
        return [("INFO", type(report).__name__.lower())]
