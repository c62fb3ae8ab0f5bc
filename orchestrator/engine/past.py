"""Past: activities that are ready, but for what their task waits for in the run before."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

import msgspec

from orchestrator.core.gate import RunGate
from orchestrator.core.past import Obstacle, RunBefore, leaves_out_manual, looks_at, obstacle, states_of
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.engine.roster import Roster
from orchestrator.engine.turn import Turn
from orchestrator.names import TaskState
from orchestrator.ports import Projections

Place: TypeAlias = tuple[int, str, int]
States: TypeAlias = dict[str, frozenset[TaskState]]


class Candidate(msgspec.Struct, frozen=True):
    """``count`` activities that their run lets go."""

    run: Run
    task: TaskSpec
    map_index: int
    count: int

    @property
    def place(self) -> Place:
        return self.run.run_key, self.task.task_id, self.map_index


class Past:
    """Asks at the beginning of a turn, when all that is known is recorded; what has to wait is asked about again when
    the task that it waits for has come to an end, and never before.

    Nothing of it is recorded: after a restart the runs offer the same again.
    """

    def __init__(self, roster: Roster, gate: RunGate, projections: Projections) -> None:
        self._roster = roster
        self._gate = gate
        self._projections = projections
        self._asked: dict[Place, Candidate] = {}
        self._asked_at: datetime | None = None
        self._waiting: dict[Place, tuple[Obstacle, Candidate]] = {}
        self._kept: defaultdict[int, defaultdict[str, set[Place]]] = _nothing()  # by the run and the task that do it

    def ask(self, candidate: Candidate, now: datetime) -> None:
        """It is ready; ``let_go`` says when it may start."""
        self._asked[candidate.place] = candidate
        self._asked_at = now

    def next_due(self) -> datetime | None:
        """Now, while there is something to ask."""
        return self._asked_at if self._asked else None

    def let_go(self, turn: Turn) -> Iterator[Candidate]:
        """Those that nothing in the run before keeps from starting; the others wait for that."""
        if not self._asked:
            return
        asked, self._asked = list(self._asked.values()), {}
        of_run: defaultdict[int, list[Candidate]] = defaultdict(list)
        for candidate in asked:
            if self._roster.held(candidate.run.run_key) is candidate.run and not candidate.run.is_ended:
                of_run[candidate.run.run_key].append(candidate)
        for candidates in of_run.values():
            yield from self._judge(turn, candidates)

    def look(self, run: Run, now: datetime, *, is_new: bool) -> None:
        """Its facts are recorded: ask about those again that they may let go."""
        if not self._waiting:
            return
        if is_new:
            self._ask_again(self._of_dag(run.dag_id), now)
        elif run.run_key in self._kept:
            kept = self._kept[run.run_key]
            is_other = run.is_ended or not self._gate.is_active(run.run_key)  # it may have been cleared just now
            over = [name for name in kept if is_other or name not in run.nodes or run.nodes[name].is_over]
            self._ask_again([place for name in over for place in kept[name]], now)

    def doubt(self, run: Run, now: datetime) -> None:
        """Somebody else wrote its history: what waits among the runs of its DAG is asked about again."""
        self._ask_again(self._of_dag(run.dag_id), now)

    def forget(self, run_key: int) -> None:
        """Nothing of that run waits any more."""
        for place in [place for place in self._asked if place[0] == run_key]:
            del self._asked[place]
        for place in [place for place in self._waiting if place[0] == run_key]:
            self._take(place)

    def _of_dag(self, dag_id: str) -> list[Place]:
        return [place for place, (_, candidate) in self._waiting.items() if candidate.run.dag_id == dag_id]

    def _ask_again(self, places: list[Place], now: datetime) -> None:
        for place in places:
            self.ask(self._take(place), now)

    def _take(self, place: Place) -> Candidate:
        """It waits no more."""
        found, candidate = self._waiting.pop(place)
        kept = self._kept[found.run_key]
        kept[found.task_id].discard(place)
        if not kept[found.task_id]:
            del kept[found.task_id]
        if not kept:
            del self._kept[found.run_key]
        return candidate

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────

    def _judge(self, turn: Turn, candidates: list[Candidate]) -> Iterator[Candidate]:
        """All of one run: they have the same run before them."""
        run = candidates[0].run
        before = self._before(run)
        if before is None:
            yield from candidates
            return
        wanted = {one.task.task_id: looks_at(run.plan, one.task) for one in candidates}
        states = self._states(before, dict.fromkeys(name for names in wanted.values() for name in names))
        for candidate in candidates:
            found = self._obstacle(candidate, wanted[candidate.task.task_id], before, states)
            if found is None:
                yield candidate
            else:
                self._wait(turn, candidate, found)

    def _before(self, run: Run) -> RunBefore | None:
        date = run.created.logical_date
        if date is None:
            return None
        return self._projections.run_before(run.dag_id, date, but_manual=leaves_out_manual(run))

    def _states(self, before: RunBefore, names: dict[str, None]) -> States:
        held = self._roster.held(before.run_key)
        return self._projections.task_states(before.run_key, names) if held is None else states_of(held, names)

    def _obstacle(
        self, candidate: Candidate, names: tuple[str, ...], before: RunBefore, states: States
    ) -> Obstacle | None:
        run, task = candidate.run, candidate.task
        is_new = task.task_id not in states and self._is_new(run, task.task_id)
        return obstacle(task, names, before, states, is_new=is_new)

    def _is_new(self, run: Run, task_id: str) -> bool:
        date = run.created.logical_date
        return date is not None and not self._projections.has_had(run.dag_id, task_id, before=date)

    def _wait(self, turn: Turn, candidate: Candidate, found: Obstacle) -> None:
        """Where the run before waits for room among the runs of its DAG, it gets it: else both waited for ever."""
        if candidate.place in self._waiting:  # its run has let it go once more
            self._take(candidate.place)
        self._waiting[candidate.place] = found, candidate
        self._kept[found.run_key][found.task_id].add(candidate.place)
        before = self._roster.held(found.run_key)
        if before is not None and not before.is_ended and not self._gate.is_active(found.run_key):
            self._gate.enter(found.run_key, before.dag_id)
            turn.look_at(before)


def _nothing() -> defaultdict[int, defaultdict[str, set[Place]]]:
    return defaultdict(lambda: defaultdict(set))
