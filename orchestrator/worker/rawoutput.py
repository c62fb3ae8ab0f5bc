"""RawOutput: what bypasses sys.stdout and sys.stderr, such as the output of C code and of child processes."""

import ctypes
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_libc = ctypes.CDLL(None)


class RawOutput:
    """A file without a name, that a worker's file descriptors 1 and 2 lead to.

    ``writer`` and ``reader`` are separately opened, since writing moves a shared offset. The executor holds the
    reader as well: where the worker dies, what it had not read yet is read from there.
    """

    def __init__(self, writer: int, reader: int) -> None:
        self._writer = writer
        self._reader = reader
        self._read = 0

    def take_over(self) -> int:
        """Let the process's own descriptors 1 and 2 lead here; where 2 led before."""
        before = os.dup(2)
        os.dup2(self._writer, 1)
        os.dup2(self._writer, 2)
        return before

    def has_more(self) -> bool:
        """Whether there is something new."""
        return os.fstat(self._reader).st_size > self._read

    def settle(self) -> None:
        """Let C code write what it has buffered."""
        _libc.fflush(None)

    def chunks(self, size: int) -> Iterator[bytes]:
        """What is new, in pieces that end with a line where one ends inside of ``size`` bytes."""
        rest = b""
        while data := os.read(self._reader, size):
            self._read += len(data)
            head, newline, rest = (rest + data).rpartition(b"\n")
            if newline:
                yield head + newline
            elif len(rest) >= size:
                yield rest
                rest = b""
        if rest:
            yield rest

    def clear(self) -> None:
        """Forget all of it and give the space back."""
        if self._read or self.has_more():
            os.ftruncate(self._writer, 0)
            os.lseek(self._reader, 0, os.SEEK_SET)
            self._read = 0


def open_raw(folder: Path) -> tuple[int, int]:
    """A file without a name, opened for appending and, separately, for reading; in ``folder``, if it can be there."""
    try:
        file, path = tempfile.mkstemp(prefix=".output-", dir=folder)
    except OSError:
        file, path = tempfile.mkstemp(prefix="orchestrator-output-")
    os.close(file)
    try:
        writer = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        return writer, os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        Path(path).unlink()
