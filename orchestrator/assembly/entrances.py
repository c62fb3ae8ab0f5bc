"""Entrances: the ways into a workflow, by name."""

from collections.abc import Sequence

from orchestrator.core.spec import DagSpec, Entrance
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.names import DagKind
from orchestrator.nearest import did_you_mean


def find_entrance(spec: DagSpec, kind: str, entrances: Sequence[Entrance], name: str) -> Entrance:
    """The signal, query or update of that name; NotFoundError names the nearest, UsageError if it is no workflow.

    A workflow that lists none may still open some as it runs: then any name will do.
    """
    if spec.kind is not DagKind.WORKFLOW:
        raise UsageError(f"{spec.dag_id!r} is a static DAG, which takes no {kind}; only workflows do")
    known = [entrance.name for entrance in entrances]
    for entrance in entrances:
        if entrance.name == name:
            return entrance
    if known:
        near = did_you_mean(name, known) or f"; it has {', '.join(known)}"
        raise NotFoundError(f"the workflow {spec.dag_id!r} has no {kind} {name!r}{near}")
    return Entrance(name=name)
