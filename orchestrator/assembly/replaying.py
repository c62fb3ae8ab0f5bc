"""Replaying a recorded history against given code, in a blue process of its own."""

import select
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

import msgspec
from msgspec.structs import replace

from orchestrator.assembly.folding import Tell, untold
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
from orchestrator.core.events import Recorded, RunCreated, RunEnded
from orchestrator.core.particulars import Failure
from orchestrator.core.run import Run
from orchestrator.core.spec import DagSpec
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine.hearing import matters
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.executors.replayer import LocalReplayer
from orchestrator.names import DagKind
from orchestrator.worker.blue.wire import Reply

_RUN_KEY = 1  # there is no other run in that process
_SEGMENT = 1_000
_LONGEST_NAP = 1.0
_MOST_LOSSES = 5  # of the process, or of what it needs, in a row
_PATIENCE = 10  # times deadlock_timeout: for how long an answer is waited for


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What the code of a run is told, by the facts from where its replay begins up to ``seq``.

    ``facts`` gives those that matter to it, from the first on each time that it is called. ``versions`` are numbers, as
    in Activation.
    """

    created: RunCreated
    seq: int
    asked_until: int
    versions: tuple[tuple[int, int], ...]
    facts: Callable[[], Iterable[Recorded]]


def script_of(run: Run, facts: Callable[[int], Iterable[Recorded]], numbers: Mapping[int, int]) -> Script:
    """The script of a run that was folded; ``facts`` gives those of its history after a seq, up to where it was folded.

    ``numbers``: of the DAG's versions, by version id. UsageError where it is not the run of a workflow.
    """
    if not isinstance(run, WorkflowRun):
        raise unfit(run.dag_id)
    return Script(
        created=run.created,
        seq=run.seq,
        asked_until=run.asked_until,
        versions=tuple((seq, numbers.get(version_id, 0)) for seq, version_id in run.versions),
        facts=lambda: (fact for fact in facts(run.began_at - 1) if is_told(fact) and run.counts(fact)),
    )


def is_told(fact: Recorded) -> bool:
    """Whether the code is told of it; of the end as well, to see whether it comes to that."""
    return matters(fact) or isinstance(fact.event, RunEnded)


def unfit(dag_id: str) -> UsageError:
    """The error where there is no code to replay, or no history of such code."""
    return UsageError(f"{dag_id!r} cannot be replayed with this history: both have to be of a workflow")


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
    script: Script,
    *,
    version_id: int = 0,
    number: int = 0,
    query: Query | None = None,
    looks: bool = False,
    tell: Tell = untold,
) -> Replayed:
    """Run the workflow ``spec`` of the snapshot folder ``code`` through a recorded history, a segment at a time.

    Nothing is recorded, and no activity runs. ``version_id`` and ``number``: of the code, 0 where it is no recorded
    version. ``looks``: say also where the code stands. ``tell`` is told how far it is, of how many facts. UsageError
    where the code or the history is not of a workflow.
    """
    if spec.kind is not DagKind.WORKFLOW or script.created.kind is not spec.kind:
        raise unfit(spec.dag_id)
    activation = _activation(script, spec, code, version_id, number)
    notices: list[str] = []
    settings = replace(blue_settings(config), max_log_bytes=0)
    replayer = LocalReplayer(settings, SystemClock(), processes=1, notice=notices.append)
    with _going(replayer):
        advance = _advance(replayer, activation, script, tell)
        commands = advance.commands
        block = commands[0] if commands and isinstance(commands[0], Block) else None
        if block is not None:
            return Replayed(seq=script.seq, block=block, notices=tuple(notices))
        found = Replayed(seq=script.seq, commands=commands, notices=tuple(notices))
        if looks:
            found = replace(found, standing=_standing(replayer))
        if query is None:
            return found
        reply = _reply(replayer, query, settings.deadlock_timeout)
        return replace(found, answer=None if reply.failure else reply.result, refusal=reply.failure)


def _activation(script: Script, spec: DagSpec, code: str, version_id: int, number: int) -> Activation:
    created = script.created
    return Activation(
        run_key=_RUN_KEY,
        dag_id=spec.dag_id,
        run_id=created.run_id,
        run_uid=created.run_uid,
        run_type=created.run_type,
        version_id=version_id,  # of the code that is given, whatever the history says
        number=number,
        versions=script.versions,
        code=code,
        file=spec.file,
        params={**spec.params, **msgspec.json.decode(created.conf)},
        logical_date=created.logical_date,
        data_interval_start=created.data_interval_start,
        data_interval_end=created.data_interval_end,
        after=script.seq,
        asked_until=script.asked_until,
    )


# ── the conversation ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _going(replayer: LocalReplayer) -> Iterator[None]:
    replayer.start()
    try:
        yield
    finally:
        replayer.stop()


def _advance(replayer: LocalReplayer, activation: Activation, script: Script, tell: Tell) -> Advance:
    """What the code says once it has been told all the facts."""
    replayer.activate([activation])
    telling, losses = _Telling(replayer, script, tell), 0
    while True:
        _wait(replayer)
        for word in replayer.words():
            match word:
                case Advance():
                    return word
                case FactsWanted(after=after):
                    telling.go_on(after)
                case ReplayLost(reason=reason):
                    losses += 1
                    if losses == _MOST_LOSSES:
                        raise ConflictError(f"the code cannot be replayed just now: {reason}")
                    replayer.activate([activation])


class _Telling:
    """Tells the facts segment by segment; the next one is read while the code takes in the last."""

    def __init__(self, replayer: LocalReplayer, script: Script, tell: Tell) -> None:
        self._replayer = replayer
        self._script = script
        self._tell = tell
        self._place = 0
        self._facts = iter(script.facts())
        self._next = self._read()

    def go_on(self, after: int) -> None:
        """Those that come next, or where the code has not been told any, the first."""
        if after == 0 and self._place:
            self._facts = iter(self._script.facts())
            self._next = self._read()
        segment = self._next
        is_all = len(segment) < _SEGMENT
        self._replayer.supply(_RUN_KEY, segment, is_all=is_all)
        self._place = self._script.seq if is_all else segment[-1].seq
        self._tell(self._place, self._script.seq)
        if not is_all:
            self._next = self._read()

    def _read(self) -> list[Recorded]:
        return list(islice(self._facts, _SEGMENT))


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
