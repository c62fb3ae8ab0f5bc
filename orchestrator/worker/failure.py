"""From an exception to a Failure: one sentence, the author's own lines, the names that retry rules match."""

import linecache
import traceback
from pathlib import Path

from orchestrator.authoring.masking import masked
from orchestrator.core.particulars import Failure
from orchestrator.core.raised import recordable, sentence, text_of, types_of
from orchestrator.dagbag.blame import Frame, authors_frames, listing
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagError, DagImportError, EnvironmentBuildError, OtherPythonError

_EXITS: dict[type[BaseException], str] = {
    SystemExit: "the body called sys.exit(); return to succeed, or raise an exception to fail",
    KeyboardInterrupt: "the body raised KeyboardInterrupt",
    GeneratorExit: "the body raised GeneratorExit",
}


def failure_of(error: BaseException, code: str) -> Failure:
    """What to record of ``error``, without secrets; ``code`` is the folder of the author's files, to which paths are
    relative.
    """
    roots = Roots(Path(code))
    frames = _frames(error, roots)
    return Failure(
        message=recordable(masked(roots.shorten(_sentence(error)))),
        types=(*error.types, *types_of(error)) if isinstance(error, OtherPythonError) else types_of(error),
        where=f"{frames[-1].name}:{frames[-1].line}" if frames else _place(error, roots),
        frames=tuple(recordable(masked(line)) for line in _lines(error, frames)),
    )


def loading_failure(error: BaseException, code: str) -> Failure:
    """What to record where the author's file itself could not be loaded."""
    failure = failure_of(error, code)
    if not isinstance(error, DagImportError):
        return failure
    where = _place(error, Roots(Path(code)))
    frames = tuple(map(masked, error.frames))
    return Failure(message=recordable(masked(error.message)), types=failure.types, where=where, frames=frames)


def _sentence(error: BaseException) -> str:
    """``TypeName: text``, or what its author is to do instead."""
    if type(error) not in _EXITS:
        return sentence(error)
    text = text_of(error)
    return f"{_EXITS[type(error)]} ({text})" if text else _EXITS[type(error)]


def _lines(error: BaseException, frames: list[Frame]) -> tuple[str, ...]:
    """The author's frames; where an environment could not be built, what its builder said."""
    return error.lines if isinstance(error, EnvironmentBuildError) else listing(frames)


def _frames(error: BaseException, roots: Roots) -> list[Frame]:
    """The author's frames, outermost first; those of its cause, where the error itself has none."""
    if isinstance(error, OtherPythonError):
        return [
            Frame(name, line, function, linecache.getline(file, line).strip())
            for file, line, function in error.frames
            if (name := roots.name(file)) is not None
        ]
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = authors_frames(traceback.walk_tb(current.__traceback__), roots)
        if frames:
            return frames
        current = current.__cause__ or current.__context__
    return []


def _place(error: BaseException, roots: Roots) -> str | None:
    """Where a DagError says that the fault is."""
    if not isinstance(error, DagError) or not error.file:
        return None
    file = roots.name(error.file) or error.file
    return file if error.line is None else f"{file}:{error.line}"
