"""What a history makes possible: reading it, why, waiting for the end, and what a schedule will make."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from orchestrator.api.asked import Asked
from orchestrator.api.etags import heed
from orchestrator.api.live import Live
from orchestrator.api.models.observed import (
    Due,
    Event,
    History,
    Preview,
    WhyCollection,
    why_of,
)
from orchestrator.api.paging import MOST, DagId, RunId
from orchestrator.assembly.because import reasons
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_payloads import RunPayloads
from orchestrator.core import timetables, values
from orchestrator.core.events import Recorded
from orchestrator.exceptions import OrchestratorError
from orchestrator.names import UNMAPPED
from orchestrator.storage.views import Outcome, RunRow

router = APIRouter(tags=["History"])

RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
_LINES = "application/x-ndjson"


@router.get(RUN + "/history")
def get_history(
    request: Request,
    response: Response,
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    after: Annotated[int, Query(ge=0, le=2**62, description="Only facts with a higher seq.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> History:
    """What is recorded of a run, in order."""
    run = home.reads.run(dag_id, dag_run_id)
    heed(request, response, run.run_key, run.last_seq)
    facts = home.reads.history(run.run_key, after=after, limit=limit) if run.run_key else []
    following = facts[-1].seq if facts and facts[-1].seq < run.last_seq else None
    return History(events=[_event(fact) for fact in facts], next_after=following, last_seq=run.last_seq)


@router.get(RUN + "/why")
def get_why(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: Annotated[str | None, Query(max_length=250)] = None
) -> WhyCollection:
    """Why a run, or one of its tasks, does not run, or why it ended so."""
    run = home.reads.run(dag_id, dag_run_id)
    if task_id is not None:
        home.reads.activity(run, task_id)
    found = reasons(home, run, task_id)
    return WhyCollection(reasons=[why_of(reason) for reason in found], total_entries=len(found))


@router.get("/dags/{dag_id}/preview")
def get_preview(home: Asked, dag_id: DagId, count: Annotated[int, Query(ge=1, le=100)] = 10) -> Preview:
    """The runs that the schedule will make next."""
    dag = home.reads.dag(dag_id)
    last = next((run.slot for run in home.reads.runs(dag_id) if run.slot is not None), None)
    slots = timetables.upcoming(dag.header, after=datetime.now(UTC), count=count, last=last)
    due = [
        Due(
            run_after=slot.fire_at,
            logical_date=slot.logical_date,
            data_interval_start=slot.data_interval_start,
            data_interval_end=slot.data_interval_end,
        )
        for slot in slots
    ]
    schedule = dag.header.schedule_text
    return Preview(schedule=schedule, is_paused=dag.is_paused, runs=due, total_entries=len(due))


@router.get(
    RUN + "/wait",
    response_class=StreamingResponse,
    responses={200: {"content": {_LINES: {"schema": {"type": "string"}}}, "description": "Lines of JSON."}},
)
def wait_for_run(
    request: Request,
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    interval: Annotated[float, Query(gt=0, le=3600, description="Seconds after which a line comes in any case.")] = 10,
    result: Annotated[list[str] | None, Query(max_length=100, description="Tasks whose results are told.")] = None,
) -> StreamingResponse:
    """Wait for the end of a run: a line of JSON with its ``state`` at each change; the last has the ``results``."""
    run = home.reads.run(dag_id, dag_run_id)
    live: Live = request.app.state.live
    return StreamingResponse(_waited(live, home, run, interval, result or []), media_type=_LINES)


async def _waited(live: Live, home: Home, run: RunRow, interval: float, wanted: list[str]) -> AsyncIterator[bytes]:
    async with live.watching(home.who, run.dag_id, run.run_id) as (watcher, _):
        while not watcher.is_closed:
            try:
                run = await run_in_threadpool(home.reads.run, run.dag_id, run.run_id)
            except OrchestratorError:
                return
            if run.is_ended:
                results = await run_in_threadpool(_results, home, run, wanted)
                yield msgspec.json.encode({"state": run.state} | ({"results": results} if wanted else {})) + b"\n"
                return
            yield msgspec.json.encode({"state": run.state}) + b"\n"
            await watcher.news(interval if run.run_key else min(interval, 1.0))
            await asyncio.sleep(0)


def _results(home: Home, run: RunRow, wanted: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for task_id in wanted:
        try:
            outcome = home.reads.result(run.run_key, task_id, UNMAPPED)
        except OrchestratorError:
            found[task_id] = None
        else:
            found[task_id] = _value(home, run, outcome)
    return found


def _value(home: Home, run: RunRow, outcome: Outcome) -> object:
    if outcome.payload is not None:
        data = home.part(RunPayloads).get(run.run_key, outcome.payload)
    else:
        data = bytes(outcome.value or b"null")
    return msgspec.json.decode(values.readable(data))


def _event(fact: Recorded) -> Event:
    body = msgspec.json.decode(msgspec.json.encode(fact.event))
    return Event(
        seq=fact.seq,
        type=type(fact.event).__name__,
        at=fact.at,
        task_id=body.get("task_id"),
        map_index=body.get("map_index"),
        attempt=body.get("attempt"),
        body=body,
    )
