"""Journal: gives what each trigger says to the log of the attempt that it waits for, though all say it at once."""

import contextlib
import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

from orchestrator.authoring.masking import masked
from orchestrator.worker.log import append_lines

_current: ContextVar["Page | None"] = ContextVar("orchestrator_page", default=None)


class Page:
    """What one trigger says. Its file is open only while something is written: there are thousands of them."""

    __slots__ = ("_line", "_path", "_room")

    def __init__(self, path: Path, room: int) -> None:
        self._path = path
        self._room = room
        self._line = ""

    def write(self, label: str, text: str) -> None:
        """One or several lines; after the room is used up one says so, and the rest is dropped."""
        if self._room <= 0:
            return
        lines = [(label, line) for line in masked(text)[: self._room].split("\n")]
        self._room -= len(text)
        if self._room <= 0:
            lines.append(("WARNING", "what the trigger says is cut here: it has reached max_log_bytes"))
        with contextlib.suppress(OSError):  # the disk may be full; the trigger goes on without its log
            append_lines(self._path, lines)

    def feed(self, label: str, text: str) -> None:
        """A piece of a stream; what has no newline yet is kept until it has, or ``end``."""
        head, newline, rest = text.rpartition("\n")
        if newline:
            self.write(label, self._line + head)
            self._line = rest
        else:
            self._line += rest

    def end(self) -> None:
        line, self._line = self._line, ""
        if line:
            self.write("stdout", line)


class Journal:
    """``elsewhere`` hears what is said by nobody in particular, line by line."""

    def __init__(self, folder: Path, max_bytes: int, elsewhere: Callable[[str], object]) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._elsewhere = elsewhere

    def install(self) -> None:
        """Take over ``sys.stdout``, ``sys.stderr`` and ``logging`` from level INFO upwards."""
        sys.stdout = Lines("stdout", self._elsewhere)
        sys.stderr = Lines("stderr", self._elsewhere)
        root = logging.getLogger()
        root.handlers[:] = [Records(self._elsewhere)]
        root.setLevel(logging.INFO)
        logging.captureWarnings(capture=True)

    def note(self, log: str, label: str, text: str) -> None:
        """One line more in that log, from any thread."""
        if log:
            Page(self._folder / log, self._max_bytes).write(label, text)

    @contextlib.contextmanager
    def of(self, log: str) -> Iterator[None]:
        """What is said inside, also by threads and tasks that are begun there, goes to that log."""
        page = Page(self._folder / log, self._max_bytes) if log else None
        before = _current.set(page)
        try:
            yield
        finally:
            if page is not None:
                page.end()
            _current.reset(before)


class Lines(io.TextIOBase):
    """A text stream that goes to the page of whoever writes."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, name: str, elsewhere: Callable[[str], object]) -> None:
        self.name = name
        self._elsewhere = elsewhere

    def write(self, text: str, /) -> int:
        page = _current.get()
        if page is not None:
            page.feed(self.name, text)
        elif text.strip():
            self._elsewhere(text.rstrip("\n"))
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False


class Records(logging.Handler):
    """Records of ``logging`` as lines of that page, under their level."""

    def __init__(self, elsewhere: Callable[[str], object]) -> None:
        super().__init__()
        self._elsewhere = elsewhere
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            page, text = _current.get(), self.format(record)
            if page is not None:
                page.write(record.levelname, text)
            else:
                self._elsewhere(text)
        except Exception:  # logging's own rule: a record that cannot be formatted is told of, and raises nothing
            self.handleError(record)
