"""Capture: sys.stdout, sys.stderr and logging lead into the attempt's log."""

import io
import logging
import sys
from collections.abc import Iterable

from orchestrator.worker.log import AttemptLog

_LONG_LINE = 64 * 1024


class LogStream(io.TextIOBase):
    """A text stream whose lines go to the attempt's log, under the stream's name."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, log: AttemptLog, name: str, number: int) -> None:
        self._log = log
        self.name = name
        self._number = number
        self._line = ""
        self.buffer = ByteStream(self)

    def write(self, text: str, /) -> int:
        if self._log.is_deaf:
            return len(text)
        head, newline, rest = text.rpartition("\n")
        if newline:
            self._log.write(self.name, self._line + head)
            self._line = rest
        else:
            self._line += rest
            if len(self._line) > _LONG_LINE:
                self.end_line()
        return len(text)

    def end_line(self) -> None:
        """Let go of a line that has no newline yet."""
        line, self._line = self._line, ""
        if line:
            self._log.write(self.name, line)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        """The process's own descriptor, which a child process can be given; what it writes is captured as well."""
        return self._number

    def close(self) -> None:
        """Stays open: a body that closes sys.stdout does not take it from the next one."""


class ByteStream(io.RawIOBase):
    """``sys.stdout.buffer``: bytes for the log."""

    def __init__(self, text: LogStream) -> None:
        self._text = text

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        self._text.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._text.fileno()

    def close(self) -> None:
        """Stays open, as its text stream does."""


class LogRecords(logging.Handler):
    """Records of ``logging`` as lines of the attempt's log, under their level."""

    def __init__(self, log: AttemptLog) -> None:
        super().__init__()
        self._log = log
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if self._log.is_deaf:
            return
        try:
            self._log.write(record.levelname, self.format(record))
        except Exception:  # logging's own rule: a record that cannot be formatted is told of, and raises nothing
            self.handleError(record)


class Capture:
    """The streams of a worker process, put back before each attempt in case the one before replaced them."""

    def __init__(self, log: AttemptLog) -> None:
        self._stdout = LogStream(log, "stdout", 1)
        self._stderr = LogStream(log, "stderr", 2)
        self._records = LogRecords(log)
        self._streams: Iterable[LogStream] = (self._stdout, self._stderr)

    def install(self) -> None:
        """Take the process's output, from level INFO upwards where ``logging`` is concerned."""
        root = logging.getLogger()
        root.handlers[:] = [self._records]
        root.setLevel(logging.INFO)
        logging.captureWarnings(capture=True)
        self.restore()

    def restore(self) -> None:
        """Put the streams back."""
        if sys.stdout is not self._stdout:
            sys.stdout = sys.__stdout__ = self._stdout  # type: ignore[misc,assignment]
        if sys.stderr is not self._stderr:
            sys.stderr = sys.__stderr__ = self._stderr  # type: ignore[misc,assignment]

    def end_lines(self) -> None:
        """Write out lines that were begun and not ended."""
        for stream in self._streams:
            stream.end_line()
