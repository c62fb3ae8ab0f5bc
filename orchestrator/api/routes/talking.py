"""Telling a run something, and asking it: pause, cancel, signals, updates, queries, and replays of its code."""

import msgspec
from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.given import raw
from orchestrator.api.models.mending import (
    Answered,
    CancelBody,
    QueryBody,
    ReplayResult,
    ResolveBody,
    SignalBody,
    UpdateBody,
    Verdict,
)
from orchestrator.api.paging import DagId, RunId
from orchestrator.api.routes.histories import RUN
from orchestrator.assembly.asking import replay_run
from orchestrator.assembly.home import Home
from orchestrator.assembly.settling import settle
from orchestrator.assembly.talking import answer_to, query_of, signal_to, update_of
from orchestrator.core.particulars import NULL
from orchestrator.core.requests import (
    AnyRequest,
    CancelRun,
    PauseRun,
    ResolveTask,
    ResumeRun,
)
from orchestrator.exceptions import ConflictError
from orchestrator.names import TaskState

router = APIRouter(tags=["DagRun"])

_OUTCOMES = {"success": TaskState.SUCCESS, "failed": TaskState.FAILED, "retry": TaskState.NONE}


@router.post(RUN + "/pause")
def pause_run(home: Asked, dag_id: DagId, dag_run_id: RunId) -> Verdict:
    """Start nothing more in a run until it is resumed."""
    run = home.reads.run(dag_id, dag_run_id)
    return asked(home, PauseRun(dag_id=dag_id, run_id=run.run_id))


@router.post(RUN + "/resume")
def resume_run(home: Asked, dag_id: DagId, dag_run_id: RunId) -> Verdict:
    """Let a run go on that is paused, or blocked."""
    run = home.reads.run(dag_id, dag_run_id)
    return asked(home, ResumeRun(dag_id=dag_id, run_id=run.run_id))


@router.post(RUN + "/cancel")
def cancel_run(home: Asked, dag_id: DagId, dag_run_id: RunId, body: CancelBody) -> Verdict:
    """End a run."""
    run = home.reads.run(dag_id, dag_run_id)
    return asked(home, CancelRun(dag_id=dag_id, run_id=run.run_id, reason=body.reason))


@router.post(RUN + "/signals")
def send_signal(home: Asked, dag_id: DagId, dag_run_id: RunId, body: SignalBody) -> Verdict:
    """Send a signal to a workflow."""
    run = home.reads.run(dag_id, dag_run_id)
    return asked(home, signal_to(home, run, body.name, body.payload, raw("payload", body.payload)))


@router.post(RUN + "/updates")
def send_update(home: Asked, dag_id: DagId, dag_run_id: RunId, body: UpdateBody) -> Answered:
    """Ask a workflow for a change, and wait for its answer."""
    run = home.reads.run(dag_id, dag_run_id)
    request = update_of(home, run, body.name, body.arguments, raw("arguments", body.arguments))
    settle(home, request)
    return Answered(answer=msgspec.json.decode(answer_to(home, run, request, body.timeout)))


@router.post(RUN + "/queries")
def ask_query(home: Asked, dag_id: DagId, dag_run_id: RunId, body: QueryBody) -> Answered:
    """Ask the code of a workflow something; its recorded history is replayed for that, and nothing changes."""
    run = home.reads.run(dag_id, dag_run_id)
    answer = query_of(home, run, body.name, raw("arguments", body.arguments), body.at)
    return Answered(answer=msgspec.json.decode(answer))


@router.post(RUN + "/replay")
def replay(home: Asked, dag_id: DagId, dag_run_id: RunId) -> ReplayResult:
    """Hold a workflow's history against its code; nothing changes."""
    run = home.reads.run(dag_id, dag_run_id)
    if run.is_pending:
        raise ConflictError(f"run {run.run_id!r} has no history yet: {run.reason}")
    found = replay_run(home, run)
    block = found.block
    return ReplayResult(
        is_ok=found.is_ok,
        seq=found.seq,
        block=None if block is None else block.kind,
        message=None if block is None else block.message,
        where=None if block is None else block.where,
    )


@router.post(RUN + "/resolve")
def resolve(home: Asked, dag_id: DagId, dag_run_id: RunId, body: ResolveBody) -> Verdict:
    """Say what became of a task whose outcome is unknown."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, body.task_id, body.map_index)
    if row.state is not TaskState.AWAITING_INPUT or row.asked_seq is not None:
        raise ConflictError(f"task {body.task_id!r} of {run.run_id!r} is {row.state}, and its outcome is not unknown")
    request = ResolveTask(
        dag_id=dag_id,
        run_id=run.run_id,
        task_id=body.task_id,
        map_index=row.map_index,
        state=_OUTCOMES[body.outcome],
        result=raw("result", body.result) if body.outcome == "success" else NULL,
    )
    return asked(home, request)


def asked(home: Home, request: AnyRequest) -> Verdict:
    """Leave a request, and say what became of it."""
    verdict = settle(home, request)
    tag = str(request.__struct_config__.tag)
    return Verdict(dag_id=request.dag_id, dag_run_id=request.run_id, request=tag, verdict=verdict.value)  # type: ignore[arg-type]
