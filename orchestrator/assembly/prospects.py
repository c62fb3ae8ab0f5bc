"""Prospects: what a fork or a reset of a run would take over, and what would happen again; nothing is changed."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache

from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Script, script_of
from orchestrator.core.board import Place
from orchestrator.core.compatibility import Finding, Meaning, compare
from orchestrator.core.effects import Effect, repeated
from orchestrator.core.events import Recorded
from orchestrator.core.forking import fork_from
from orchestrator.core.plan import Plan
from orchestrator.core.requests import Edit, ForkRun
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec, fingerprint
from orchestrator.core.taking_over import Past, first_of
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.names import UNMAPPED
from orchestrator.storage.views import RunRow

UNRECORDED = -1
"""The version id of a version that is not in the catalog yet."""


class Prospects:
    """A run's whole history, and what going on from one of its places would mean. ConflictError if it has none."""

    def __init__(self, home: Home, run: RunRow, candidate: DagSpec | None = None) -> None:
        if run.is_pending:
            raise ConflictError(f"nothing is recorded of run {run.run_id!r} yet: {run.reason}")
        self.run = run
        self.facts: list[Recorded] = home.reads.history(run.run_key)
        self._home = home
        self._candidate = candidate
        self.plan = cache(self._plan)

    def _plan(self, version_id: int) -> Plan:
        spec = self._candidate if version_id == UNRECORDED else self._home.reads.spec(version_id)
        assert spec is not None
        return Plan(spec, version_id, fingerprint(spec))

    def seq(self, at: int | None, before: str | None) -> int:
        """The place that is meant: the seq ``at`` itself, or the last one before anything is recorded of a task."""
        if (at is None) == (before is None):
            raise UsageError("say where: a seq, or --before TASK; exactly one of the two")
        if before is not None:
            return self._before(before)
        assert at is not None
        return seq_of(self.run, at, len(self.facts))

    def _before(self, name: str) -> int:
        task_id, map_index = place_of(name)
        seq = first_of(self.facts, task_id, map_index)
        if seq is None:
            raise NotFoundError(f"nothing is recorded of {name!r} in run {self.run.run_id!r}")
        return seq - 1

    def past(self, seq: int) -> Past:
        """The run as it stood after ``seq``."""
        return Past(self.facts, seq, self.plan)

    def index(self, past: Past, task_id: str, map_index: int | None) -> int:
        """Which activity is meant where only the task is named: the one that it has. UsageError if it has several."""
        node = past.run.nodes.get(task_id)
        if map_index is not None:
            return map_index
        if node is None or not node.is_mapped:
            return UNMAPPED
        if node.is_expanded and node.size == 1:
            return 0
        if node.size == 0:
            raise UsageError(f"nothing of {task_id!r} is recorded up to fact {past.run.seq}; take over more")
        raise UsageError(f"{task_id!r} stands for {node.size} activities; say which: {task_id}[0]=JSON")

    def effects(self, past: Past, version_id: int | None, given: Iterable[Place] = ()) -> list[Effect]:
        """What would happen again, by that version or by the one that the run had."""
        return repeated(self.facts, past, self._target(past, version_id), given)

    def doubts(self, past: Past, version_id: int | None) -> list[Finding]:
        """What in that version does not go with what is taken over."""
        found = compare(past.run, self._target(past, version_id).spec)
        return [finding for finding in found if finding.meaning > Meaning.COMPATIBLE]

    def rehearse(self, request: ForkRun, past: Past | None = None) -> list[Recorded]:
        """What the new run would begin with; the errors that its scheduler would have, and no request. ``past``: the
        run after the fact that the request names.
        """
        past = past or self.past(request.seq)
        return fork_from(past, self.run.run_key, request, self.plan, datetime.now(UTC))

    def script(self, facts: Sequence[Recorded]) -> Script:
        """What the code of a new run would be told that begins with these facts."""
        run = replay(self.run.run_key, facts, self.plan)
        return script_of(run, lambda after: facts[after:], self._home.reads.numbers(self.run.dag_id))

    def outdated(self, past: Past, edits: Iterable[Edit]) -> list[str]:
        """The tasks that had ended with a result that is edited, and are taken over as they are."""
        edited = {edit.task_id for edit in edits}
        ended = {task_id for task_id, _ in past.ends}
        return [task.task_id for task in past.run.plan.spec.tasks if task.task_id in ended and edited & {*task.inputs}]

    def _target(self, past: Past, version_id: int | None) -> Plan:
        return past.run.plan if version_id is None else self.plan(version_id)


def seq_of(run: RunRow, at: int, last: int) -> int:
    """The seq of one of the run's ``last`` facts; UsageError where it has none of that number."""
    if not 1 <= at <= last:
        raise UsageError(
            f"run {run.run_id!r} has the facts 1 to {last}, and no {at}; see: "
            f"orchestrator runs history {run.dag_id} {run.run_id!r}"
        )
    return at


def place_of(name: str) -> tuple[str, int | None]:
    """A task, and which of its activities where it is written ``task[1]``."""
    task_id, bracket, rest = name.partition("[")
    if not bracket:
        return name, None
    number = rest.removesuffix("]")
    if not rest.endswith("]") or not number.isascii() or not number.isdigit():
        raise UsageError(f"{name!r} names no task; write TASK, or TASK[0] for one of several")
    return task_id, int(number)
