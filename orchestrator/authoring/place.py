"""Where an author wrote something."""

import sys
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from orchestrator.exceptions import DagError

_PACKAGE = f"{Path(__file__).parents[1]}/"


class Place(NamedTuple):
    """A line of an author's file; ``file`` is the path that Python compiled it under."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def refuse(self, message: str) -> DagError:
        """The error to raise about what stands here."""
        return DagError(message, file=self.file, line=self.line)


def author() -> Place:
    """The innermost line outside this package that has led here."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect.stack() costs milliseconds a task
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return Place("", 0) if frame is None else Place(frame.f_code.co_filename, frame.f_lineno)
