"""An executor as a plugin brings it: made by its host with the settings of workers and a folder of its own."""

from datetime import timedelta
from pathlib import Path

from orchestrator.clock import SystemClock
from orchestrator.executors.outliving import OutlivingExecutor
from orchestrator.worker.settings import WorkerSettings


class SampleExecutor(OutlivingExecutor):
    def __init__(self, settings: WorkerSettings, folder: Path) -> None:
        super().__init__(folder, settings, SystemClock(), cleanup_time=timedelta(seconds=1))
