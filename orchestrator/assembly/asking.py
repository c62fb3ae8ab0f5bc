"""Asking the code of a recorded run: its history is replayed with the code of its version, without the scheduler."""

from collections.abc import Sequence

from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Query, Replayed, replay_history
from orchestrator.core.events import Recorded, RunCreated, RunMoved
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow


def replay_run(
    home: Home, run: RunRow, *, at: int | None = None, query: Query | None = None, looks: bool = False
) -> Replayed:
    """What comes of the run's code after its fact ``at``, or as it was when ``run`` was read.

    NotFoundError where it has no such fact, UsageError where it is not the run of a workflow.
    """
    if at is not None and at > run.last_seq:
        raise NotFoundError(f"run {run.run_id!r} has facts 1 to {run.last_seq}, and none of them is {at}")
    facts = list(home.reads.facts(run.run_key, until=run.last_seq if at is None else at))
    version_id = _version(facts)
    spec = home.reads.spec(version_id)
    if spec.kind is not DagKind.WORKFLOW:
        raise UsageError(f"{run.dag_id!r} is a static DAG, which answers no queries; only workflows do")
    code = make_catalog(home.config, home.engine).code(version_id)
    return replay_history(home.config, spec, code, facts, version_id=version_id, query=query, looks=looks)


def _version(facts: Sequence[Recorded]) -> int:
    """The version that the run had after these facts."""
    events = (fact.event for fact in reversed(facts))
    return next(event.version_id for event in events if isinstance(event, RunMoved | RunCreated))
