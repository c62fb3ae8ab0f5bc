"""Replaying a recorded history against given code, in a blue process of its own."""

import select
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from orchestrator.assembly.replayer import blue_settings
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.activations import (
    Activation,
    Advance,
    Block,
    FactsWanted,
    ReplayLost,
    Standing,
    WorkflowCommand,
)
from orchestrator.core.events import Failure, Recorded, RunCreated
from orchestrator.core.plan import Plan
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.executors.replayer import LocalReplayer
from orchestrator.names import DagKind
from orchestrator.worker.blue.wire import Reply

_RUN_KEY = 1  # there is no other run in that process
_SEGMENT = 5_000
_LONGEST_NAP = 1.0
_MOST_LOSSES = 5  # of the process, or of what it needs, in a row
_PATIENCE = 10  # times deadlock_timeout: for how long an answer is waited for


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow is to be asked once it has been replayed; ``arguments`` is a JSON object, by name."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. ``seq`` is that of the last fact that the code took in.

    ``commands`` is what the code asks for beyond what is recorded. ``block`` says why it cannot go on with this
    history; then there is nothing else. ``answer`` is what the query gave, as JSON, ``refusal`` why it gave nothing.
    ``standing`` is where it stands then, if that was asked. ``notices`` are sentences that a person should read.
    """

    seq: int
    commands: tuple[WorkflowCommand, ...] = ()
    block: Block | None = None
    answer: msgspec.Raw | None = None
    refusal: Failure | None = None
    standing: Standing = Standing()
    notices: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether the code and the history fit each other."""
        return self.block is None


def replay_history(
    config: Config,
    spec: DagSpec,
    code: str,
    facts: Sequence[Recorded],
    *,
    version_id: int = 0,
    query: Query | None = None,
    looks: bool = False,
) -> Replayed:
    """Run the workflow ``spec`` of the snapshot folder ``code`` through ``facts``, a history from its RunCreated on.

    Nothing is recorded, and no activity runs. ``version_id``: of the code, 0 where it is no recorded version.
    ``looks``: say also where the code stands. UsageError where the history is not one of a workflow.
    """
    run = _folded(spec, version_id, facts)
    told = [fact for fact in facts if fact.seq >= run.began_at and run.counts(fact)]
    notices: list[str] = []
    settings = replace(blue_settings(config), max_log_bytes=0)
    replayer = LocalReplayer(settings, SystemClock(), processes=1, notice=notices.append)
    with _going(replayer):
        advance = _advance(replayer, _activation(run, code), told)
        commands = advance.commands
        block = commands[0] if commands and isinstance(commands[0], Block) else None
        if block is not None:
            return Replayed(seq=run.seq, block=block, notices=tuple(notices))
        found = Replayed(seq=run.seq, commands=commands, notices=tuple(notices))
        if looks:
            found = replace(found, standing=_standing(replayer))
        if query is None:
            return found
        reply = _reply(replayer, query, settings.deadlock_timeout)
        return replace(found, answer=None if reply.failure else reply.result, refusal=reply.failure)


def _folded(spec: DagSpec, version_id: int, facts: Sequence[Recorded]) -> WorkflowRun:
    """The run as it stands, also where its activities are no longer those of the version."""
    created = facts[0].event if facts else None
    if spec.kind is not DagKind.WORKFLOW or not isinstance(created, RunCreated) or created.kind is not spec.kind:
        raise UsageError(f"{spec.dag_id!r} cannot be replayed with this history: both have to be of a workflow")
    named = {task_id: None for fact in facts if (task_id := getattr(fact.event, "task_id", None)) is not None}
    known = {task.task_id for task in spec.tasks}
    gone = tuple(TaskSpec(task_id=task_id, is_activity=True) for task_id in named if task_id not in known)
    plan = Plan(replace(spec, tasks=(*spec.tasks, *gone)), version_id)
    run = replay(_RUN_KEY, facts, lambda _: plan)
    assert isinstance(run, WorkflowRun)
    return run


def _activation(run: WorkflowRun, code: str) -> Activation:
    created = run.created
    return Activation(
        run_key=_RUN_KEY,
        dag_id=run.plan.spec.dag_id,
        run_id=created.run_id,
        run_uid=created.run_uid,
        run_type=created.run_type,
        version_id=run.plan.version_id,  # of the code that is given, whatever the history says
        code=code,
        file=run.plan.spec.file,
        params={**run.plan.spec.params, **msgspec.json.decode(created.conf)},
        logical_date=created.logical_date,
        data_interval_start=created.data_interval_start,
        data_interval_end=created.data_interval_end,
        after=run.seq,
        asked_until=run.asked_until,
    )


# ── the conversation ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _going(replayer: LocalReplayer) -> Iterator[None]:
    replayer.start()
    try:
        yield
    finally:
        replayer.stop()


def _advance(replayer: LocalReplayer, activation: Activation, facts: Sequence[Recorded]) -> Advance:
    """What the code says once it has been told all the facts."""
    replayer.activate([activation])
    place = losses = 0
    while True:
        _wait(replayer)
        for word in replayer.words():
            match word:
                case Advance():
                    return word
                case FactsWanted():
                    place = 0 if word.after == 0 else place
                    segment = facts[place : place + _SEGMENT]
                    place += len(segment)
                    replayer.supply(_RUN_KEY, segment, is_all=place >= len(facts))
                case ReplayLost(reason=reason):
                    losses += 1
                    if losses == _MOST_LOSSES:
                        raise ConflictError(f"the code cannot be replayed just now: {reason}")
                    replayer.activate([activation])


def _reply(replayer: LocalReplayer, query: Query, limit: float) -> Reply:
    replayer.ask(_RUN_KEY, query.name, query.arguments)
    deadline = time.monotonic() + (limit or 1.0) * _PATIENCE
    while time.monotonic() < deadline:
        _wait(replayer)
        replayer.words()
        for reply in replayer.replies():
            return reply
    failure = Failure(
        message=f"the query {query.name!r} has found no answer in {limit * _PATIENCE:g} s; a query only looks"
    )
    return Reply(run_key=_RUN_KEY, failure=failure)


def _standing(replayer: LocalReplayer) -> Standing:
    replayer.look(_RUN_KEY)
    while not (found := replayer.standings()):
        _wait(replayer)
        replayer.words()
    return found[0]


def _wait(replayer: LocalReplayer) -> None:
    """Until there may be something new."""
    due = replayer.next_due()
    left = _LONGEST_NAP if due is None else (due - SystemClock().now()).total_seconds()
    select.select(replayer.files(), [], [], min(max(left, 0.0), _LONGEST_NAP))
