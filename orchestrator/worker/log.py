"""AttemptLog: the file that holds what one attempt said, made when it says the first thing."""

import contextlib
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.authoring.masking import masked, masked_bytes
from orchestrator.worker.rawoutput import RawOutput

_CHUNK = 64 * 1024
_LAST_ROOM = 64 * 1024  # how an attempt ended is told even where its log was cut


def stamp(label: str, moment: datetime | None = None) -> str:
    """How a line of a log begins: the moment (now, unless given) in UTC, and a level or the name of a stream."""
    return f"{(moment or datetime.now(UTC)).isoformat(timespec='microseconds')[:-6]}Z {label:<8} "


def to_bytes(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which is no text, is written as an escape."""
    return text.encode("utf-8", "backslashreplace")


class AttemptLog:
    """Where the process's output goes; one attempt at a time, from any thread.

    Each line bears the moment and a label: a stream's or level's name; secrets that the process has read are masked.
    After ``limit`` bytes one sentence says that the log was cut, and the rest is dropped. A log that cannot be written
    never fails the attempt: ``complaints`` (a file descriptor) is told once.
    """

    def __init__(self, folder: Path, limit: int, raw: RawOutput | None = None, complaints: int = 2) -> None:
        self._folder = folder
        self._limit = limit
        self._raw = raw
        self._complaints = complaints
        self._path: Path | None = None
        self._heading = ""
        self._began_at = datetime.min.replace(tzinfo=UTC)
        self._file: int | None = None
        self._room = 0
        self._open = False
        self._lock = threading.RLock()
        # A body may fork while another thread holds the lock, which would be held in the child for ever.
        os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()

    @property
    def is_deaf(self) -> bool:
        """Whether anything said now is dropped: no attempt runs, or its log is full."""
        return self._room <= 0

    @property
    def is_written(self) -> bool:
        """Whether this attempt's log has a file."""
        return self._file is not None

    def begin(self, path: str, heading: str) -> None:
        """From here on all belongs to the attempt whose log is ``path``; ``heading`` comes first, if anything does."""
        self._path = self._folder / path if path else None
        self._heading = heading
        self._began_at = datetime.now(UTC)
        self._room = self._limit if path else 0
        self._open = True

    def settle(self) -> None:
        """Take in all that is left of what was said."""
        if self._raw is not None:
            with self._lock:
                self._raw.settle()
                self.collect()
                self._raw.clear()

    def end(self, last: Iterable[tuple[str, str]] = ()) -> None:
        """Write the ``last`` lines (label and text), and close."""
        with self._lock:
            if self._path is not None:
                self._room = max(self._room, _LAST_ROOM)
            for label, text in last:
                self.write(label, text)
            if self._file is not None:
                os.close(self._file)
                self._file = None
            self._room, self._open = 0, False

    def write(self, label: str, text: str) -> None:
        """One or several lines, without the last newline."""
        if self._room <= 0:
            return
        with self._lock:
            self.collect()
            prefix = stamp(label)
            body = masked(text)[: self._room].replace("\n", "\n" + prefix)
            self._append(to_bytes(f"{prefix}{body}\n"))

    def collect(self) -> None:
        """Take in what was written to the file descriptors 1 and 2 since the last time."""
        if self._raw is None or not self._open or not self._raw.has_more():
            return
        with self._lock:
            prefix = stamp("output").encode()
            for chunk in self._raw.chunks(_CHUNK):
                if self._room <= 0:
                    self._raw.clear()
                    return
                self._append(_prefixed(masked_bytes(chunk), prefix))

    def _append(self, data: bytes) -> None:
        try:
            self._write_out(data)
        except OSError as error:
            message = f"the log {self._path} cannot be written: {error.strerror}; the task goes on without it\n"
            self._path, self._room = None, 0
            with contextlib.suppress(OSError):
                os.write(self._complaints, message.encode())

    def _write_out(self, data: bytes) -> None:
        if self._file is None:
            assert self._path is not None
            self._file = open_log(self._path)
            if self._heading:
                write_all(self._file, to_bytes(f"{stamp('INFO', self._began_at)}{self._heading}\n"))
        if len(data) > self._room:
            cut = data[: self._room].rpartition(b"\n")[0] + b"\n"
            said = f"{stamp('WARNING')}the log is cut here: it has reached max_log_bytes ({self._limit} bytes)\n"
            data = cut.lstrip(b"\n") + said.encode()
            self._room = 0
        self._room -= len(data)
        write_all(self._file, data)


def _prefixed(chunk: bytes, prefix: bytes) -> bytes:
    lines = chunk.removesuffix(b"\n")
    return prefix + lines.replace(b"\n", b"\n" + prefix) + b"\n"


def open_log(path: Path) -> int:
    """A descriptor that appends to the file; its folder is made where it is missing."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o644)


def write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def append_lines(path: Path, lines: Iterable[tuple[str, str]]) -> None:
    """Add lines (label and text) to a log from outside of its worker."""
    file = open_log(path)
    try:
        write_all(file, b"".join(to_bytes(f"{stamp(label)}{text}\n") for label, text in lines))
    finally:
        os.close(file)
