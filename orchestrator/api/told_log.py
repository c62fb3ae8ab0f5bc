"""A log as text: a piece of it, all of it as one JSON text, or line by line; each sent as it is read."""

import codecs
import re
from collections.abc import Iterator

import msgspec

from orchestrator.api.raw_log import Reader, pieces

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) *(?: (.*))?", re.DOTALL)
_LONGEST = 1024**2


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A line; it was written by something else than a worker where it bears no moment. ``level`` may be the name of a
    stream.
    """

    timestamp: str | None
    level: str | None
    event: str


def text_of(data: bytes, *, is_whole: bool) -> tuple[str, int]:
    """What the bytes say, and how many of them: without the letter that they end in the middle of, unless
    ``is_whole``."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, is_whole)
    taken = len(data) - len(decoder.getstate()[0])
    return (text, taken) if taken or not data else (data.decode("utf-8", "replace"), len(data))


def as_one_text(read: Reader, start: int, end: int, token: str | None) -> Iterator[bytes]:
    """A LogPiece with all there is, however much that is."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    yield b'{"content":"'
    for piece in pieces(read, start, end):
        yield msgspec.json.encode(decoder.decode(piece))[1:-1]
    yield msgspec.json.encode(decoder.decode(b"", final=True))[1:-1]
    yield b'","continuation_token":%s,"size":%d}' % (msgspec.json.encode(token), end)


def as_lines(read: Reader, start: int, end: int) -> Iterator[bytes]:
    """JSON for each line; one that is longer than a MiB is told in pieces."""
    rest = b""
    for piece in pieces(read, start, end):
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _LONGEST:
            lines, rest = [*lines, rest], b""
        yield b"".join(map(_line, lines))
    if rest:
        yield _line(rest)


def _line(data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    match = _STAMP.fullmatch(text)
    if match is None:
        return msgspec.json.encode(Told(timestamp=None, level=None, event=text)) + b"\n"
    return msgspec.json.encode(Told(timestamp=match[1], level=match[2], event=match[3] or "")) + b"\n"
