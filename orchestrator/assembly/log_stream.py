"""LogStream: the files of a log, one after the other, as one stream of bytes.

Nothing here needs a library: the process that searches imports it.
"""

import os
import stat
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

_SAFELY = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class LogStream:
    """The files as long as they are now; those that are not there are empty.

    A body may do with its log what it likes: a link or a pipe in the place of a file is as if nothing were there.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self.sizes = [_size(path) for path in paths]
        self._ends = list(accumulate(self.sizes))

    @property
    def size(self) -> int:
        return self._ends[-1] if self._ends else 0

    def read(self, offset: int, limit: int) -> bytes:
        """The bytes from ``offset`` on, ``limit`` at most: fewer at the end, or where a file was cut meanwhile."""
        found: list[bytes] = []
        offset = max(0, offset)
        number = bisect_right(self._ends, offset)
        while limit > 0 and number < len(self._paths):
            begins = self._ends[number] - self.sizes[number]
            data = _read(self._paths[number], offset - begins, min(limit, self._ends[number] - offset))
            found.append(data)
            offset, limit = offset + len(data), limit - len(data)
            if offset < self._ends[number]:
                break
            number += 1
        return b"".join(found)


def _size(path: str) -> int:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _read(path: str, offset: int, limit: int) -> bytes:
    try:
        file = os.open(path, _SAFELY)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return b""
        found = []
        while limit > 0 and (data := os.pread(file, limit, offset)):
            found.append(data)
            offset, limit = offset + len(data), limit - len(data)
        return found[0] if len(found) == 1 else b"".join(found)
    finally:
        os.close(file)
