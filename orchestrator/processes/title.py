"""Title: what ``ps`` and ``top`` show of a process that was forked, and would bear its parent's name."""

import contextlib
import ctypes
from pathlib import Path

_SHORT = 15  # bytes, all that the kernel keeps of the name that top shows
_ARGUMENTS = slice(45, 47)  # of the fields behind the name in /proc/self/stat: where the command line begins and ends


def set_title(title: str) -> None:
    """Write it over this process's command line, as far as there is room; nothing happens where there is no /proc."""
    with contextlib.suppress(OSError, ValueError):
        Path("/proc/self/comm").write_bytes(title.removeprefix("orchestrator.").encode()[:_SHORT])
        fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        start, end = map(int, fields[_ARGUMENTS])
        if start:
            _write(start, end - start, title.encode())


def _write(place: int, size: int, title: bytes) -> None:
    """The last byte is not 0, by which the kernel knows that this is no list of arguments but one title."""
    ctypes.memmove(place, title[: size - 2].ljust(size - 1, b"\0") + b" ", size)
