"""What a workflow's code asks for: the facts that an Advance becomes, or why it counts no more. Pure policy."""

from collections.abc import Iterator
from typing import TypeAlias, assert_never

import msgspec

from orchestrator.core.activations import (
    Advance,
    AnswerUpdate,
    Block,
    Call,
    CancelCall,
    CancelChild,
    CancelTimer,
    Continue,
    MarkVersion,
    Raise,
    RecordValue,
    Return,
    SetTimer,
    SignalRun,
    StartChild,
    WorkflowCommand,
)
from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityRequested,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    RunBlocked,
    RunContinued,
    RunEnded,
    TimerCancelled,
    TimerSet,
    UpdateAnswered,
    ValueRecorded,
    VersionMarker,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import BlockKind, RunState

Errand: TypeAlias = StartChild | CancelChild | SignalRun
Step: TypeAlias = AnyEvent | Errand


class Outdated(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing of the Advance counts: the code is to be replayed, because of ``reason``."""

    reason: str


def facts_of(run: WorkflowRun, advance: Advance) -> list[Step] | Outdated:
    """What to record, in order; among the facts stand the errands to other runs, which become facts where they are
    carried out: by ``child_started``, ``child_refused`` and ``signal_sent``.
    """
    outdated = _outdated(run, advance)
    if outdated is not None:
        return outdated
    unknown = next((c for c in advance.commands if isinstance(c, Call) and c.task_id not in run.nodes), None)
    if unknown is not None:
        steps: list[Step] = [_unknown_activity(run, unknown)]
    else:
        steps = list(_Reading(run, heard(run, advance)).steps(advance))
    if run.cancelling is not None and run.cancelled_at > advance.seq:
        steps += (end for step in steps if isinstance(step, RunBlocked) for end in forsaken(run, step, run.cancelling))
    return steps


def heard(run: WorkflowRun, advance: Advance) -> int:
    """What the facts that an Advance becomes have as ``heard``."""
    return advance.seq if run.news_at > advance.seq else 0


def child_started(command: StartChild, run_id: str, child_run_key: int, *, heard: int) -> ChildStarted:
    """The fact that the run of that key was made for it."""
    return ChildStarted(
        child_id=command.child_id,
        dag_id=command.dag_id,
        run_id=run_id,
        child_run_key=child_run_key,
        close=command.close,
        shielded=command.shielded,
        heard=heard,
    )


def child_refused(command: StartChild, run_id: str, reason: str, *, heard: int) -> tuple[ChildStarted, ChildEnded]:
    """The facts that no run could be made for it."""
    started = child_started(command, run_id, 0, heard=heard)
    return started, ChildEnded(child_id=command.child_id, state=RunState.FAILED, reason=reason)


def child_ended(child_id: str, ended: RunEnded) -> ChildEnded:
    """What the end of a child's history means to its parent."""
    return ChildEnded(
        child_id=child_id, state=ended.state, result=ended.result, payload=ended.payload, reason=ended.reason
    )


def signal_sent(command: SignalRun, refusal: str | None, *, heard: int) -> ValueRecorded:
    """What came of a signal to another run: null, or one sentence that says why it was not taken."""
    value = msgspec.Raw(msgspec.json.encode(refusal))
    return ValueRecorded(name=command.name, value=value, sent=True, heard=heard)


def unanswered(run: WorkflowRun, reason: str) -> list[AnyEvent]:
    """Answers to the updates that nobody will answer any more."""
    return [UpdateAnswered(update_id=name, failure=Failure(message=reason)) for name in run.updates]


def forsaken(run: WorkflowRun, block: RunBlocked, reason: str) -> list[AnyEvent]:
    """The end of a run that is cancelled while its code is blocked: nobody is there to clean up."""
    said = f"{reason}; its code was blocked ({block.kind}) and has cleaned up nothing"
    return [*unanswered(run, "the run was cancelled"), RunEnded(state=RunState.FAILED, reason=said)]


# ── reading an Advance ───────────────────────────────────────────────────────────────────────────────────


def _outdated(run: WorkflowRun, advance: Advance) -> Outdated | None:
    if run.is_ended:
        return Outdated(reason="the run has ended meanwhile")
    if run.blocked is not None or advance.seq < run.renewed_at:
        return Outdated(reason="the run begins its replay anew since then")
    closes = any(isinstance(command, Return | Raise | Continue) for command in advance.commands)
    if closes and run.letter_at > advance.seq:
        return Outdated(reason="something came that the code has not heard of, and must before it ends")
    return None


def _unknown_activity(run: WorkflowRun, call: Call) -> RunBlocked:
    known = ", ".join(run.nodes) or "none"
    return RunBlocked(
        kind=BlockKind.LOADING,
        message=f"the code calls activity {call.task_id!r}, which the recorded version of DAG {run.dag_id!r} does not "
        f"have (it has {known}); define it with @activity where the file is loaded, not inside the workflow, and the "
        f"run goes on with the new version",
    )


class _Reading:
    """One Advance on its way to facts: which numbers its calls have, and what of it has no object any more."""

    def __init__(self, run: WorkflowRun, heard: int) -> None:
        self._run = run
        self._heard = heard
        self._sizes: dict[str, int] = {}
        self._answered: set[str] = set()

    def steps(self, advance: Advance) -> Iterator[Step]:
        for command in advance.commands:
            yield from self._step(command)

    def _step(self, command: WorkflowCommand) -> Iterator[Step]:
        match command:
            case Call():
                yield self._requested(command)
            case StartChild() | SignalRun():
                yield command
            case CancelCall() | CancelTimer() | CancelChild() | AnswerUpdate():
                yield from self._about_what_is_open(command)
            case SetTimer():
                yield TimerSet(
                    timer_id=command.timer_id, fire_at=command.fire_at, shielded=command.shielded, heard=self._heard
                )
            case RecordValue():
                yield ValueRecorded(name=command.name, value=command.value, heard=self._heard)
            case MarkVersion():
                yield VersionMarker(name=command.name, version=command.version, heard=self._heard)
            case Return() | Raise() | Continue() | Block():
                yield from self._ending(command)
            case _:
                assert_never(command)

    def _requested(self, call: Call) -> ActivityRequested:
        occurrence = self._sizes.get(call.task_id, self._run.nodes[call.task_id].size)
        self._sizes[call.task_id] = occurrence + 1
        return ActivityRequested(
            task_id=call.task_id,
            map_index=occurrence,
            digest=call.digest,
            input=call.input,
            payload=call.payload,
            shielded=call.shielded,
            heard=self._heard,
        )

    def _about_what_is_open(self, command: CancelCall | CancelTimer | CancelChild | AnswerUpdate) -> Iterator[Step]:
        run = self._run
        match command:
            case CancelCall(task_id=task_id, map_index=map_index):
                if (task_id, map_index) in run.unended:
                    yield ActivityCancelRequested(task_id=task_id, map_index=map_index, heard=self._heard)
            case CancelTimer(timer_id=timer_id):
                if timer_id in run.timers:
                    yield TimerCancelled(timer_id=timer_id, heard=self._heard)
            case CancelChild(child_id=child_id):
                if child_id in run.children:
                    yield command
            case AnswerUpdate(update_id=update_id):
                if update_id in run.updates and update_id not in self._answered:
                    self._answered.add(update_id)
                    yield UpdateAnswered(
                        update_id=update_id, result=command.result, failure=command.failure, heard=self._heard
                    )

    def _ending(self, command: Return | Raise | Continue | Block) -> Iterator[Step]:
        match command:
            case Return():
                yield from self._unanswered("the workflow has returned without an answer")
                yield RunEnded(state=RunState.SUCCESS, result=command.result, payload=command.payload)
            case Raise():
                yield from self._unanswered("the workflow has failed without an answer")
                yield RunEnded(state=RunState.FAILED, reason=self._reason(command), failure=command.failure)
            case Continue():
                yield RunContinued(input=command.input, payload=command.payload, heard=self._heard)
            case Block():
                yield RunBlocked(kind=command.kind, message=command.message, where=command.where, frames=command.frames)

    def _reason(self, command: Raise) -> str:
        if command.cancelled and self._run.cancelling is not None:
            return self._run.cancelling
        where = "" if command.failure.where is None else f"{command.failure.where}: "
        return f"{where}{command.failure.message}"

    def _unanswered(self, reason: str) -> Iterator[AnyEvent]:
        for event in unanswered(self._run, reason):
            if not (isinstance(event, UpdateAnswered) and event.update_id in self._answered):
                yield event
