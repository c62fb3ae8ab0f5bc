"""Background: what a history says beside activities: where a run came from, what came of it, what is open."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.offspring import Child, Offspring
from orchestrator.assembly.run_payloads import RunPayloads
from orchestrator.core.events import (
    Recorded,
    RunBlocked,
    RunContinued,
    RunCreated,
    RunEnded,
    RunReset,
    SignalReceived,
    UpdateReceived,
)
from orchestrator.core.particulars import RunLink
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow

_TELLING = (
    RunCreated,
    RunEnded,
    RunBlocked,
    RunContinued,
    RunReset,
    SignalReceived,
    UpdateReceived,
)


class OpenUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """An update that has no answer yet."""

    update_id: str
    name: str
    seq: int
    at: datetime


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """``kind`` is that of its DAG. ``ending`` is the end of a run that has ended, ``block`` why its code cannot go on.

    ``continued`` is how often it began anew, ``reset_to`` the fact that it was last taken back to. ``signals`` counts
    by name those that came, taken or not. ``timers`` are those that have not fired.
    """

    run_key: int = 0
    kind: DagKind = DagKind.DAG
    parent: RunLink | None = None
    child_id: str | None = None
    forked: RunLink | None = None
    is_imported: bool = False
    ending: RunEnded | None = None
    block: RunBlocked | None = None
    continued: int = 0
    reset_to: int | None = None
    timers: dict[str, datetime] = {}
    children: tuple[Child, ...] = ()
    signals: dict[str, int] = {}
    updates: tuple[OpenUpdate, ...] = ()


def background(home: Home, run: RunRow, state: Run | None, until: int | None = None) -> Background:
    """The background of a run, as of its fact ``until`` where one is given.

    ``state`` is the fold of the same facts; it may be left out of a run that is over, or static.
    """
    last = run.last_seq if until is None else until
    facts = home.reads.facts_of(run.run_key, _TELLING, until=last)
    events = [fact.event for fact in facts]
    created = events[0] if events else None
    if not isinstance(created, RunCreated):
        return Background()
    workflow = state if isinstance(state, WorkflowRun) else None
    return Background(
        run_key=run.run_key,
        kind=created.kind,
        parent=created.parent,
        child_id=created.child_id,
        forked=created.forked,
        is_imported=created.imported,
        ending=next((one for one in reversed(events) if isinstance(one, RunEnded)), None) if run.is_ended else None,
        block=None if workflow is None else workflow.blocked,
        continued=sum(isinstance(one, RunContinued) for one in events),
        reset_to=next((one.seq for one in reversed(events) if isinstance(one, RunReset)), None),
        timers={} if workflow is None else dict(sorted(workflow.timers.items(), key=lambda timer: timer[1])),
        children=Offspring(home, run.run_key).look(last),
        signals=Counter(one.name for one in events if isinstance(one, SignalReceived)),
        updates=() if workflow is None else tuple(_open_updates(workflow, facts)),
    )


def result_of(home: Home, run_key: int, ending: RunEnded) -> bytes:
    """What a workflow returned, as JSON."""
    return bytes(ending.result) if ending.payload is None else home.part(RunPayloads).get(run_key, ending.payload)


def _open_updates(run: WorkflowRun, facts: Sequence[Recorded]) -> Iterator[OpenUpdate]:
    for fact in facts:
        event = fact.event
        if isinstance(event, UpdateReceived) and event.update_id in run.updates:
            yield OpenUpdate(update_id=event.update_id, name=event.name, seq=fact.seq, at=fact.at)
