"""Server-sent events: what changes, as it changes.

Each stream begins with ``hello`` and goes on with ``change``, both with JSON for data and an id, which a browser sends
back as ``Last-Event-ID`` when it connects again, and so misses nothing; ``?since=`` is the same for the first time:

    id: 4711-12
    event: change
    data: {"position":4711,"revision":12,"dag_id":"etl","run_id":"manual__1","run_key":7,"seq":9,"what":["run","tasks"]}

``what`` names what to ask for again: ``new`` (a run), ``run``, ``tasks``, ``catalog`` (the DAG: its version, or whether
it is paused; there is no run then). ``reset``, with no data to speak of, says that there was too much to tell: ask for
everything again. ``seq`` is the run's newest fact. Every few seconds a comment says that the stream is alive. What a
watcher may not see is not told; a stream ends with its session, its token, or the server.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from orchestrator.api.asked import Asked
from orchestrator.api.live import Live, News, give, news_between
from orchestrator.api.visitor import visitor_of
from orchestrator.assembly.home import Home
from orchestrator.exceptions import OrchestratorError
from orchestrator.storage.reads import Standing

router = APIRouter(tags=["Live"])

ALIVE_SECONDS = 15.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_CONTENT = {"text/event-stream": {"schema": {"type": "string"}}}
_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": _CONTENT, "description": "A stream of events."}}

LastEventId = Annotated[str | None, Header(max_length=50, description="The id of the last event that was heard.")]
Since = Annotated[str | None, Query(max_length=50, description="The same, where a header cannot be sent.")]


@router.get("/events", response_class=StreamingResponse, responses=_ANSWER)
def get_events(
    request: Request,
    home: Asked,
    last_event_id: LastEventId = None,
    since: Since = None,
    dag_id: Annotated[str | None, Query(description="Only what is about this DAG.")] = None,
) -> StreamingResponse:
    """Hear of everything that changes, as server-sent events."""
    return _stream(request, home, last_event_id or since, dag_id)


@router.get("/dags/{dag_id}/events", response_class=StreamingResponse, responses=_ANSWER)
def get_dag_events(
    request: Request, home: Asked, dag_id: str, last_event_id: LastEventId = None, since: Since = None
) -> StreamingResponse:
    """Hear of what changes in a DAG and its runs."""
    return _stream(request, home, last_event_id or since, dag_id)


@router.get("/dags/{dag_id}/dagRuns/{dag_run_id}/events", response_class=StreamingResponse, responses=_ANSWER)
def get_run_events(
    request: Request,
    home: Asked,
    dag_id: str,
    dag_run_id: str,
    last_event_id: LastEventId = None,
    since: Since = None,
) -> StreamingResponse:
    """Hear of what changes in a run, and in its DAG."""
    run = home.reads.run(dag_id, dag_run_id)
    return _stream(request, home, last_event_id or since, run.dag_id, run.run_id)


def _stream(
    request: Request, home: Home, last_event_id: str | None, dag_id: str | None, run_id: str | None = None
) -> StreamingResponse:
    home.reads.standing()  # whoever may see nothing is told so here
    if dag_id is not None:
        home.reads.dag(dag_id)
    events = _events(request, home, _place(last_event_id), dag_id, run_id)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(
    request: Request, home: Home, heard: Standing | None, dag_id: str | None, run_id: str | None
) -> AsyncIterator[bytes]:
    live: Live = request.app.state.live
    async with live.watching(home.who, dag_id, run_id) as (watcher, seen):
        yield b"retry: 1000\n" + _event("hello", seen, msgspec.json.encode(seen))
        if heard is not None and heard != seen:
            give(watcher, await run_in_threadpool(_missed, home, heard, seen))
        while not watcher.is_closed:
            found = await watcher.news(ALIVE_SECONDS)
            if watcher.has_missed:
                watcher.has_missed = False
                yield _event("reset", seen, b"{}")
            for news in found:
                seen = Standing(position=news.position, revision=news.revision)
                yield _event("change", seen, msgspec.json.encode(news))
            if not found and not watcher.is_closed:
                if not await run_in_threadpool(_may_stay, request):
                    return
                yield b": still here\n\n"


def _missed(home: Home, heard: Standing, seen: Standing) -> list[News] | None:
    if heard.position > seen.position or heard.revision > seen.revision:
        return None  # it was heard of another database
    return news_between(home.reads, heard, seen)


def _may_stay(request: Request) -> bool:
    """Whether the session or token still lets in."""
    try:
        visitor_of(request)
    except OrchestratorError:
        return False
    return True


def _place(last_event_id: str | None) -> Standing | None:
    position, _, revision = (last_event_id or "").partition("-")
    if not (_is_number(position) and _is_number(revision)):
        return None
    return Standing(position=int(position), revision=int(revision))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _event(name: str, seen: Standing, data: bytes) -> bytes:
    return b"id: %d-%d\nevent: %s\ndata: %s\n\n" % (seen.position, seen.revision, name.encode(), data)
