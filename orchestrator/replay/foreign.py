"""What code finds that looks for a running event loop: there is none, and there is never to be one in a workflow."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class NoLoop:
    """Raises, whatever is wanted of it, what ``refuse`` makes of it; which is told of the frame that wants it."""

    def __init__(self, refuse: Callable[[FrameType], BaseException]) -> None:
        self._refuse = refuse

    def __getattr__(self, name: str) -> Any:
        raise self._refuse(sys._getframe(1))  # noqa: SLF001 - inspect has the same, slower
