from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.clock import SystemClock
from orchestrator.executors.local import LocalExecutor
from orchestrator.ports import Executor
from tests.worker.workshop import Bench, Workshop, make_executor


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the executor that the tests share keeps logs and payloads."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="session")
def shared_executor(tmp_path_factory: pytest.TempPathFactory, stores: Path) -> Iterator[Executor]:
    executor = make_executor("local", Workshop(tmp_path_factory.mktemp("shared"), stores=stores))
    executor.start()
    yield executor
    executor.stop()


@pytest.fixture
def shop(tmp_path: Path, stores: Path) -> Workshop:
    return Workshop(tmp_path, stores=stores)


@pytest.fixture
def bench(shared_executor: Executor) -> Bench:
    """A local executor with standard settings, that has run other things before: starting one takes half a second."""
    return Bench(shared_executor)


@pytest.fixture
def open_bench(shop: Workshop) -> Iterator[Callable[..., Bench]]:
    """``open_bench(workers=…, parallelism=…, **worker settings)``: a local executor of the test's own."""
    opened: list[Bench] = []

    def open_bench(
        *,
        workers: int = 1,
        parallelism: int = 4,
        window: int = 16,
        idle_time: float = 60.0,
        cleanup_time: float = 5.0,
        **settings: Any,
    ) -> Bench:
        executor = LocalExecutor(
            shop.settings(**settings),
            SystemClock(),
            workers=workers,
            parallelism=parallelism,
            window=window,
            idle_time=timedelta(seconds=idle_time),
            cleanup_time=timedelta(seconds=cleanup_time),
        )
        executor.start()
        opened.append(Bench(executor))
        return opened[-1]

    yield open_bench
    for bench in opened:
        bench.executor.stop()
