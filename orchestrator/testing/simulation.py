"""Simulation: the real engine under a simulated clock, executor and store, with crashes where a test wants them."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count

import msgspec

from orchestrator.core.events import Recorded, RunCreated
from orchestrator.core.orders import Order
from orchestrator.core.plan import Plan
from orchestrator.core.requests import ResolveTask, TriggerRun
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.engine.scheduler import Scheduler
from orchestrator.engine.settings import Settings
from orchestrator.names import TaskState
from orchestrator.ports import HistoryStore
from orchestrator.testing.clock import FakeClock
from orchestrator.testing.crashes import Crash, Crashes
from orchestrator.testing.memory_store import MemoryStore
from orchestrator.testing.sim_executor import SUCCEEDS, Script, SimExecutor
from orchestrator.testing.sim_replayer import SimReplayer
from orchestrator.testing.sim_triggerer import SimTriggerer
from orchestrator.testing.world import CrashingStore, World

_ANSWERS = (TaskState.SUCCESS, TaskState.FAILED, TaskState.NONE)
SETTINGS = Settings(owner="simulation", queued_timeout=timedelta(hours=1))


class Simulation:
    """A world with its own time. What is in ``store`` survives a crash; the scheduler does not."""

    def __init__(
        self,
        *,
        script: Callable[[Order], Script] = SUCCEEDS,
        crash_when: Callable[[int], bool] = lambda _: False,
        outlives: bool = False,
        settings: Settings = SETTINGS,
        world: Callable[[FakeClock], World] | None = None,
        make_executor: Callable[[FakeClock, Callable[[Order], Script]], SimExecutor] | None = None,
        make_store: Callable[[HistoryStore], HistoryStore] = lambda store: store,
        make_replayer: Callable[[FakeClock], SimReplayer] | None = None,
        make_triggerer: Callable[[FakeClock], SimTriggerer] = SimTriggerer,
    ) -> None:
        self.clock = FakeClock()
        self.crashes = Crashes(crash_when)
        self.store = MemoryStore() if world is None else world(self.clock)
        make_executor = make_executor or functools.partial(SimExecutor, outlives=outlives)
        self.executor = make_executor(self.clock, script)
        self.executor.on_submit = self.crashes.step  # handed out in part
        self.replayer = None if make_replayer is None else make_replayer(self.clock)
        if self.replayer is not None:
            self.replayer.on_activate = self.crashes.step
        self.triggerer = make_triggerer(self.clock)
        self.triggerer.on_submit = self.crashes.step
        self._make_store = make_store
        self.restarts = 0
        self.notices: list[str] = []
        self.retried_by_a_person: Counter[str] = Counter()
        self._settings = settings
        self._scheduler: Scheduler | None = None
        self._uids = count(1)

    # ── driving it ───────────────────────────────────────────────────────────────────────────────────────

    def trigger(self, dag_id: str, run_id: str = "manual__1", *, conf: bytes = b"{}") -> None:
        """Ask for a run."""
        self.store.ask(
            TriggerRun(dag_id=dag_id, run_id=run_id, run_uid=f"uid-{dag_id}-{run_id}", conf=msgspec.Raw(conf))
        )

    def resolve_unknown_outcomes(self) -> int:
        """Answer for a person, each time in another way: it worked, it did not, try again. How many there were."""
        answers = 0
        for run_key, facts in self.histories():
            run = replay(run_key, facts, self._plan)
            for task_id, node in run.nodes.items():
                for map_index, activity in node.activities():
                    if activity.state is TaskState.AWAITING_INPUT:
                        self._resolve(run, task_id, map_index, _ANSWERS[(activity.attempt + answers) % len(_ANSWERS)])
                        answers += 1
        return answers

    def _resolve(self, run: Run, task_id: str, map_index: int, state: TaskState) -> None:
        if state is TaskState.NONE:
            self.retried_by_a_person[run.idempotency_key(task_id, map_index)] += 1
        self.store.ask(
            ResolveTask(dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, map_index=map_index, state=state)
        )

    def _plan(self, version_id: int) -> Plan:
        return Plan(self.store.spec(version_id), version_id)

    def turn(self) -> None:
        """One turn of the scheduler, started again first if it has crashed."""
        try:
            if self._scheduler is None:
                self._scheduler = self._new_scheduler()
                self._scheduler.start()
            self._scheduler.tick()
        except Crash:
            self.crash()

    def crash(self) -> None:
        """Kill the scheduler now."""
        self._scheduler = None
        self.store.release()
        self.executor.crash()
        if self.replayer is not None:
            self.replayer.crash()
        self.triggerer.crash()
        self.restarts += 1

    def run(self, *, until: datetime | None = None, most_turns: int = 10_000) -> None:
        """Turn after turn, time flying to whatever is due next, until nothing is, or ``until`` has come."""
        for _ in range(most_turns):
            self.turn()
            if self._scheduler is None:
                continue
            due = self._next_due(self._scheduler)
            if until is not None and (due is None or due > until):
                self.clock.move_to(until)
                return
            if due is None:
                return
            self.clock.move_to(due)
        raise AssertionError(f"the simulation did not come to rest within {most_turns} turns")

    def _next_due(self, scheduler: Scheduler) -> datetime | None:
        """What is due next, the keeping of the claim aside: that goes on for ever."""
        moments = [moment for moment in scheduler.moments() if moment is not None]
        return min(moments, default=None)

    def _new_scheduler(self) -> Scheduler:
        return Scheduler(
            store=CrashingStore(self._make_store(self.store), self.crashes),
            projections=self.store,
            catalog=self.store,
            executor=self.executor,
            replayer=self.replayer,
            triggerer=self.triggerer,
            clock=self.clock,
            settings=self._settings,
            notice=self.notices.append,
            new_uid=lambda: f"uid-{next(self._uids)}",
        )

    # ── looking at it ────────────────────────────────────────────────────────────────────────────────────

    def history(self, run_key: int = 1) -> list[Recorded]:
        return self.store.read(run_key)

    def run_names(self) -> list[tuple[str, str]]:
        """(dag_id, run_id) of every run, oldest first."""
        created = (facts[0].event for _, facts in self.histories())
        return [(event.dag_id, event.run_id) for event in created if isinstance(event, RunCreated)]

    def histories(self) -> Iterator[tuple[int, Sequence[Recorded]]]:
        yield from self.store.histories.items()
