"""``python -m benchmarks.web_crowd URL COOKIE PATH``: as many browsers as are told, without the browsers.

A line on the standard input begins it: ``pages 200`` opens so many pages, each of which follows the stream of events
and asks for its part of the page as the script of a page does; ``polls 5000`` asks for the position so many times a
second, as pages do that have no stream. An empty line ends it; it says how much it was told.
"""

import asyncio
import sys
import time
from typing import NamedTuple
from urllib.parse import urlsplit

SOON = 0.12  # seconds: as in live.js
CONNECTIONS = 64


class Place(NamedTuple):
    """Where the pages are, and by which cookie one is let in."""

    host: str
    port: int
    cookie: str
    path: str


class Tally:
    """How many answers there were, and the longest that one took, in seconds."""

    def __init__(self) -> None:
        self.news = 0
        self.answers = 0
        self.longest = 0.0

    def answered(self, took: float) -> None:
        self.answers += 1
        self.longest = max(self.longest, took)


async def ask(place: Place, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request on a connection that stays open."""
    writer.write(_request(place, path))
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(f"{path}: {head.decode().splitlines()[0]}")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))


def _request(place: Place, path: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {place.host}:{place.port}",
        f"Cookie: orchestrator_session={place.cookie}",
        "X-Fragment: 1",
        "Accept: text/html, application/json, text/event-stream",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def follow(place: Place, tally: Tally) -> None:
    """One page: what is told on its stream has it ask anew, soon, and seldom where that takes long."""
    stale = asyncio.Event()
    listening = asyncio.create_task(_listen(place, tally, stale))
    reader, writer = await asyncio.open_connection(place.host, place.port, limit=2**24)
    took = 0.0
    while not listening.done():
        await stale.wait()
        await asyncio.sleep(max(SOON, 2 * took))
        stale.clear()
        began = time.perf_counter()
        await ask(place, place.path, reader, writer)
        took = time.perf_counter() - began
        tally.answered(took)


async def _listen(place: Place, tally: Tally, stale: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection(place.host, place.port)
    writer.write(_request(place, "/api/v2/events"))
    while line := await reader.readline():
        if line.startswith(b"event: change"):
            tally.news += 1
            stale.set()


async def poll(place: Place, tally: Tally, every: float) -> None:
    """One connection's share of the questions."""
    reader, writer = await asyncio.open_connection(place.host, place.port)
    due = time.perf_counter()
    while True:
        began = time.perf_counter()
        await ask(place, "/live/position", reader, writer)
        tally.answered(time.perf_counter() - began)
        due = max(due + every, time.perf_counter())
        await asyncio.sleep(due - time.perf_counter())


async def crowd(place: Place, kind: str, number: int) -> None:
    tally = Tally()
    if kind == "pages":
        tasks = [asyncio.create_task(follow(place, tally)) for _ in range(number)]
    else:
        tasks = [asyncio.create_task(poll(place, tally, CONNECTIONS / number)) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    await asyncio.sleep(2)
    print("begun", flush=True)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    done, _ = await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if ended not in done:
        raise SystemExit("somebody of the crowd was turned away")
    seconds = time.perf_counter() - began
    print(tally.news, tally.answers / seconds, tally.longest, flush=True)
    for task in tasks:
        task.cancel()


def main() -> None:
    url, cookie, path = sys.argv[1:]
    kind, number = sys.stdin.readline().split()
    parts = urlsplit(url)
    place = Place(parts.hostname or "127.0.0.1", parts.port or 80, cookie, path)
    asyncio.run(crowd(place, kind, int(number)))


if __name__ == "__main__":
    main()
