"""Forking a run, taking it back, and moving it to another version."""

import uuid
from collections.abc import Iterator

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.given import raw
from orchestrator.api.models.mending import ForkBody, MoveBody, Repeated, ResetBody, TakenBack, Verdict
from orchestrator.api.paging import DagId, RunId
from orchestrator.api.routes.dag_details import find_version
from orchestrator.api.routes.histories import RUN
from orchestrator.api.routes.talking import asked
from orchestrator.assembly.fork_names import free_name
from orchestrator.assembly.home import Home
from orchestrator.assembly.prospects import Prospects, place_of
from orchestrator.assembly.redeploy import check_move
from orchestrator.assembly.settling import settle
from orchestrator.assembly.triggering import checked_run_id
from orchestrator.core.compatibility import Meaning
from orchestrator.core.effects import Effect
from orchestrator.core.requests import Edit, ForkRun, MoveRun, ResetRun
from orchestrator.core.taking_over import Past
from orchestrator.exceptions import ConflictError
from orchestrator.storage.views import RunRow

router = APIRouter(tags=["DagRun"])


@router.post(RUN + "/fork")
def fork_run(home: Asked, dag_id: DagId, dag_run_id: RunId, body: ForkBody) -> TakenBack:
    """Make a new run that begins with what this one had recorded, and goes on from there."""
    run = _begun(home, dag_id, dag_run_id)
    prospects = Prospects(home, run)
    past = prospects.past(prospects.seq(body.seq, body.before))
    request = ForkRun(
        dag_id=dag_id,
        run_id=free_name(home, run) if body.dag_run_id is None else checked_run_id(body.dag_run_id),
        run_uid=uuid.uuid4().hex,
        source=run.run_id,
        seq=past.until.seq,
        edits=tuple(_edits(prospects, past, body)),
        same_key=body.same_key,
        version_id=_version(home, dag_id, body.version_number),
        note=body.note,
    )
    prospects.rehearse(request)
    effects = prospects.effects(past, request.version_id, [(edit.task_id, edit.map_index) for edit in request.edits])
    verdict = None if body.dry_run else settle(home, request)
    return _taken_back(dag_id, request.run_id, request.seq, verdict, effects)


@router.post(RUN + "/reset")
def reset_run(home: Asked, dag_id: DagId, dag_run_id: RunId, body: ResetBody) -> TakenBack:
    """Take a run back in its history, and let it go on from there."""
    run = _begun(home, dag_id, dag_run_id)
    prospects = Prospects(home, run)
    past = prospects.past(prospects.seq(body.seq, body.before))
    version_id = _version(home, dag_id, body.version_number)
    effects = prospects.effects(past, version_id or run.version_id)
    request = ResetRun(dag_id=dag_id, run_id=run.run_id, seq=past.until.seq, reason=body.reason, version_id=version_id)
    verdict = None if body.dry_run else settle(home, request)
    return _taken_back(dag_id, run.run_id, request.seq, verdict, effects)


@router.post(RUN + "/move")
def move_run(home: Asked, dag_id: DagId, dag_run_id: RunId, body: MoveBody) -> Verdict:
    """Let an open run go on with another version."""
    run = home.reads.run(dag_id, dag_run_id)
    if run.is_pending or run.is_ended:
        raise ConflictError(f"run {run.run_id!r} is {run.state} and not open; fork it to go on with another version")
    version_id = find_version(home, dag_id, body.version_number).version_id
    fit = check_move(home, run, version_id)
    if fit.is_same:
        raise ConflictError(f"run {run.run_id!r} has that version of {dag_id!r} already")
    if fit.meaning > Meaning.COMPATIBLE and not body.force:
        worst = fit.findings[0]
        raise ConflictError(f"it {worst.meaning.words}: {worst.message}; move it all the same with force, or fork it")
    return asked(home, MoveRun(dag_id=dag_id, run_id=run.run_id, version_id=version_id))


def _begun(home: Home, dag_id: str, run_id: str) -> RunRow:
    run = home.reads.run(dag_id, run_id)
    if run.is_pending:
        raise ConflictError(f"run {run.run_id!r} has no history yet: {run.reason}")
    return run


def _version(home: Home, dag_id: str, number: int | None) -> int | None:
    return None if number is None else find_version(home, dag_id, number).version_id


def _edits(prospects: Prospects, past: Past, body: ForkBody) -> Iterator[Edit]:
    for name, value in body.edits.items():
        task_id, map_index = place_of(name)
        index = prospects.index(past, task_id, map_index)
        yield Edit(task_id=task_id, map_index=index, result=raw(f"edits.{name}", value))


def _taken_back(dag_id: str, run_id: str, seq: int, verdict: str | None, effects: list[Effect]) -> TakenBack:
    told = [
        Repeated(
            what=effect.what,
            name=effect.name,
            map_index=effect.map_index if effect.map_index >= 0 else None,
            delivery=effect.delivery,
            attempts=effect.attempts,
            outcome=effect.outcome,
        )
        for effect in effects
    ]
    return TakenBack(dag_id=dag_id, dag_run_id=run_id, seq=seq, verdict=verdict, effects=told)
