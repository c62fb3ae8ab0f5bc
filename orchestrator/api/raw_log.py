"""A log as it was written, byte for byte: all of it, or a range, sent as it is read."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import MOST_AT_ONCE, Piece, RunLogs

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_TYPE = "text/plain; charset=utf-8"
_STRANGE = re.compile(r"[^A-Za-z0-9._+-]+")

Reader = Callable[[int, int], Piece]


def reader_of(home: Home, run_key: int, seqs: list[int], map_index: int) -> Reader:
    """What reads ``limit`` bytes of these logs from an offset on."""
    logs = home.part(RunLogs)
    return lambda offset, limit: logs.stretch(run_key, seqs, map_index, offset=offset, limit=limit)


def raw_log(
    request: Request, read: Reader, name: str | None = None, start: int | None = None, end: int | None = None
) -> Response:
    """As long as it is now; what is added while it is sent is left out. ``name`` is that of a file to keep it in;
    ``start`` and ``end`` are bytes between which it is all there is.
    """
    whole = read(0, 0).size
    base = min(start or 0, whole)
    size = max(0, min(whole if end is None else end, whole) - base)
    if base:
        read = _shifted(read, base)
    headers = {"Accept-Ranges": "bytes"}
    if name is not None:
        plain = _STRANGE.sub("_", name)
        headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or asked[1] + asked[2] == "":
        return _send(request, read, 0, size, 200, headers)
    first, last = _bounds(asked[1], asked[2], size)
    if first >= last:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    return _send(request, read, first, last, 206, headers | {"Content-Range": f"bytes {first}-{last - 1}/{size}"})


def pieces(read: Reader, start: int, end: int) -> Iterator[bytes]:
    """The bytes from ``start`` to ``end``, or to where the log was cut meanwhile."""
    while start < end:
        data = read(start, min(MOST_AT_ONCE, end - start)).data
        if not data:
            return
        yield data
        start += len(data)


def _shifted(read: Reader, base: int) -> Reader:
    return lambda offset, limit: read(base + offset, limit)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _send(request: Request, read: Reader, start: int, end: int, status: int, headers: dict[str, str]) -> Response:
    headers = headers | {"Content-Length": str(end - start)}
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=_TYPE)
    return StreamingResponse(pieces(read, start, end), status, headers, media_type=_TYPE)
