"""What a parse looks at: the files that it opens and the folders that it lists, below the roots."""

import contextlib
import os
import sys
from typing import Any

from orchestrator.dagbag.roots import Roots

_LISTS = frozenset({"os.listdir", "os.scandir"})


class Reads:
    """Hears of them by an audit hook, which stays for the life of the process. A listed folder's name ends in ``/``."""

    def __init__(self, roots: Roots) -> None:
        self.names: set[str] = set()
        self._roots = roots

    def listen(self) -> None:
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if flags & os.O_ACCMODE == os.O_RDONLY:
                self._note(path, "")
        elif event in _LISTS:
            self._note("." if args[0] is None else args[0], "/")

    def _note(self, path: Any, suffix: str) -> None:
        if isinstance(path, int):
            return
        with contextlib.suppress(OSError, UnicodeError):
            name = self._roots.name(os.fsdecode(path))
            if name is not None and "__pycache__" not in name:
                name.encode()  # a name that is no text cannot be recorded
                self.names.add(name + suffix)
