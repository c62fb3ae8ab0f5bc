"""LineWindow: some lines of a log, from wherever somebody looks."""

from collections.abc import Iterable

import msgspec

from orchestrator.assembly.line_index import BLOCK, LineIndex
from orchestrator.assembly.log_stream import LogStream

SHOWN = 8 * 1024
"""How many bytes of a line are shown."""
MOST_LINES = 1000
_MOST_BYTES = 1024**2
_BACK = 64 * BLOCK


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``text`` is its beginning; it lies from ``start`` to ``end``, without its line break. ``is_cut`` where that is
    more than is shown.
    """

    text: str
    start: int
    end: int
    is_cut: bool = False


class LineWindow(msgspec.Struct, frozen=True, kw_only=True):
    """``first`` is the number of the first of the lines, from 0; None where so much has not been counted yet.

    ``total`` is how many lines there are: a guess, for as long as ``counted`` bytes are fewer than ``size``.
    """

    lines: list[Line]
    first: int | None
    size: int
    counted: int
    total: int


def from_line(stream: LogStream, index: LineIndex, line: int, count: int, of: int | None) -> LineWindow:
    """Where the line is not counted yet, what stands about where it is, if there are ``of`` lines in all."""
    if line <= index.breaks:
        return _window(stream, index, index.begin_of(stream, line), count, line)
    if index.counted >= stream.size:
        return _window(stream, index, stream.size, count, line)
    return _window(stream, index, _guess(stream, line, count, of or _total(stream, index)), count, None)


def from_byte(stream: LogStream, index: LineIndex, byte: int, count: int) -> LineWindow:
    """From the line on that the byte belongs to."""
    start = _begin_before(stream, min(byte, stream.size))
    return _window(stream, index, start, count, index.line_at(stream, start))


def single_lines(stream: LogStream, index: LineIndex, numbers: Iterable[int]) -> LineWindow:
    """Lines that lie anywhere; up to the first that is not counted, or not there."""
    found: list[Line] = []
    for number in numbers:
        if number > index.breaks:
            break
        found += _lines(stream, index, index.begin_of(stream, number), 1)
    return _told(stream, index, found, None)


def _window(stream: LogStream, index: LineIndex, start: int, count: int, first: int | None) -> LineWindow:
    return _told(stream, index, _lines(stream, index, start, min(count, MOST_LINES)), first)


def _told(stream: LogStream, index: LineIndex, lines: list[Line], first: int | None) -> LineWindow:
    counted = min(index.counted, stream.size)
    return LineWindow(lines=lines, first=first, size=stream.size, counted=counted, total=_total(stream, index))


def _lines(stream: LogStream, index: LineIndex, start: int, count: int) -> list[Line]:
    found: list[Line] = []
    spent = 0
    while len(found) < count and start < stream.size and spent < _MOST_BYTES:
        data = stream.read(start, BLOCK)
        if not data:
            break
        *whole, rest = data.split(b"\n", count - len(found))
        for line in whole:
            found.append(_line(line, start, start + len(line)))
            start += len(line) + 1
            spent += min(len(line), SHOWN)
        if not whole:  # it is longer than a block, or the last one
            end = index.break_after(stream, start + len(data)) if len(data) == BLOCK else start + len(data)
            found.append(_line(rest, start, end))
            start, spent = end + 1, spent + SHOWN
    return found


def _line(data: bytes, start: int, end: int) -> Line:
    is_cut = end - start > SHOWN
    return Line(text=_text(data[:SHOWN], is_cut=is_cut), start=start, end=end, is_cut=is_cut)


def _text(data: bytes, *, is_cut: bool) -> str:
    text = data.decode("utf-8", "replace")
    return text.rstrip("\ufffd") if is_cut else text  # it may be cut inside of a letter


def _total(stream: LogStream, index: LineIndex) -> int:
    if index.counted >= stream.size:
        ends_open = stream.size > 0 and stream.read(stream.size - 1, 1) != b"\n"
        return index.breaks + ends_open
    if not index.counted:
        return stream.size // 100 + 1
    return max(1, round(index.breaks * stream.size / index.counted))


def _guess(stream: LogStream, line: int, count: int, of: int) -> int:
    if line + count >= of:
        return _tail(stream, max(1, of - line))
    return _begin_before(stream, stream.size * line // of)


def _tail(stream: LogStream, count: int) -> int:
    """Where the last lines begin, or as many of them as are not too long to look for."""
    end = stream.size - 1 if stream.read(stream.size - 1, 1) == b"\n" else stream.size
    start, missing, least = end, count, max(0, end - _BACK)
    while start > least:
        begin = max(least, start - BLOCK)
        data = stream.read(begin, start - begin)
        breaks = data.count(b"\n")
        if breaks >= missing:
            return begin + len(data) - len(data.split(b"\n", breaks - missing + 1)[-1])
        start, missing = begin, missing - breaks
    return 0 if least == 0 else _begin_before(stream, least + SHOWN)


def _begin_before(stream: LogStream, byte: int) -> int:
    """Where the line begins that the byte belongs to; the byte itself, where that is too far away."""
    start, least = byte, max(0, byte - _BACK)
    while start > least:
        begin = max(least, start - BLOCK)
        place = stream.read(begin, start - begin).rfind(b"\n")
        if place >= 0:
            return begin + place + 1
        start = begin
    return 0 if least == 0 else byte
