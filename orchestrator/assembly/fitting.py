"""Fitting: what a version of a DAG means to a run that is open; of a workflow, by replaying it."""

from collections.abc import Callable, Iterator

import msgspec

from orchestrator.assembly.asking import script_of_state
from orchestrator.assembly.folding import folded
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Script, replay_history
from orchestrator.core.activations import Block
from orchestrator.core.asks import is_blocked
from orchestrator.core.compatibility import Finding, Meaning, compare, worst
from orchestrator.core.run import Run
from orchestrator.core.spec import DagSpec
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one run, the worst first. ``is_same``: it is the version that the run has, with which it may
    still be unable to go on; ``is_blocked``: its code cannot go on, and tries each new version; ``goes_over``: nothing
    but its replay, which no scheduler waits for, speaks against that it moves with its DAG.
    """

    run: RunRow
    findings: list[Finding]
    is_same: bool = False
    is_blocked: bool = False
    goes_over: bool = True

    @property
    def meaning(self) -> Meaning:
        return worst(self.findings)


def fit(
    home: Home, run: RunRow, new: DagSpec, code: Callable[[], str], *, number: int = 0, is_same: bool = False
) -> Fit:
    """Hold a run against the spec of a version, whose files lie in the folder ``code``.

    ``number``: of the version, 0 where it is not recorded. ``is_same``: the run has it already, though it may have been
    moved to it by force.
    """
    state = folded(home, run)
    found = compare(state, new)
    goes_over = worst(found) is Meaning.COMPATIBLE
    if new.kind is DagKind.WORKFLOW and worst(found) is not Meaning.BREAKS:
        found = [*found, *_replayed(home, run, state, new, code(), number)]
    if is_same and not found:
        found = list(_held_up(state))
    return Fit(run=run, findings=found, is_same=is_same, is_blocked=is_blocked(state), goes_over=goes_over)


def _replayed(home: Home, run: RunRow, state: Run, new: DagSpec, code: str, number: int) -> list[Finding]:
    block = blocked(home, new, code, script_of_state(home, run, state), number)
    if block is None:
        return []
    return [Finding(meaning=Meaning.BREAKS, task_id="", message=block.message, new_line=new.line, where=block.where)]


def _held_up(run: Run) -> Iterator[Finding]:
    """That a run whose code fits is blocked all the same, until it is tried again."""
    if isinstance(run, WorkflowRun) and run.blocked is not None:
        message = (
            f"it was blocked ({run.blocked.kind}), and its code goes through its history now; let it go on: "
            f"orchestrator runs resume {run.dag_id} '{run.run_id}'"
        )
        yield Finding(
            meaning=Meaning.DECISION, task_id="", message=message, new_line=run.plan.spec.line, where=run.blocked.where
        )


def blocked(home: Home, spec: DagSpec, code: str, script: Script, number: int = 0) -> Block | None:
    """Why the code of a workflow, in the folder ``code``, could not go on with this history; None where it could."""
    return replay_history(home.config, spec, code, script, number=number).block
