"""People: what they ask of a simulated world, at random and at the worst moment."""

import random
from collections import Counter
from collections.abc import Callable

from orchestrator.core.requests import (
    AnyRequest,
    CancelRun,
    ClearTasks,
    MarkTask,
    PauseRun,
    ResolveTask,
    ResumeRun,
    TriggerRun,
)
from orchestrator.core.spec import DagSpec
from orchestrator.names import Delivery, TaskState
from orchestrator.testing.random_dags import next_version
from orchestrator.testing.simulation import Simulation

_MARKS = (TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED)
_ANSWERS = (TaskState.SUCCESS, TaskState.FAILED, TaskState.NONE)


class People:
    """``again`` counts, by (dag_id, run_id, task_id), how often somebody asked that it may run again."""

    def __init__(self, sim: Simulation, specs: list[DagSpec], dice: random.Random) -> None:
        self._sim = sim
        self._dice = dice
        self._specs = {spec.dag_id: spec for spec in specs}
        self._versions: dict[str, list[int]] = {spec.dag_id: [number] for number, spec in enumerate(specs, 1)}
        self._paused: set[str] = set()
        self._asked = 0
        self.again: Counter[tuple[str, str, str]] = Counter()
        self.deliveries: dict[tuple[str, str], Delivery] = {}
        for spec in specs:
            self._note(spec)

    def meddle(self) -> None:
        """One of them does something."""
        deeds: tuple[tuple[Callable[[], None], int], ...] = (
            (self._trigger, 5),
            (self._clear, 3),
            (self._mark, 2),
            (self._cancel, 1),
            (self._pause_run, 1),
            (self._resume_run, 2),
            (self._answer, 2),
            (self._edit, 1),
            (self._toggle, 2),
        )
        (deed,) = self._dice.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])
        deed()

    def let_everything_go_on(self) -> None:
        for dag_id in sorted(self._paused):
            self._sim.store.set_paused(dag_id, False, self._sim.clock.now())
        for dag_id, run_id in self._sim.run_names():
            self._ask(ResumeRun(dag_id=dag_id, run_id=run_id))

    # ── deeds ────────────────────────────────────────────────────────────────────────────────────────────

    def _trigger(self) -> None:
        self._asked += 1
        run_id = f"manual__{self._asked}"
        self._ask(TriggerRun(dag_id=self._a_dag(), run_id=run_id, run_uid=f"uid-{run_id}"))

    def _clear(self) -> None:
        for dag_id, run_id in self._a_run():
            chosen = self._some_tasks(dag_id)
            version = self._dice.choice((None, self._dice.choice(self._versions[dag_id])))
            self._ask(ClearTasks(dag_id=dag_id, run_id=run_id, tasks=chosen, version_id=version))

    def _mark(self) -> None:
        for dag_id, run_id in self._a_run():
            ((task_id, _),) = self._some_tasks(dag_id, 1)
            state = self._dice.choice(_MARKS)
            self._ask(MarkTask(dag_id=dag_id, run_id=run_id, task_id=task_id, state=state))

    def _answer(self) -> None:
        for dag_id, run_id in self._a_run():
            ((task_id, _),) = self._some_tasks(dag_id, 1)
            index, state = self._dice.choice((-1, 0, 1)), self._dice.choice(_ANSWERS)
            self.again[dag_id, run_id, task_id] += state is TaskState.NONE
            self._ask(ResolveTask(dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=index, state=state))

    def _cancel(self) -> None:
        for dag_id, run_id in self._a_run():
            self._ask(CancelRun(dag_id=dag_id, run_id=run_id))

    def _pause_run(self) -> None:
        for dag_id, run_id in self._a_run():
            self._ask(PauseRun(dag_id=dag_id, run_id=run_id))

    def _resume_run(self) -> None:
        for dag_id, run_id in self._a_run():
            self._ask(ResumeRun(dag_id=dag_id, run_id=run_id))

    def _edit(self) -> None:
        dag_id = self._a_dag()
        self._specs[dag_id] = next_version(self._specs[dag_id], self._dice)
        self._versions[dag_id].append(self._sim.store.add_dag(self._specs[dag_id]))
        self._note(self._specs[dag_id])

    def _note(self, spec: DagSpec) -> None:
        self.deliveries |= {(spec.dag_id, task.task_id): task.delivery for task in spec.tasks}

    def _toggle(self) -> None:
        dag_id = self._a_dag()
        self._paused ^= {dag_id}
        self._sim.store.set_paused(dag_id, dag_id in self._paused, self._sim.clock.now())

    # ── choosing ─────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, request: AnyRequest) -> None:
        self._sim.store.ask(request)

    def _a_dag(self) -> str:
        return self._dice.choice(sorted(self._specs))

    def _a_run(self) -> list[tuple[str, str]]:
        """One of the runs that there are, if any."""
        names = self._sim.run_names()
        return [self._dice.choice(names)] if names else []

    def _some_tasks(self, dag_id: str, count: int | None = None) -> tuple[tuple[str, int | None], ...]:
        names = [task.task_id for task in self._specs[dag_id].tasks]
        return tuple((name, None) for name in self._dice.sample(names, k=count or self._dice.randint(1, len(names))))
