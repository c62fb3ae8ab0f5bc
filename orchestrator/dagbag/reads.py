"""What a parse looks at: files that it opens and folders that it lists, below the roots, and variables it asks for."""

import contextlib
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, ClassVar

from orchestrator.dagbag.contents import VARIABLE
from orchestrator.dagbag.roots import Roots

_LISTS = frozenset({"os.listdir", "os.scandir"})


class _Environment(type(os.environ)):  # type: ignore[misc]
    """``os.environ`` with an ear."""

    hear: ClassVar[Callable[[object, FrameType | None], None]]

    def __getitem__(self, key: str) -> str:
        _Environment.hear(key, sys._getframe(1))  # noqa: SLF001 - inspect.stack() costs milliseconds
        return str(super().__getitem__(key))


class Reads:
    """Hears of them for the life of the process. A folder's name ends in ``/``, a variable's begins with ``$``.

    Variables of the environment count where a local file asks for them; what a library asks for is its own affair.
    """

    def __init__(self, roots: Roots) -> None:
        self.names: set[str] = set()
        self._roots = roots

    def listen(self) -> None:
        sys.addaudithook(self._hear)
        _Environment.hear = self._hear_variable
        os.environ.__class__ = _Environment  # no audit event tells of it

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if flags & os.O_ACCMODE == os.O_RDONLY:
                self._note(path, "")
        elif event in _LISTS:
            self._note("." if args[0] is None else args[0], "/")

    def _hear_variable(self, name: object, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code.co_filename.startswith("<frozen "):  # os.getenv(), Mapping.get()
            frame = frame.f_back
        if isinstance(name, str) and frame is not None and self._roots.name(frame.f_code.co_filename):
            self.names.add(VARIABLE + name)

    def _note(self, path: Any, suffix: str) -> None:
        if isinstance(path, int):
            return
        with contextlib.suppress(OSError, UnicodeError):
            name = self._roots.name(os.fsdecode(path))
            if name is not None and "__pycache__" not in name:
                name.encode()  # a name that is no text cannot be recorded
                self.names.add(name + suffix)
