"""``/rpc``: the questions that the command line asks from afar. They are its own: programs ask the resources."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from orchestrator.api.asked import Asked
from orchestrator.assembly.calls import answer

router = APIRouter(include_in_schema=False)


@router.post("/rpc/{part}/{name}")
async def ask(request: Request, home: Asked, part: str, name: str) -> Response:
    """One question of one part of the home; see assembly.calls."""
    body = await request.body()
    found = await run_in_threadpool(answer, home, part, name, body)
    if part in ("requests", "records"):
        home.ring()
    return Response(found, media_type="application/json")
