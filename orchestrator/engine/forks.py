"""Forks: how a run begins that takes over what another has recorded."""

from orchestrator.core.events import RunMoved
from orchestrator.core.forking import fork
from orchestrator.core.requests import ForkRun
from orchestrator.core.runs import new_run
from orchestrator.core.taking_over import created_of
from orchestrator.engine.creation import RunKeys
from orchestrator.engine.memory import Memory
from orchestrator.engine.turn import Turn


def begin_fork(
    turn: Turn, memory: Memory, keys: RunKeys, request: ForkRun, source: int | None, taken: int | None
) -> int | str:
    """Record the new run with all that it takes over; its key, or one sentence that says why not.

    ``source`` is the key of the run to fork, ``taken`` that of a run that has the new one's name already.
    """
    if source is None:
        return f"DAG {request.dag_id!r} has no run {request.source!r}"
    if taken is not None:
        return f"DAG {request.dag_id!r} has a run {request.run_id!r} already"
    facts = memory.roster.facts(source, request.seq)
    if not facts:
        return f"the history of run {request.source!r} is gone; it was cleaned away"
    entry = memory.schedules.entry(request.dag_id)
    latest = None if entry is None else entry.version_id
    first, *rest = fork(source, facts, request, memory.roster.plan, turn.now, latest)
    run = new_run(keys.next(), memory.roster.plan(created_of([first]).version_id), first)
    turn.begin(run, first)
    for fact in rest:
        turn.record(run, fact.event, fact.at)
        if isinstance(fact.event, RunMoved):
            run.move(memory.roster.plan(fact.event.version_id))
    memory.place(run)
    return run.run_key
