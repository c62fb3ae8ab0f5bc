"""Floors: what this machine does with nothing of ours on it, taken in the same run as what is held against them.

Each is the best of three rounds: a floor is a limit, so the round that was disturbed least is the one to keep.
"""

import multiprocessing
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection, wait
from pathlib import Path

import msgspec

PROCESSES = 2
WINDOW = 16
ROUNDS = 3


class Floors(msgspec.Struct, frozen=True, kw_only=True):
    """``pool`` and ``pipes`` in calls a second, ``commits`` in durable commits a second."""

    pool: float
    pipes: float
    commits: float

    @property
    def commit_ms(self) -> float:
        return 1000 / self.commits


def measure(folder: Path) -> Floors:
    """All floors; ``folder`` is on the disk whose commits count."""
    return Floors(pool=pool_rate(), pipes=pipe_rate(), commits=commit_rate(folder))


def noop(_: object) -> None:
    """The body that does nothing."""


def pool_rate(calls: int = 5000) -> float:
    """No-op calls a second of a bare, warm ProcessPoolExecutor.

    One submission and one result a call, all submitted before the first is waited for. ``map`` with a chunk size is
    faster still, but sends many calls as one message that succeeds or dies as one; an activity has its own outcome.
    """
    with ProcessPoolExecutor(PROCESSES) as pool:
        for future in [pool.submit(noop, None) for _ in range(200)]:
            future.result()

        def round_of_calls() -> None:
            for future in [pool.submit(noop, None) for _ in range(calls)]:
                future.result()

        return calls / _best(round_of_calls)


def pipe_rate(calls: int = 20000) -> float:
    """No-op calls a second over two bare pipes, a window of calls in flight on each."""
    context = multiprocessing.get_context("fork")
    pairs = [context.Pipe() for _ in range(PROCESSES)]
    workers = [context.Process(target=_echo, args=(theirs,), daemon=True) for _, theirs in pairs]
    for worker in workers:
        worker.start()
    ours = [mine for mine, _ in pairs]
    rate = calls / _best(lambda: _call_through(ours, calls))
    for mine in ours:
        mine.send_bytes(b"")
    for worker in workers:
        worker.join()
    return rate


def commit_rate(folder: Path, commits: int = 500) -> float:
    """Durable commits a second: one row each, WAL and synchronous=FULL, as the program itself commits."""
    path = folder / "floor.sqlite"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=full")
    database.execute("create table fact (seq integer primary key, body text)")

    def round_of_commits() -> None:
        for _ in range(commits):
            database.execute("begin immediate")
            database.execute("insert into fact (body) values ('a row of some fifty bytes, as a small fact is')")
            database.execute("commit")

    rate = commits / _best(round_of_commits)
    database.close()
    return rate


def _best(action: Callable[[], None]) -> float:
    """Seconds of the quickest round."""

    def timed() -> float:
        before = time.perf_counter()
        action()
        return time.perf_counter() - before

    return min(timed() for _ in range(ROUNDS))


def _echo(pipe: Connection) -> None:
    while call := pipe.recv_bytes():
        pipe.send_bytes(call)


def _call_through(pipes: list[Connection], calls: int) -> None:
    unsent, unanswered = calls, 0
    ready: deque[Connection] = deque(pipe for _ in range(WINDOW) for pipe in pipes)
    while unsent or unanswered:
        while unsent and ready:
            ready.popleft().send_bytes(b"a call of some thirty bytes ...")
            unsent, unanswered = unsent - 1, unanswered + 1
        for pipe in wait(pipes):
            assert isinstance(pipe, Connection)
            while True:
                pipe.recv_bytes()
                unanswered -= 1
                ready.append(pipe)
                if not pipe.poll():
                    break
