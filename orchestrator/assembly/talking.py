"""Talking with a workflow that runs: signals, updates and their answers, queries."""

import time
import uuid
from datetime import timedelta
from typing import Any

import msgspec

from orchestrator.assembly.asking import replay_run
from orchestrator.assembly.entrances import find_entrance
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Query
from orchestrator.assembly.run_spec import spec_version
from orchestrator.authoring.conf import check_fits
from orchestrator.core.events import UpdateAnswered
from orchestrator.core.reasons import span
from orchestrator.core.requests import SendSignal, SendUpdate
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.storage.views import RunRow

_LOOK_SECONDS = 0.05


def signal_to(home: Home, run: RunRow, name: str, value: Any, payload: msgspec.Raw, by: str = "") -> SendSignal:
    """The request that sends ``value``, whose JSON is ``payload``. UsageError where it is not what the signal takes,
    NotFoundError where there is no such signal.
    """
    spec = home.reads.spec(spec_version(home, run))
    check_fits(f"signal {name!r}", find_entrance(spec, "signal", spec.signals, name), value)
    return SendSignal(dag_id=run.dag_id, run_id=run.run_id, by=by, name=name, payload=payload)


def update_of(home: Home, run: RunRow, name: str, arguments: Any, payload: msgspec.Raw, by: str = "") -> SendUpdate:
    """The request for a change, with its arguments by name. UsageError where they are not what the update takes,
    NotFoundError where there is no such update.
    """
    spec = home.reads.spec(spec_version(home, run))
    check_fits(f"update {name!r}", find_entrance(spec, "update", spec.updates, name), arguments)
    if not isinstance(arguments, dict):
        raise UsageError(f"update {name!r} takes its arguments by name; write an object such as '{{\"key\": 1}}'")
    identity = uuid.uuid4().hex
    return SendUpdate(dag_id=run.dag_id, run_id=run.run_id, by=by, update_id=identity, name=name, payload=payload)


def answer_to(home: Home, run: RunRow, request: SendUpdate, timeout: float) -> msgspec.Raw:
    """The answer of an update as JSON, once it is recorded after what ``run`` has; ConflictError where it was not done,
    if that takes longer than ``timeout`` seconds, or if the run ends before.
    """
    seq, deadline = run.last_seq, time.monotonic() + timeout
    while True:
        now = home.reads.run(run.dag_id, run.run_id)
        for fact in home.reads.history(now.run_key, after=seq) if now.run_key else ():
            seq = fact.seq
            if isinstance(fact.event, UpdateAnswered) and fact.event.update_id == request.update_id:
                if fact.event.failure is not None:
                    raise ConflictError(f"update {request.name!r} was not done: {fact.event.failure.message}")
                return fact.event.result
        if now.is_ended:
            raise ConflictError(f"run {run.run_id!r} has ended ({now.state}) without an answer: {now.reason}")
        if time.monotonic() > deadline:
            raise ConflictError(
                f"update {request.name!r} has no answer after {span(timedelta(seconds=timeout))}; it is kept, and "
                f"`orchestrator runs history {run.dag_id} {run.run_id}` shows its answer when there is one"
            )
        time.sleep(_LOOK_SECONDS)


def query_of(home: Home, run: RunRow, name: str, arguments: msgspec.Raw, at: int | None = None) -> msgspec.Raw:
    """What the code of a workflow answers, now or after its fact ``at``, as JSON: its history is replayed for that, and
    nothing changes. ConflictError where that cannot be, UsageError where the query has no answer.
    """
    if run.is_pending:
        raise ConflictError(f"run {run.run_id!r} cannot be asked yet: {run.reason}")
    found = replay_run(home, run, at=at, query=Query(name=name, arguments=arguments))
    if found.block is not None:
        raise ConflictError(f"run {run.run_id!r} cannot be replayed ({found.block.kind}): {found.block.message}")
    if found.refusal is not None:
        raise UsageError(f"query {name!r} has no answer: {found.refusal.message}")
    return found.answer or msgspec.Raw(b"null")
