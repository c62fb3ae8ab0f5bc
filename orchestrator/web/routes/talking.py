"""Talking with a workflow's run: signals, queries and updates."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Response

from orchestrator.assembly.because import reasons
from orchestrator.assembly.home import Home
from orchestrator.assembly.settling import settle
from orchestrator.assembly.talking import answer_to, query_of, signal_to, update_of
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.core.rights import Right
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.storage.views import RunRow
from orchestrator.web.page import Fields, Opened, Page, done
from orchestrator.web.views.run_head import run_head
from orchestrator.web.views.talk import Said, pretty, talk
from orchestrator.web.wording import segment

router = APIRouter(prefix="/dags/{dag_id}/runs/{run_id}")

_PATIENCE = 10.0  # seconds for the answer of an update


@router.get("/talk")
def show(page: Opened, dag_id: str, run_id: str) -> Response:
    head = run_head(page.home, dag_id, run_id, "talk")
    view = talk(page.home, head.run, None if head.is_long and not page.is_fragment else _reasons(page.home, head.run))
    return page.show("run_talk.html", head=head, view=view, said=Said(kind=""), may=page.may(Right.TRIGGER, dag_id))


@router.post("/signal")
def signal(page: Opened, dag_id: str, run_id: str, fields: Fields) -> Response:
    def send(run: RunRow, name: str, value: Any) -> msgspec.Raw | None:
        settle(page.home, signal_to(page.home, run, name, value, raw(value)))
        return None

    return _said(page, dag_id, run_id, "signal", fields, send)


@router.post("/query")
def query(page: Opened, dag_id: str, run_id: str, fields: Fields) -> Response:
    def ask(run: RunRow, name: str, value: Any) -> msgspec.Raw:
        return query_of(page.home, run, name, raw(value))

    return _said(page, dag_id, run_id, "query", fields, ask)


@router.post("/update")
def update(page: Opened, dag_id: str, run_id: str, fields: Fields) -> Response:
    def send(run: RunRow, name: str, value: Any) -> msgspec.Raw:
        request = update_of(page.home, run, name, value, raw(value))
        settle(page.home, request)
        return answer_to(page.home, run, request, _PATIENCE)

    return _said(page, dag_id, run_id, "update", fields, send)


def _said(
    page: Page,
    dag_id: str,
    run_id: str,
    kind: str,
    fields: Mapping[str, list[str]],
    say: Callable[[RunRow, str, Any], msgspec.Raw | None],
) -> Response:
    """The form once more with the answer, or with what is wrong; what has no answer is done."""
    run = page.home.reads.run(dag_id, run_id)
    said = Said(kind=kind, name=_text(fields, "name"), given=_text(fields, "value"))
    try:
        answer = say(run, said.name, read_json(said.given or "null", "what is sent"))
    except (UsageError, ConflictError, NotFoundError) as error:
        said = msgspec.structs.replace(said, error=str(error))
    else:
        if answer is None:
            return done(f"Sent {kind} {said.name}.")
        said = msgspec.structs.replace(said, answer=pretty(answer))
    path = f"/dags/{segment(dag_id)}/runs/{segment(run_id)}"
    view = talk(page.home, run)
    return page.show("talk_answer.html", said=said, view=view, path=path, status=422 if said.error else 200)


def _reasons(home: Home, run: RunRow) -> list[str]:
    return [reason.sentence for reason in reasons(home, run)] if run.run_key else [run.reason]


def _text(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[-1].strip()
