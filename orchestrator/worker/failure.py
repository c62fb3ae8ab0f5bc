"""From an exception to a Failure: one sentence, the author's own lines, the names that retry rules match."""

import traceback
from pathlib import Path

from orchestrator.core.events import Failure
from orchestrator.dagbag.blame import Frame, authors_frames, listing
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagError, DagImportError, OrchestratorError

_MAX_TEXT = 8_000

_EXITS: dict[type[BaseException], str] = {
    SystemExit: "the body called sys.exit(); return to succeed, or raise an exception to fail",
    KeyboardInterrupt: "the body raised KeyboardInterrupt",
    GeneratorExit: "the body raised GeneratorExit",
}


def failure_of(error: BaseException, code: str) -> Failure:
    """What to record of ``error``; ``code`` is the folder of the author's files, to which paths are relative."""
    roots = Roots(Path(code))
    frames = _frames(error, roots)
    return Failure(
        message=_recordable(roots.shorten(_sentence(error))),
        types=types_of(error),
        where=f"{frames[-1].name}:{frames[-1].line}" if frames else _place(error, roots),
        frames=tuple(_recordable(line) for line in listing(frames)),
    )


def loading_failure(error: BaseException, code: str) -> Failure:
    """What to record where the author's file itself could not be loaded."""
    failure = failure_of(error, code)
    if not isinstance(error, DagImportError):
        return failure
    where = _place(error, Roots(Path(code)))
    return Failure(message=_recordable(error.message), types=failure.types, where=where, frames=error.frames)


def types_of(error: BaseException) -> tuple[str, ...]:
    """The dotted names of its class and bases, the class first."""
    known = [kind for kind in type(error).__mro__ if kind not in (object, BaseException)]
    return tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in known)


def _sentence(error: BaseException) -> str:
    """``TypeName: text``; our own errors are whole sentences already."""
    text = _text(error)
    if type(error) in _EXITS:
        return f"{_EXITS[type(error)]} ({text})" if text else _EXITS[type(error)]
    if isinstance(error, OrchestratorError):
        return text or type(error).__name__
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:
        return f"(its text cannot be had: str() raised {type(second).__name__})"


def _recordable(text: str) -> str:
    """Text of a length that a history can bear, without half surrogate pairs."""
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]} … ({len(text) - _MAX_TEXT} more characters)"
    return text.encode("utf-8", "backslashreplace").decode()


def _frames(error: BaseException, roots: Roots) -> list[Frame]:
    """The author's frames, outermost first; those of its cause, where the error itself has none."""
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
