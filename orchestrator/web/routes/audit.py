"""The pages of the audit log."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import StreamingResponse

from orchestrator.assembly.auditing import proof_of
from orchestrator.web.page import Opened
from orchestrator.web.views.audit_log import Wanted, audit_log, exported

router = APIRouter(prefix="/audit")

Text = Annotated[str, Query(max_length=250)]


def _wanted(
    who: Text = "",
    action: Text = "",
    dag: Text = "",
    run: Text = "",
    since: Text = "",
    until: Text = "",
    before: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Wanted:
    return Wanted(who=who, action=action, dag=dag, run=run, since=since, until=until, before=before)


Asked = Annotated[Wanted, Depends(_wanted)]


@router.get("")
def show(page: Opened, wanted: Asked) -> Response:
    return page.show("audit.html", view=audit_log(page.home, wanted))


@router.get("/export")
def export(page: Opened, wanted: Asked) -> Response:
    wanted.filter()
    page.home.reads.audit_page(limit=1)  # who may see nothing is told so here
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(exported(page.home, wanted), headers=headers, media_type="application/x-ndjson")


@router.post("/verify")
def verify(page: Opened, afresh: bool = False) -> Response:
    """Walk over the next piece of the chain; the script asks for as many as there are."""
    proof = proof_of(page.home).go_on(afresh=afresh)
    answer = {
        "verified": proof.verified,
        "last": proof.last,
        "done": proof.is_done,
        "breaks": [one.what for one in proof.breaks],
    }
    return Response(msgspec.json.encode(answer), media_type="application/json")
