"""Fitting: what a version of a DAG means to a run that is open; of a workflow, by replaying it."""

from collections.abc import Callable, Sequence

import msgspec

from orchestrator.assembly.folding import folded
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import replay_history
from orchestrator.core.activations import Block
from orchestrator.core.asks import is_blocked
from orchestrator.core.compatibility import Finding, Meaning, compare, worst
from orchestrator.core.events import Recorded
from orchestrator.core.spec import DagSpec
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one run, the worst first. ``is_same``: it is the version that the run has; ``is_blocked``: its
    code cannot go on, and tries each new version; ``goes_over``: nothing but its replay, which no scheduler waits for,
    speaks against that it moves with its DAG.
    """

    run: RunRow
    findings: list[Finding]
    is_same: bool = False
    is_blocked: bool = False
    goes_over: bool = True

    @property
    def meaning(self) -> Meaning:
        return worst(self.findings)


def fit(home: Home, run: RunRow, new: DagSpec, code: Callable[[], str]) -> Fit:
    """Hold a run against the spec of another version, whose files lie in the folder ``code``."""
    state = folded(home, run)
    found = compare(state, new)
    goes_over = worst(found) is Meaning.COMPATIBLE
    if new.kind is DagKind.WORKFLOW and worst(found) is not Meaning.BREAKS:
        found = [*found, *_replayed(home, run, new, code())]
    return Fit(run=run, findings=found, is_blocked=is_blocked(state), goes_over=goes_over)


def _replayed(home: Home, run: RunRow, new: DagSpec, code: str) -> list[Finding]:
    block = blocked(home, new, code, list(home.reads.facts(run.run_key)))
    if block is None:
        return []
    return [Finding(meaning=Meaning.BREAKS, task_id="", message=block.message, new_line=new.line, where=block.where)]


def blocked(home: Home, spec: DagSpec, code: str, facts: Sequence[Recorded]) -> Block | None:
    """Why the code of a workflow, in the folder ``code``, could not go on with this history; None where it could."""
    return replay_history(home.config, spec, code, facts).block
