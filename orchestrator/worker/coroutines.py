"""Runs an ``async def`` body to its end, in an event loop of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from orchestrator.worker.interruption import Interruption


def run_coroutine(body: Coroutine[Any, Any, Any], interruption: Interruption, stop: Callable[[], bool]) -> Any:
    """What the coroutine returns. An interruption cancels it, so that what it awaits in ``finally`` is awaited."""

    async def run() -> Any:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert task is not None

        def cancel() -> bool:
            stop()
            loop.call_soon_threadsafe(task.cancel)
            return True

        interruption.before_it(cancel)
        return await body

    return asyncio.run(run())
