"""Executors as authors write them, good and bad."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.clock import SystemClock
from orchestrator.core.orders import Completed, Order, Report, Started
from orchestrator.executors.base import BaseExecutor, ExecutorSettings
from orchestrator.executors.command import CommandExecutor
from orchestrator.executors.outliving import OutlivingExecutor
from orchestrator.names import AttemptKey
from orchestrator.ports import Adoption


class Lasting(OutlivingExecutor):
    """What it runs outlives its host."""

    def __init__(self, settings: ExecutorSettings) -> None:
        super().__init__(Path(settings.folder), settings.workers, SystemClock(), cleanup_time=timedelta(seconds=1))


class OneByOne(CommandExecutor):
    """The worked example of the docs: a process for each activity."""

    capacity = 4

    def command(self, order: Order) -> Sequence[str]:
        return [sys.executable, "-m", "orchestrator.worker.run_order"]


class Alone(OneByOne):
    capacity = 1


class Chatty(CommandExecutor):
    """Its commands greet on stdout, are none, or end at once, as the queue of the task says."""

    def command(self, order: Order) -> Sequence[str]:
        words = {
            "greets": ["echo", "Welcome to the cluster"],
            "absent": ["/nowhere/to/be/found"],
            "ends": ["sh", "-c", "exit 3"],
        }
        return words[order.queue]


class Plain(BaseExecutor):
    """Derived from the base; completes everything with what ``answer`` makes of an order."""

    def __init__(self, settings: ExecutorSettings) -> None:
        super().__init__(settings)
        self._said: list[Any] = []

    def submit(self, orders: Sequence[Order]) -> None:
        for order in orders:
            self._said += self.answer(order)

    def answer(self, order: Order) -> list[Any]:
        now = datetime.now(UTC)
        result = msgspec.Raw(b'{\n  "spread": "over lines"\n}')
        return [Started(key=order.key, at=now, worker="plain:1"), Completed(key=order.key, at=now, result=result)]

    def reports(self) -> list[Report]:
        said, self._said = self._said, []
        return said

    def next_due(self) -> datetime | None:
        return datetime.now(UTC) if self._said else None

    def go(self, keys: Sequence[AttemptKey]) -> None:
        pass

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        pass


class Wrong(Plain):
    """Says what is no report, as the queue of the task says; the default queue is served well."""

    def answer(self, order: Order) -> list[Any]:
        now = datetime.now(UTC)
        wrong = {
            "text": ["all is well"],
            "no_json": [Completed(key=order.key, at=now, result=msgspec.Raw(b"{oops"))],
            "naive": [Completed(key=order.key, at=datetime(2026, 1, 1))],  # noqa: DTZ001 - what is wrong with it
            "stranger": [Completed(key=AttemptKey(99, "nobody", -1, 1), at=now)],
        }
        if order.queue == "raises":
            raise RuntimeError("the cluster is full")
        return wrong.get(order.queue) or super().answer(order)


class Stuck(Plain):
    """Hangs in the first call."""

    def submit(self, orders: Sequence[Order]) -> None:
        time.sleep(600)

    def stop(self) -> None:
        time.sleep(600)


class Unwilling(Plain):
    def start(self) -> None:
        raise ConnectionError("no route to the cluster")


class Twice(Plain):
    """Starts where there is a file, and ends its host at the first order."""

    def start(self) -> None:
        if not Path(self.settings.folder, "open").exists():
            raise ConnectionError("the cluster is closed")

    def submit(self, orders: Sequence[Order]) -> None:
        if not Path(self.settings.folder, "steady").exists():
            os._exit(1)
        super().submit(orders)

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        return dict.fromkeys(keys, Adoption.NOT_STARTED)


class Forgetful(Plain):
    """Answers nothing of what it is asked after a restart."""

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        return {}


class Incomplete(BaseExecutor):
    def submit(self, orders: Sequence[Order]) -> None:
        pass


NOT_A_CLASS = 7
