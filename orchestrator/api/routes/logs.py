"""What a try of a task instance wrote."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from orchestrator.api.asked import Asked
from orchestrator.api.models.tasks import LogPiece
from orchestrator.api.paging import DagId, RunId, TaskId, WhichMapIndex
from orchestrator.api.raw_log import Reader, raw_log, reader_of
from orchestrator.api.routes.task_instances import PATH
from orchestrator.api.told_log import as_lines, as_one_text, text_of
from orchestrator.assembly.attempt_logs import logs_of_try
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import MOST_AT_ONCE
from orchestrator.names import FINISHED, UNMAPPED

router = APIRouter(tags=["Task Instance"])

LINES = "application/x-ndjson"
TryNumber = Annotated[int, Path(ge=0, le=2**31 - 1, description="0 is the last.")]
Token = Annotated[str | None, Query(max_length=18, pattern=r"^[0-9]{1,18}$")]
_LINE = {"type": "string", "example": '{"timestamp": "2026-01-31T06:00:00.000000Z", "level": "INFO", "event": "hello"}'}
_OR_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {LINES: {"schema": _LINE}}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_RAW: dict[int | str, dict[str, Any]] = {
    200: {"description": "All of it.", "content": _TEXT},
    206: {"description": "The range that was asked for.", "content": _TEXT},
    416: {"description": "There is no such range."},
}


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """How the logs of a try are read, whether nothing is added to them any more, and what a file of them is called."""

    read: Reader
    is_over: bool
    name: str


@router.get(PATH + "/{task_id}/logs/{try_number}", response_model=LogPiece, responses=_OR_LINES)
def get_log(
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    task_id: TaskId,
    try_number: TryNumber,
    map_index: WhichMapIndex = UNMAPPED,
    full_content: Annotated[bool, Query(description="All there is by now, at once.")] = False,
    token: Token = None,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE, description="How many bytes at most.")] = 256 * 1024,
    accept: Annotated[str, Header(max_length=1000)] = "application/json",
) -> Response:
    """A piece of what a try wrote, from the beginning or from where ``token`` says; a piece that is empty says that
    nothing more is written as yet. With ``full_content`` it is all there is, and with ``Accept: application/x-ndjson``
    that line by line, each with its moment and level. Try 0 is the last."""
    log = _log(home, dag_id, dag_run_id, task_id, try_number, map_index)
    start = int(token or 0)
    size = log.read(0, 0).size
    rest = None if log.is_over else str(max(start, size))
    if LINES in accept:
        headers = {} if rest is None else {"Airflow-Continuation-Token": rest}
        return StreamingResponse(as_lines(log.read, start, size), headers=headers, media_type=LINES)
    if full_content:
        return StreamingResponse(as_one_text(log.read, start, size, rest), media_type="application/json")
    return _piece(log, start, limit)


@router.get(PATH + "/{task_id}/logs/{try_number}/raw", response_class=StreamingResponse, responses=_RAW)
def get_raw_log(
    request: Request,
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    task_id: TaskId,
    try_number: TryNumber,
    map_index: WhichMapIndex = UNMAPPED,
) -> Response:
    """All that a try wrote, byte for byte, as a file; or the range of it that the header ``Range`` names."""
    log = _log(home, dag_id, dag_run_id, task_id, try_number, map_index)
    return raw_log(request, log.read, log.name)


def _log(home: Home, dag_id: str, dag_run_id: str, task_id: str, try_number: int, map_index: int) -> Log:
    """NotFoundError where there is no such try."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, task_id, map_index)
    seqs = [place.seq for place in logs_of_try(home, run, row, try_number or None)]
    return Log(
        read=reader_of(home, run.run_key, seqs, row.map_index),
        is_over=row.state in FINISHED or try_number not in (0, row.attempt),
        name=file_name(run.dag_id, run.run_id, row.task_id, row.map_index, try_number or row.attempt),
    )


def file_name(dag_id: str, run_id: str, task_id: str, map_index: int, attempt: int) -> str:
    """What a file is called in which somebody keeps a log."""
    index = "" if map_index < 0 else f"-{map_index}"
    return f"{dag_id}-{run_id}-{task_id}{index}-try{attempt}.log"


def _piece(log: Log, start: int, limit: int) -> Response:
    piece = log.read(start, limit)
    is_last = start + len(piece.data) >= piece.size
    text, taken = text_of(piece.data, is_whole=is_last and log.is_over)
    end = start + taken
    token = None if is_last and log.is_over else str(end)
    found = LogPiece(content=text, continuation_token=token, size=piece.size)
    return Response(found.model_dump_json(), media_type="application/json")
