"""WATCHERS: what those who look on cost the scheduler: 200 open pages, and as much polling as of 10,000."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import httpx2 as httpx

from benchmarks.figures import Figure
from benchmarks.sources import chain
from benchmarks.watch import Watch, seconds_of
from benchmarks.web_pages import let_in, signed_in
from benchmarks.workload import Bench, start

LENGTH = 100
SECONDS = 12
PAGES = 200
POLLERS = 10_000
POLL_SECONDS = 2  # as in live.js
MOST = 1.5
_ADDRESS = re.compile(r"pages are at (http://127\.0\.0\.1:\d+)")


class Seen(NamedTuple):
    """One hop of a chain in ms, and what the crowd said of itself: news, answers a second, the longest in seconds."""

    hop: float
    said: tuple[float, ...]


def measure(bench: Bench) -> list[Figure]:
    lasts = 2 if bench.quick else SECONDS
    with bench.home("home", {"row.py": chain("row", LENGTH)}) as home:
        watch = start(home, "row")
        let_in(home)
        url = home.wait_for("its address is told", lambda: _ADDRESS.search(home.log.read_text()))[1]
        with signed_in(url) as client:
            alone = _hop(watch, lasts)
            pages = _crowded(watch, client, url, f"pages {PAGES}", lasts)
            polls = _crowded(watch, client, url, f"polls {POLLERS // POLL_SECONDS}", lasts)
    return [
        Figure(workload="WATCHERS", what=f"one hop of a chain of {LENGTH}, nobody looks", measured=alone, unit="ms"),
        _figure(f"the same, {PAGES} pages of that DAG are open", pages, alone),
        _figure(f"the same, {POLLERS:,} ask every {POLL_SECONDS} s whether there is news", polls, alone),
    ]


def _figure(what: str, seen: Seen, alone: float) -> Figure:
    news, answers, longest = seen.said
    told = f"{news:,.0f} news told, " if news else ""
    return Figure(
        workload="WATCHERS",
        what=what,
        measured=seen.hop,
        unit="ms",
        floor=alone,
        budget=MOST,
        on_ratio=True,
        note=f"{told}{answers:,.0f} answers a second, the longest {longest * 1000:,.0f} ms; all on this machine",
    )


def _hop(watch: Watch, lasts: float) -> float:
    """The median of all runs that follow each other in so many seconds."""
    hops = []
    until = time.monotonic() + lasts
    while time.monotonic() < until:
        hops.append(_once(watch) * 1000 / LENGTH)
    return median(hops)


def _once(watch: Watch) -> float:
    run_id = watch.unused("round")
    watch.trigger("row", run_id)
    return seconds_of(watch.ended("row", run_id))


def _crowded(watch: Watch, client: httpx.Client, url: str, order: str, lasts: float) -> Seen:
    with _crowd(client, url, order) as crowd:
        hop = _hop(watch, lasts)
        said, _ = crowd.communicate("\n", timeout=120)
    return Seen(hop, tuple(float(word) for word in said.split()))


@contextmanager
def _crowd(client: httpx.Client, url: str, order: str) -> Iterator[subprocess.Popen[str]]:
    words = [
        sys.executable,
        "-m",
        "benchmarks.web_crowd",
        url,
        client.cookies["orchestrator_session"],
        "/dags/row/runs",
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        crowd.stdin.write(f"{order}\n")
        crowd.stdin.flush()
        if crowd.stdout.readline() != "begun\n":
            raise RuntimeError("the crowd did not come")
        try:
            yield crowd
        finally:
            crowd.kill()
