"""Turn: everything that one turn of the scheduler will record, and what it does once that is committed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from orchestrator.core.events import AnyEvent, Recorded, RunEnded, RunReset
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import AttemptKey
from orchestrator.ports import Answer, Cursor, Group, Part, Pause


class _Draft:
    __slots__ = ("after", "records", "run")

    def __init__(self, run: Run, after: int) -> None:
        self.run = run
        self.after = after
        self.records: list[Recorded] = []


class Turn:
    """A fact is applied to its run as it is recorded; nothing leaves this process before the commit.

    ``ends`` are the runs that came to their end in it, and nobody has been told of yet; ``resets`` are
    those that went back to an earlier fact.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.answers: list[Answer] = []
        self.cursors: list[Cursor] = []
        self.pauses: list[Pause] = []
        self.changed: dict[int, Run] = {}
        self.admitted: list[tuple[Run, str, int, int]] = []
        self.calls: list[tuple[Run, list[AttemptKey]]] = []
        self.goes: list[AttemptKey] = []
        self.cancels: list[AttemptKey] = []
        self.activations: dict[int, WorkflowRun] = {}
        self.ends: dict[int, RunEnded] = {}
        self.resets: list[Run] = []
        self.took_reports = False
        self.refused: frozenset[int] = frozenset()
        self._ties: list[tuple[int, int]] = []
        self._begun: dict[tuple[str, str], int] = {}
        self._drafts: dict[int, _Draft] = {}

    def begin(self, run: Run, first: Recorded) -> None:
        """A new run, whose first fact it holds already."""
        draft = self._drafts[run.run_key] = _Draft(run, 0)
        draft.records.append(first)
        self.changed[run.run_key] = run
        self._begun[run.dag_id, run.run_id] = run.run_key

    def begun(self, dag_id: str, run_id: str) -> int | None:
        """The key of the run of that name, if it is one that this turn makes."""
        return self._begun.get((dag_id, run_id))

    def record(self, run: Run, event: AnyEvent, at: datetime | None = None) -> None:
        """The run's next fact."""
        draft = self._drafts.get(run.run_key)
        if draft is None:
            draft = self._drafts[run.run_key] = _Draft(run, run.seq)
            self.changed[run.run_key] = run
        fact = Recorded(run.seq + 1, at or self.now, event)
        run.apply(fact)
        draft.records.append(fact)
        if type(event) is RunEnded:
            self.ends[run.run_key] = event
        elif type(event) is RunReset:
            self.resets.append(run)
            self.ends.pop(run.run_key, None)

    def record_all(self, run: Run, events: Iterable[AnyEvent], at: datetime | None = None) -> None:
        for event in events:
            self.record(run, event, at)

    def fact(self, run: Run, seq: int) -> Recorded | None:
        """The run's fact of that number, if it is of this turn."""
        draft = self._drafts.get(run.run_key)
        return draft.records[seq - draft.after - 1] if draft is not None and seq > draft.after else None

    def tie(self, one: int, other: int) -> None:
        """What these two runs record in this turn is written both or not at all."""
        self._ties.append((one, other))

    def look_at(self, run: Run) -> None:
        """Time has brought something for this run."""
        self.changed[run.run_key] = run

    @property
    def is_empty(self) -> bool:
        return not (self._drafts or self.answers or self.cursors or self.pauses)

    def runs(self) -> list[Run]:
        """The runs that have new facts."""
        return [draft.run for draft in self._drafts.values()]

    def refused_runs(self) -> list[Run]:
        """The runs whose part the commit left out."""
        return [self._drafts[run_key].run for run_key in sorted(self.refused)]

    def recorded(self) -> Iterator[tuple[Run, Sequence[Recorded]]]:
        """The new facts of each run whose part was not refused."""
        for run_key, draft in self._drafts.items():
            if run_key not in self.refused:
                yield draft.run, draft.records

    def group(self) -> Group:
        """The one commit that this turn asks for."""
        parts = [
            Part(run=draft.run, after=draft.after, records=draft.records, activities=tuple(draft.run.touched))
            for draft in self._drafts.values()
        ]
        return Group(
            at=self.now,
            parts=parts,
            answers=self.answers,
            cursors=self.cursors,
            pauses=self.pauses,
            ties=self._ties,
        )
