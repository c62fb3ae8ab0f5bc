"""Executors as authors write them."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from orchestrator.clock import SystemClock
from orchestrator.core.orders import Order
from orchestrator.executors.base import ExecutorSettings
from orchestrator.executors.command import CommandExecutor
from orchestrator.executors.outliving import OutlivingExecutor


class Lasting(OutlivingExecutor):
    """What it runs outlives its host."""

    def __init__(self, settings: ExecutorSettings) -> None:
        super().__init__(Path(settings.folder), settings.workers, SystemClock(), cleanup_time=timedelta(seconds=1))


class OneByOne(CommandExecutor):
    """The worked example of the docs: a process for each activity."""

    capacity = 4

    def command(self, order: Order) -> Sequence[str]:
        return [sys.executable, "-m", "orchestrator.worker.run_order"]
