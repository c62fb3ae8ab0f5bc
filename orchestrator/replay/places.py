"""Places: the author's own lines, in an error that was raised or on a stack that stands."""

import linecache
import os
import traceback
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType
from typing import NamedTuple

from orchestrator.core.particulars import Failure
from orchestrator.core.raised import recordable, sentence, types_of

_FIRST, _LAST = 3, 17
_absolute = os.path.abspath  # and not resolve(): what lies behind a link belongs to where the author sees it


class Seen(NamedTuple):
    """Where something is: the author's ``file:line``, and the lines that led there as Python prints them."""

    where: str | None
    frames: tuple[str, ...] = ()


class Places:
    """The files below ``code``, the folder of a snapshot; each is named by its path in it."""

    def __init__(self, code: str) -> None:
        self._prefix = f"{_absolute(code)}/"
        self._names: dict[str, str | None] = {}

    def name(self, path: str) -> str | None:
        """The relative name of an author's file; None of any other."""
        if path not in self._names:
            absolute = "" if path.startswith("<") else _absolute(path)
            is_authors = absolute.startswith(self._prefix)
            self._names[path] = absolute[len(self._prefix) :] if is_authors else None
        return self._names[path]

    def innermost(self, frame: FrameType | None) -> tuple[CodeType, int] | None:
        """The author's line that ``frame`` was called from, to be spelt by ``spelt``; cheap."""
        names = self._names
        while frame is not None:
            file = frame.f_code.co_filename
            if (names[file] if file in names else self.name(file)) is not None:
                return frame.f_code, frame.f_lineno
            frame = frame.f_back
        return None

    def spelt(self, place: tuple[CodeType, int] | None) -> str | None:
        """``file:line``."""
        return None if place is None else f"{self.name(place[0].co_filename)}:{place[1]}"

    def on_stack(self, frame: FrameType | None) -> Seen:
        """Where code stands that has not ended; ``frame`` is its innermost."""
        return self._seen(reversed(list(traceback.walk_stack(frame))))

    def in_error(self, error: BaseException) -> Seen:
        """Where it was raised; where its cause was, if no line of the author's has part in it."""
        met: set[int] = set()
        current: BaseException | None = error
        while current is not None and id(current) not in met:
            met.add(id(current))
            found = self._seen(traceback.walk_tb(current.__traceback__))
            if found.where is not None:
                return found
            current = current.__cause__ or current.__context__
        return Seen(None)

    def failure(self, error: BaseException) -> Failure:
        """What to record of an error that the code raised."""
        where, frames = self.in_error(error)
        text = sentence(error).replace(self._prefix, "")
        text = text.removeprefix(f"{where}: ")  # an error of ours about what an author wrote begins with its place
        return Failure(message=recordable(text), types=types_of(error), where=where, frames=frames)

    def _seen(self, walked: Iterable[tuple[FrameType, int]]) -> Seen:
        lines = list(self._lines(walked))
        if not lines:
            return Seen(None)
        shown = [text for _, text in lines]
        if len(shown) > _FIRST + _LAST:
            shown[_FIRST:-_LAST] = [f"… {len(shown) - _FIRST - _LAST} more …"]
        return Seen(lines[-1][0], tuple(shown))

    def _lines(self, walked: Iterable[tuple[FrameType, int]]) -> Iterator[tuple[str, str]]:
        for frame, line in walked:
            code = frame.f_code
            name = self.name(code.co_filename)
            if name is not None:
                text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
                shown = f'File "{name}", line {line}, in {code.co_name}' + (f"\n    {text}" if text else "")
                yield f"{name}:{line}", recordable(shown)
