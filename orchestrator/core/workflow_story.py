"""What a workflow waits for: its code, its calls, its timers and children, and whoever may speak to it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestrator.core.activations import Standing, Wait
from orchestrator.core.board import Place
from orchestrator.core.events import ChildStarted
from orchestrator.core.reasons import Cause, Reason, listed, span
from orchestrator.core.run import Run
from orchestrator.core.schemas import example
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import BlockKind, TaskState

_MOST = 10
_TELLING = timedelta(seconds=5)


def blocked(run: WorkflowRun) -> Iterator[Reason]:
    """Why the code cannot go on, where that is so."""
    if run.blocked is None:
        return
    resume = f"`orchestrator runs resume {run.dag_id} '{run.run_id}'`"
    sentence = (
        f"the workflow's code cannot go on ({run.blocked.kind}): {run.blocked.message.rstrip('.')}; nothing "
        f"recorded is lost: {mending(run.blocked.kind)} with {resume}"
    )
    if run.cancelling is not None:
        again = f"`orchestrator runs cancel {run.dag_id} '{run.run_id}'`"
        sentence += f"; it cannot hear that it is cancelled: {again} once more ends it at once"
    yield Reason(cause=Cause.BLOCKED, sentence=sentence, where=run.blocked.where, frames=run.blocked.frames)


def mending(kind: BlockKind) -> str:
    """What to do about code that cannot go on; the command that tries again follows."""
    if kind is BlockKind.PAYLOAD:
        return "put the value back, then try again"
    return "mend the code, and the run goes over to it by itself, or try again"


def open_calls(run: WorkflowRun) -> dict[tuple[str, TaskState], list[int]]:
    """The occurrences of the calls that have not ended, by activity and state."""
    groups: dict[tuple[str, TaskState], list[int]] = {}
    for task_id, map_index in run.unended:
        groups.setdefault((task_id, _state(run, (task_id, map_index))), []).append(map_index)
    return groups


def stands(run: WorkflowRun, standing: Standing, now: datetime) -> Iterator[Reason]:
    """What each strand of the code waits for, at which line, and the signals that nobody has taken."""
    alike: dict[tuple[object, ...], list[Wait]] = {}
    for wait in standing.waits:
        alike.setdefault((wait.where, wait.condition, wait.condition or wait.what), []).append(wait)
    for group in list(alike.values())[:_MOST]:
        yield _of_wait(run, group[0], len(group), now)
    for name, count in standing.untaken.items():
        times = "once" if count == 1 else f"{count} times"
        sentence = f"signal {name!r} has come {times}, and the code has not taken it"
        yield Reason(cause=Cause.SIGNAL, sentence=sentence)


def _of_wait(run: WorkflowRun, wait: Wait, count: int, now: datetime) -> Reason:
    who = wait.where or f"the workflow's code, in {wait.strand},"
    times = f", {count} times," if count > 1 else ""
    timers = [name for name in wait.what if name in run.timers]
    if wait.condition is None:
        cause = Cause.TIMER if len(timers) == len(wait.what) else Cause.CODE
        rest = listed([_future(run, name, now) for name in wait.what], 5)
    else:
        cause = Cause.SIGNAL if wait.signal else Cause.CONDITION
        until = "".join(f", at most until {run.timers[name]:%F %T}Z, {_when(run, name, now)}" for name in timers)
        rest = f"{wait.condition}{until}{_answer(run, wait)}"
    return Reason(cause=cause, sentence=f"{who}{times} waits for {rest}", where=wait.where, since=run.heard_at)


def _answer(run: WorkflowRun, wait: Wait) -> str:
    """What would let it go on, as far as somebody else can."""
    if wait.signal is None:
        return _takes(run)
    schema = next((one.schema for one in run.plan.spec.signals if one.name == wait.signal), {})
    command = f"orchestrator runs signal {run.dag_id} '{run.run_id}' {wait.signal} '{example(schema)}'"
    return f"; send it with `{command}`"


def _takes(run: WorkflowRun) -> str:
    names = [f"signal {one.name}" for one in run.plan.spec.signals]
    names += [f"update {one.name}" for one in run.plan.spec.updates]
    return f"; it takes {listed(names, 5)}" if names else ""


def _future(run: WorkflowRun, name: str, now: datetime) -> str:
    fire_at = run.timers.get(name)
    return name if fire_at is None else f"timer {name}, which fires {_when(run, name, now)}, at {fire_at:%F %T}Z"


def _when(run: WorkflowRun, timer: str, now: datetime) -> str:
    fire_at = run.timers[timer]
    return f"in {span(fire_at - now)}" if fire_at > now else "at the scheduler's next turn"


def waits(run: WorkflowRun, now: datetime, standing: Standing) -> Iterator[Reason]:
    """Timers, children, updates without an answer; and where it waits for none of those and for no call, who else.

    What the code has said that it waits for is not said again.
    """
    told = {name for wait in standing.waits for name in wait.what}
    for name, _ in sorted(run.timers.items(), key=lambda timer: timer[1])[:_MOST]:
        if name not in told:
            yield Reason(cause=Cause.TIMER, sentence=f"the workflow waits for {_future(run, name, now)}")
    yield from children(run)
    for update_id, seq in list(run.updates.items())[:_MOST]:
        yield Reason(cause=Cause.UPDATE, sentence=f"update {update_id} has no answer yet", seq=seq)
    if not (standing.waits or run.timers or run.children or run.unended):
        yield _somebody(run, now)


def children(run: Run) -> Iterator[Reason]:
    """The runs that it has started and that have not ended."""
    for child_id, child in list(run.children.items())[:_MOST]:
        yield Reason(cause=Cause.CHILD, sentence=f"the run waits for its child {child_id}: {of_child(child)}")


def of_child(child: ChildStarted) -> str:
    """Which run it is, and how to ask it in turn."""
    return f"run {child.run_id} of {child.dag_id} (`orchestrator runs why {child.dag_id} '{child.run_id}'`)"


def _somebody(run: WorkflowRun, now: datetime) -> Reason:
    """Nothing that it asked for is open: its code is being told of the latest news, or only a signal or an update can
    wake it. What the code was told is not recorded, so news count as told after a while."""
    if run.news_at > run.asked_until and now - run.heard_at < _TELLING:
        sentence = f"the workflow's code is told of fact {run.news_at}"
        return Reason(cause=Cause.READY, sentence=sentence, seq=run.news_at)
    sentence = f"the workflow has no call and no timer open, and waits to be spoken to{_takes(run)}"
    return Reason(cause=Cause.SIGNAL, sentence=sentence, since=run.heard_at)


def _state(run: Run, place: Place) -> TaskState:
    activity = run.nodes[place[0]].peek(place[1])
    return TaskState.NONE if activity is None else activity.state
