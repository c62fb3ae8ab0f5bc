"""Waits for a file."""

import asyncio
import os
from collections.abc import AsyncIterator
from glob import iglob
from pathlib import Path
from typing import Any

from orchestrator.authoring.trigger import BaseTrigger, TriggerEvent

__all__ = ["FileTrigger"]


class FileTrigger(BaseTrigger):
    """Fires with True once there is a file at ``filepath``, which may be a glob, or one in the folder of that name.

    It looks every ``poke_interval`` seconds. ``recursive``: ``**`` in a glob stands for folders within folders.
    """

    def __init__(
        self, filepath: str | os.PathLike[str], recursive: bool = False, poke_interval: float = 5.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filepath = os.fspath(filepath)
        self.recursive = recursive
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "orchestrator.triggers.file.FileTrigger", {
            "filepath": self.filepath,
            "recursive": self.recursive,
            "poke_interval": self.poke_interval,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while not await asyncio.to_thread(is_there, self.filepath, recursive=self.recursive):  # noqa: ASYNC110 - polls
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent(True)


def is_there(path: str, *, recursive: bool = False) -> bool:
    """Whether there is a file at that path, or glob, or one in a folder there."""
    return any(map(_has_file, iglob(path, recursive=recursive)))  # noqa: PTH207 - Path.glob always recurses


def _has_file(path: str) -> bool:
    return Path(path).is_file() or any(files for _, _, files in os.walk(path))
