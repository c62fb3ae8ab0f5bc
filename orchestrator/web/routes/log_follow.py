"""A log as it grows, told as server-sent events: how long it is, of which parts, and that it is over.

The file is looked at four times a second while it grows, and ever less often while it does not; the database is asked
only when something has happened in the run.
"""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from orchestrator.api.live import Live, News, Watcher
from orchestrator.api.visitor import visitor_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import RunLogs
from orchestrator.exceptions import OrchestratorError
from orchestrator.names import FINISHED
from orchestrator.web.page import Opened
from orchestrator.web.place import PATH, At, Place
from orchestrator.web.views.log import Spot, spot_of

router = APIRouter(prefix=PATH)

Attempt = Annotated[int, Query(ge=1, le=2**31 - 1)]
SOONEST = 0.25
LATEST = 2.0
_ALIVE_TURNS = 8
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/log/parts")
def parts(page: Opened, at: At, attempt: Attempt) -> Response:
    """Where the log of a try lies by now."""
    return Response(_spot(page.home, at, attempt).told(), media_type="application/json")


@router.get("/log/follow")
def follow(page: Opened, at: At, attempt: Attempt) -> StreamingResponse:
    """Hear of what a try writes, until it is over."""
    spot = _spot(page.home, at, attempt)
    events = _events(page.request, page.home, at, spot)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


def _spot(home: Home, at: Place, attempt: int) -> Spot:
    run = home.reads.run(at.dag_id, at.run_id)
    return spot_of(home, run, home.reads.activity(run, at.task_id, at.map_index), attempt)


async def _events(request: Request, home: Home, at: Place, spot: Spot) -> AsyncIterator[bytes]:
    live: Live = request.app.state.live
    async with live.watching(home.who, at.dag_id, at.run_id) as (watcher, _):
        spot = await run_in_threadpool(_spot, home, at, spot.attempt)  # it may have ended before it was watched
        yield b"retry: 1000\n" + _event(spot)
        wait, turns = SOONEST, 0
        while not spot.is_over and not watcher.is_closed:
            news = await watcher.news(wait)
            try:
                found = await run_in_threadpool(_look, request, home, at, spot, _is_due(turns, news, watcher))
            except OrchestratorError:
                return
            watcher.has_missed = False
            is_new, spot = found != spot, found
            wait = SOONEST if is_new else min(LATEST, wait * 1.5)
            turns += 1
            if is_new:
                yield _event(spot)
            elif turns % _ALIVE_TURNS == 0:
                yield b": still here\n\n"


def _is_due(turns: int, news: list[News], watcher: Watcher) -> bool:
    """Whether to ask the database: something has happened, or it is time to see whether the reader may stay."""
    return bool(news) or watcher.has_missed or turns % _ALIVE_TURNS == _ALIVE_TURNS - 1


def _look(request: Request, home: Home, at: Place, spot: Spot, is_due: bool) -> Spot:
    if is_due:
        visitor_of(request)
        row = home.reads.activity(home.reads.run(at.dag_id, at.run_id), at.task_id, at.map_index)
        if (row.attempt, row.scheduled_seq) != (spot.attempt, spot.seqs[-1]) or row.state in FINISHED:
            return _spot(home, at, spot.attempt)
    sizes = home.part(RunLogs).sizes(spot.run_key, spot.seqs, spot.map_index)
    return msgspec.structs.replace(spot, size=sum(sizes))


def _event(spot: Spot) -> bytes:
    return b"event: growth\ndata: %s\n\n" % spot.told()
