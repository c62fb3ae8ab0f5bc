"""Played: what a test asks of a run."""

from collections.abc import Sequence
from typing import Any, TypeVar

from orchestrator.assembly.background import background, result_of
from orchestrator.assembly.folding import folded
from orchestrator.assembly.home import Home
from orchestrator.assembly.payloads import open_payloads
from orchestrator.core import values
from orchestrator.core.events import AnyEvent, Recorded
from orchestrator.core.reasons import Usage
from orchestrator.core.story import why
from orchestrator.core.words import Words
from orchestrator.exceptions import NotFoundError
from orchestrator.names import UNMAPPED, DagKind, RunState, TaskState
from orchestrator.storage.views import ActivityRow, Outcome, RunRow
from orchestrator.testing.clock import FakeClock
from orchestrator.testing.outputs import Outputs

_Event = TypeVar("_Event", bound=AnyEvent)


class Played:
    """A run as its history has it so far. A mapped task has a list in the place of one state, attempt or result."""

    def __init__(self, home: Home, dag_id: str, run_id: str, clock: FakeClock, outputs: Outputs) -> None:
        self.clock = clock
        self._home = home
        self._dag_id = dag_id
        self._run_id = run_id
        self._outputs = outputs

    def __repr__(self) -> str:
        states = ", ".join(f"{task_id} {_shown(state)}" for task_id, state in self.states.items())
        reasons = "" if self.state == RunState.SUCCESS else "".join(f"\n  {sentence}" for sentence in self.why)
        return f"<run of {self._dag_id!r}: {self.state}; {states}>{reasons}"

    @property
    def run(self) -> RunRow:
        """The run's row."""
        return self._home.reads.run(self._dag_id, self._run_id)

    @property
    def state(self) -> RunState:
        """``success``, ``failed``, or ``running`` as long as it waits for something."""
        return self.run.state

    @property
    def states(self) -> dict[str, Any]:
        """The state of each task, by task_id, in the order of the graph."""
        return self._by_task(lambda row: row.state)

    @property
    def attempts(self) -> dict[str, Any]:
        """How often each task was tried, by task_id."""
        return self._by_task(lambda row: row.attempt)

    @property
    def history(self) -> list[Recorded]:
        """Every fact: ``seq``, ``at`` and the typed ``event``."""
        return self._home.reads.history(self.run.run_key)

    @property
    def why(self) -> list[str]:
        """Why it has ended as it has, or what it waits for, in sentences; the nearest reason first."""
        run = self.run
        if run.is_pending:
            return [run.reason]
        words = Words()
        state = folded(self._home, run, hear=words.hear)
        return [one.sentence for one in why(state, None, now=self.clock.now(), usage=Usage(), failure_of=words.of)]

    @property
    def notices(self) -> Sequence[str]:
        """What the engine would have told a person."""
        return tuple(self._outputs.notices)

    def events(self, kind: type[_Event]) -> list[_Event]:
        """The events of that class, in order."""
        return [fact.event for fact in self.history if isinstance(fact.event, kind)]

    def result(self, task_id: str | None = None, map_index: int | None = None) -> Any:
        """What a task returned; without a task_id, what the workflow did. NotFoundError where there is no result."""
        if task_id is None:
            return self._whole()
        rows = [row for row in self._rows(task_id) if map_index in (None, row.map_index)]
        found = [self._decoded(self._home.reads.result(self.run.run_key, task_id, row.map_index)) for row in rows]
        if map_index is None and any(row.map_index != UNMAPPED for row in rows):
            return found
        if not found:
            raise NotFoundError(f"task {task_id!r} has no instance {map_index}")
        return found[0]

    def log(self, task_id: str, map_index: int = UNMAPPED) -> str:
        """What the task printed and logged, in all of its attempts."""
        self._rows(task_id)
        found = self._outputs.texts.get((task_id, map_index))
        return "" if found is None else found.getvalue()

    def _whole(self) -> Any:
        run = self.run
        ending = background(self._home, run, None).ending
        kind = self._home.reads.dag(self._dag_id).kind
        if kind is not DagKind.WORKFLOW or ending is None or run.state is not RunState.SUCCESS:
            what = "a DAG has no result: name a task" if kind is DagKind.DAG else f"it has no result, being {run.state}"
            raise NotFoundError(f"run of {self._dag_id!r}: {what}")
        return values.decode(result_of(self._home, run.run_key, ending))

    def _decoded(self, outcome: Outcome) -> Any:
        if outcome.payload is not None:
            return values.decode(open_payloads(self._home.config).get(outcome.payload))
        return values.decode(outcome.value)

    def _rows(self, task_id: str) -> list[ActivityRow]:
        rows = [row for row in self._home.reads.tasks(self.run) if row.task_id == task_id]
        if not rows:
            self._home.reads.activity(self.run, task_id)
        return rows

    def _by_task(self, of: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row in self._home.reads.tasks(self.run):
            if row.map_index == UNMAPPED:
                found[row.task_id] = of(row)
            else:
                found.setdefault(row.task_id, []).append(of(row))
        return found


def _shown(state: TaskState | list[TaskState]) -> str:
    return ", ".join(state) if isinstance(state, list) else str(state)
