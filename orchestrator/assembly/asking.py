"""Asking the code of a recorded run: its history is replayed with the code of its version, without the scheduler."""

from typing import get_args

from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.folding import Tell, folded, untold
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Query, Replayed, Script, is_told, replay_history, script_of
from orchestrator.core.event import Asked
from orchestrator.core.events import AnyEvent, RunContinued, RunCreated, RunMoved, RunReset
from orchestrator.core.run import Run
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow

_LANDMARKS = (RunCreated, RunMoved, RunContinued, RunReset)
_ASKED = tuple(kind for kind in get_args(AnyEvent) if issubclass(kind, Asked))


def replay_run(
    home: Home,
    run: RunRow,
    *,
    at: int | None = None,
    query: Query | None = None,
    looks: bool = False,
    tell: Tell = untold,
) -> Replayed:
    """What comes of the run's code after its fact ``at``, or as it was when ``run`` was read.

    NotFoundError where it has no such fact, UsageError where it is not the run of a workflow.
    """
    if at is not None and at > run.last_seq:
        raise NotFoundError(f"run {run.run_id!r} has facts 1 to {run.last_seq}, and none of them is {at}")
    version_id, script = script_at(home, run, run.last_seq if at is None else at)
    spec = home.reads.spec(version_id)
    if spec.kind is not DagKind.WORKFLOW:
        raise UsageError(f"{run.dag_id!r} is a static DAG, which answers no queries; only workflows do")
    code, number = make_catalog(home.config, home.engine).code(version_id), script.versions[-1][1]
    return replay_history(
        home.config, spec, code, script, version_id=version_id, number=number, query=query, looks=looks, tell=tell
    )


def script_of_state(home: Home, run: RunRow, state: Run) -> Script:
    """What the code of ``run`` is told, which was folded to ``state``. UsageError where it is not of a workflow."""
    return script_of(
        state,
        lambda after: home.reads.facts(run.run_key, after=after, until=state.seq),
        home.reads.numbers(run.dag_id),
    )


def script_at(home: Home, run: RunRow, last: int) -> tuple[int, Script]:
    """The version that the run had after its fact ``last``, and what its code had been told.

    That is known without folding it all, unless a reset has made some of its facts count no more.
    """
    marks = home.reads.facts_of(run.run_key, _LANDMARKS, until=last)
    if not marks:
        raise NotFoundError(f"nothing is recorded of run {run.run_id!r}")
    events = [fact.event for fact in marks]
    version_id = next(event.version_id for event in reversed(events) if isinstance(event, RunMoved | RunCreated))
    created = events[0]
    assert isinstance(created, RunCreated)
    if created.kind is DagKind.WORKFLOW and any(isinstance(event, RunReset) for event in events):
        return version_id, script_of_state(home, run, folded(home, run, until=last))
    began_at = max(fact.seq for fact in marks if isinstance(fact.event, RunCreated | RunContinued))
    numbers = home.reads.numbers(run.dag_id)
    script = Script(
        created=created,
        seq=last,
        asked_until=home.reads.last_of(run.run_key, _ASKED, until=last),
        versions=tuple(
            (fact.seq, numbers.get(fact.event.version_id, 0))
            for fact in marks
            if isinstance(fact.event, RunCreated | RunMoved)
        ),
        facts=lambda: filter(is_told, home.reads.facts(run.run_key, after=began_at - 1, until=last)),
    )
    return version_id, script
