"""LineIndex: which line stands where in a log, for logs of any length."""

import threading
import time
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Hashable

from orchestrator.assembly.log_stream import LogStream

BLOCK = 256 * 1024
_KEPT = 64
_SIGN = 64


class LineIndex:
    """How many lines have ended by the end of each block of 256 KiB: 32 kB for a log of 1 GiB.

    It is made as far as there was time for, and goes on where the log grows: that it has only grown is told by its
    files' sizes, and by the last bytes that were counted. Lines are numbered from 0: line ``n`` begins after the n-th
    line break.
    """

    def __init__(self) -> None:
        self.counted = 0
        self.breaks = 0
        self._ends = array("Q")
        self._sizes: list[int] = []
        self._sign = b""
        self._lock = threading.Lock()

    def go_on(self, stream: LogStream, seconds: float) -> None:
        """Count what is new, for so long at most; anew where something else than the end has changed."""
        until = time.monotonic() + seconds
        with self._lock:
            if stream.sizes == self._sizes and self.counted == stream.size:
                return
            if not self._is_of(stream):
                self.counted, self.breaks, self._ends = 0, 0, array("Q")
            self._sizes = stream.sizes
            while self.counted < stream.size:
                data = stream.read(self.counted, BLOCK - self.counted % BLOCK)
                if not data:
                    break
                self.breaks += data.count(b"\n")
                self.counted += len(data)
                if self.counted % BLOCK == 0:
                    self._ends.append(self.breaks)
                if time.monotonic() > until:
                    break
            self._sign = self._sign_of(stream)

    def begin_of(self, stream: LogStream, line: int) -> int:
        """Where a line begins that is counted: ``line`` is not above ``breaks``."""
        if line <= 0:
            return 0
        block = bisect_left(self._ends, line)
        begin = block * BLOCK
        data = stream.read(begin, BLOCK)
        parts = data.split(b"\n", line - self._before(block))
        return begin + len(data) - len(parts[-1])

    def line_at(self, stream: LogStream, offset: int) -> int | None:
        """The number of the line that the byte at ``offset`` belongs to; None where it is not counted yet."""
        if offset > self.counted:
            return None
        block = min(offset // BLOCK, len(self._ends))
        begin = block * BLOCK
        return self._before(block) + stream.read(begin, offset - begin).count(b"\n")

    def break_after(self, stream: LogStream, offset: int) -> int:
        """Where the line ends that the byte at ``offset`` belongs to; the end of the log, if it has not ended."""
        while offset < stream.size:
            block = offset // BLOCK
            is_counted = block < len(self._ends)
            if not is_counted or self._ends[block] > self._before(block):
                data = stream.read(offset, (block + 1) * BLOCK - offset)
                place = data.find(b"\n")
                if place >= 0:
                    return offset + place
                if not data:
                    break
            offset = (block + 1) * BLOCK
            if is_counted:
                offset = max(offset, bisect_left(self._ends, self._before(block + 1) + 1) * BLOCK)
        return stream.size

    def _before(self, block: int) -> int:
        return self._ends[block - 1] if block else 0

    def _is_of(self, stream: LogStream) -> bool:
        """Whether a log is the one that was counted, or has grown at its end."""
        last, sizes = len(self._sizes) - 1, stream.sizes
        if last < 0:
            return True
        has_grown = len(sizes) > last and sizes[:last] == self._sizes[:last] and sizes[last] >= self._sizes[last]
        return has_grown and self._sign_of(stream) == self._sign

    def _sign_of(self, stream: LogStream) -> bytes:
        begin = max(0, self.counted - _SIGN)
        return stream.read(begin, self.counted - begin)


class LineIndexes:
    """Those of the logs that were read last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, LineIndex] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, log: Hashable) -> LineIndex:
        with self._lock:
            found = self._kept.pop(log, None) or LineIndex()
            self._kept[log] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return found
