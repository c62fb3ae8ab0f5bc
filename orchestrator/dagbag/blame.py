"""Turns whatever a DAG file raised into one sentence, its place, and the author's own traceback lines."""

import linecache
import traceback
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import NamedTuple

from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagError, DagImportError

_FIRST, _LAST = 3, 17
_LONGEST = 300


class Frame(NamedTuple):
    """One line of the author's that has led to where it went wrong; ``name`` is the file's relative name."""

    name: str
    line: int
    function: str
    code: str

    def __str__(self) -> str:
        return f'File "{self.name}", line {self.line}, in {self.function}' + (f"\n    {self.code}" if self.code else "")


def blame(error: BaseException, file: str, roots: Roots) -> DagImportError:
    """The error as the author of ``file`` is told of it; all paths are relative names."""
    frames = authors_frames(traceback.walk_tb(error.__traceback__), roots)
    if isinstance(error, DagError):
        return _refusal(error, file, frames, roots)
    if isinstance(error, SyntaxError) and (name := roots.name(error.filename or "")):
        return _syntax(error, name, frames)
    place = frames[-1] if frames else None
    return DagImportError(
        _sentence(error, roots),
        file=place.name if place else file,
        line=place.line if place else None,
        frames=listing(frames),
    )


def authors_frames(walked: Iterable[tuple[FrameType, int]], roots: Roots) -> list[Frame]:
    """The frames whose code lies below the roots, outermost first."""
    return list(_authors_frames(walked, roots))


def _authors_frames(walked: Iterable[tuple[FrameType, int]], roots: Roots) -> Iterator[Frame]:
    for frame, line in walked:
        code = frame.f_code
        name = roots.name(code.co_filename)
        if name is not None:
            text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
            yield Frame(name, line, code.co_name, text)


def listing(frames: list[Frame]) -> tuple[str, ...]:
    """The frames as Python would print them; of very many the first and the last ones."""
    if len(frames) <= _FIRST + _LAST:
        return tuple(map(str, frames))
    left_out = f"… {len(frames) - _FIRST - _LAST} more …"
    return (*map(str, frames[:_FIRST]), left_out, *map(str, frames[-_LAST:]))


def _refusal(error: DagError, file: str, frames: list[Frame], roots: Roots) -> DagImportError:
    where = file if not error.file else roots.name(error.file) or error.file
    return DagImportError(roots.shorten(error.message), file=where, line=error.line or None, frames=listing(frames))


def _syntax(error: SyntaxError, name: str, frames: list[Frame]) -> DagImportError:
    line = error.lineno or None
    shown = [*frames, Frame(name, line, "<module>", error.text.strip())] if line and error.text else frames
    return DagImportError(f"this is not valid Python: {error.msg}", file=name, line=line, frames=listing(shown))


def _sentence(error: BaseException, roots: Roots) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"there is no module {error.name!r}; install its package, or put its file into the DAGs folder"
    if isinstance(error, SystemExit):
        return "the file ends the program with sys.exit() while it is parsed; a DAG file has to run to its end"
    if isinstance(error, RecursionError):
        return "a function calls itself without end (RecursionError); see the lines below for which"
    if isinstance(error, MemoryError):
        return "the file needs more memory than a parse may have (MemoryError); move the work into a task"
    text = _words(error)
    return roots.shorten(f"{type(error).__name__}: {text}" if text else f"{type(error).__name__} was raised")


def _words(error: BaseException) -> str:
    """The exception's own words, on one line; an exception that cannot be printed has none."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        return ""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
