"""A log as it was written, to keep or to look at."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.api.raw_log import raw_log, reader_of
from orchestrator.api.routes.logs import file_name
from orchestrator.assembly.attempt_logs import logs_of_try
from orchestrator.web.page import Opened
from orchestrator.web.place import PATH, At

router = APIRouter(prefix=PATH)

Attempt = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.api_route("/log/raw", methods=["GET", "HEAD"])
def raw(
    page: Opened,
    at: At,
    attempt: Attempt = None,
    keep: Annotated[bool, Query(description="Whether it is a file to keep.")] = False,
    start: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    end: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """All that a try wrote, or the bytes from ``start`` to ``end``; nothing masked in it is shown."""
    run = page.home.reads.run(at.dag_id, at.run_id)
    row = page.home.reads.activity(run, at.task_id, at.map_index)
    seqs = [place.seq for place in logs_of_try(page.home, run, row, attempt)]
    read = reader_of(page.home, run.run_key, seqs, row.map_index)
    name = file_name(run.dag_id, run.run_id, row.task_id, row.map_index, attempt or row.attempt)
    return raw_log(page.request, read, name if keep else None, start, end)
