"""Run types: which kinds of runs a DAG has."""

from collections.abc import Sequence

from orchestrator.core.spec import DagSpec
from orchestrator.names import RunType


def refusal(spec: DagSpec, run_type: RunType) -> str | None:
    """Why the DAG has no run of that type, in one sentence; None where it may have one."""
    if not spec.allowed_run_types or run_type in spec.allowed_run_types:
        return None
    allowed = ", ".join(spec.allowed_run_types)
    return f"DAG {spec.dag_id!r} has no {run_type} runs: its allowed_run_types are {allowed} ({spec.file}:{spec.line})"


def on_trial(allowed: Sequence[RunType]) -> RunType:
    """The type of a run that a person tries a DAG with: by hand, unless those that are allowed have no such."""
    return RunType.MANUAL if not allowed or RunType.MANUAL in allowed else allowed[0]
