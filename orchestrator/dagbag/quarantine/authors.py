"""Which of the frames on the stack are the author's own, and what their lines say."""

import linecache
import re
import site
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from orchestrator.dagbag.blame import Frame, authors_frames
from orchestrator.dagbag.roots import Roots

_IMPORTING = "<frozen importlib."
_MADE = "<"  # the names of code that has no file: <string>, <frozen os>
_ALLOWED = re.compile(r"#\s*effect:\s*ok\b")
_INSTALLED = tuple(
    f"{path}/"
    for path in (
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *site.getsitepackages(),
        site.getusersitepackages(),
        str(Path(__file__).parents[2]),
    )
)


class Authors:
    """The code that lies below the roots; not packages that are installed below them, nor this program."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._installed = tuple(path for path in _INSTALLED if roots.name(path) is not None)
        self._names: dict[str, str | None] = {}

    def name(self, path: str) -> str | None:
        """The relative name of the source file, if it is an author's."""
        try:
            return self._names[path]
        except KeyError:
            found = self._names[path] = None if path.startswith(self._installed) else self._roots.name(path)
            return found

    def led(self, frame: FrameType | None) -> list[FrameType]:
        """The author's frames that have led to ``frame``, innermost first.

        There are none where a module that is not the author's is being imported: that import is what does it.
        """
        found: list[FrameType] = []
        while frame is not None:
            path = frame.f_code.co_filename
            if self.name(path) is not None:
                found.append(frame)
            elif not found and path.startswith(_IMPORTING):
                break
            frame = frame.f_back
        return found

    def called(self, frame: FrameType | None) -> list[FrameType]:
        """As ``led``, but only where the author's own code is what called, not a library that it uses."""
        while frame is not None and frame.f_code.co_filename.startswith(_MADE):
            frame = frame.f_back
        if frame is None or self.name(frame.f_code.co_filename) is None:
            return []
        return self.led(frame)

    def frames(self, led: list[FrameType]) -> list[Frame]:
        """As they are shown, outermost first."""
        return authors_frames(((frame, frame.f_lineno) for frame in reversed(led)), self._roots)


def is_allowed(led: list[FrameType]) -> bool:
    """Whether a line that has led there says ``# effect: ok``; of a call over several lines, any."""
    return any(_ALLOWED.search(line) for frame in led for line in _lines(frame))


def _lines(frame: FrameType) -> Iterator[str]:
    code = frame.f_code
    first, last = frame.f_lineno, frame.f_lineno
    for number, (start, end, _, _) in enumerate(code.co_positions()):
        if number == frame.f_lasti // 2:
            first, last = start or first, end or last
            break
    for line in range(first, last + 1):
        yield linecache.getline(code.co_filename, line, frame.f_globals)
