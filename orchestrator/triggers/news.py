"""News: looks again whenever something was recorded in this home; thousands of triggers ask for that as one."""

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar, TypeVar

from orchestrator.authoring.neighbours import neighbours
from orchestrator.exceptions import StorageUnavailableError

T = TypeVar("T")

_FRESH = 0.25  # seconds for which an answer serves all


async def when_so(look: Callable[[], T | None], every: float) -> T:
    """The first thing that ``look`` gives, which is called in a thread, at most ``every`` so many seconds, and only
    where there is something new. A database that is away is waited for.
    """
    seen: int | None = None
    while True:
        try:
            now = await _Last.position()
            if now != seen and (found := await asyncio.to_thread(look)) is not None:
                return found
            seen = now
        except StorageUnavailableError:
            seen = None
        await asyncio.sleep(every)


class _Last:
    """The last question for the end of all histories, and when it was asked."""

    asking: ClassVar["asyncio.Task[int] | None"] = None
    asked_at: ClassVar[float] = 0.0

    @classmethod
    async def position(cls) -> int:
        loop, now, asking = asyncio.get_running_loop(), time.monotonic(), cls.asking
        if asking is None or asking.get_loop() is not loop or now - cls.asked_at > _FRESH:
            cls.asked_at = now
            asking = cls.asking = loop.create_task(asyncio.to_thread(lambda: neighbours().position()))
        return await asyncio.shield(asking)
