"""Memory: all that the scheduler holds between turns. The store has everything in it; it can be rebuilt at any time."""

from datetime import datetime

from orchestrator.core.admission import Admission
from orchestrator.core.callback_queue import CallbackQueue
from orchestrator.core.gate import RunGate
from orchestrator.core.run import Run
from orchestrator.engine.alarms import Alarms
from orchestrator.engine.brake import Brake
from orchestrator.engine.calling import Calling
from orchestrator.engine.dispatch import Dispatch, Results
from orchestrator.engine.past import Past
from orchestrator.engine.roster import Roster
from orchestrator.engine.schedules import Schedules
from orchestrator.engine.settings import Settings
from orchestrator.names import RunState
from orchestrator.ports import DagCatalog, HistoryStore, Projections


class Memory:
    """The open runs, what they wait for, and the room that is left."""

    def __init__(self, store: HistoryStore, projections: Projections, catalog: DagCatalog, settings: Settings) -> None:
        self.roster = Roster(store, catalog)
        self.gate = RunGate()
        self.admission = Admission(parallelism=settings.parallelism, pools=projections.pools())
        self.past = Past(self.roster, self.gate, projections)
        self.callbacks = CallbackQueue()
        self.schedules = Schedules(projections.cursors())
        self.brake = Brake(self.schedules, projections)
        self.results = Results(store)
        self.dispatch = Dispatch(catalog, self.results)
        self.calling = Calling(self.dispatch, store, catalog, settings.callback_timeout)
        self.alarms: Alarms[int] = Alarms()

    def place(self, run: Run) -> None:
        """Take in a run as it stands: its slots, its turn at max_active_runs."""
        self.roster.add(run)
        if run.state is RunState.QUEUED:
            self.gate.queue(run.run_key, run.dag_id)
        elif not run.is_ended:
            self.gate.enter(run.run_key, run.dag_id)
        for task_id, map_index in run.open:
            self.admission.occupy(run, run.nodes[task_id].task, map_index)
        for key in run.callbacks.handed_out():
            self.admission.take_slots(self.callbacks.hold(key))

    def give_back(self, run: Run) -> None:
        """Free the slots of the attempts that were closed."""
        closed, run.closed = run.closed, []
        for task_id, map_index in closed:
            self.admission.release(run.run_key, task_id, map_index)
        for key in run.callbacks.take_closed():
            self.admission.take_slots(-self.callbacks.let_go(key))

    def begin_waiting(self, dag_id: str) -> list[Run]:
        """The runs of a DAG that may begin now, oldest first."""
        entry = self.schedules.entry(dag_id)
        passed = []
        while (head := self.gate.head(dag_id)) is not None:
            run = self.roster.get(head)
            spec = entry.spec if entry else run.plan.spec if run else None
            if run is None or run.is_ended:
                self.gate.leave(head)
            elif spec is not None and self.gate.load(dag_id).active < spec.max_active_runs:
                self.gate.enter(head, dag_id)
                passed.append(run)
            else:
                break
        return passed

    def wake_waiting(self, dag_id: str, now: datetime) -> None:
        """There may be more room for a DAG's runs, though none of them has ended: see to it in the next turn."""
        head = self.gate.head(dag_id)
        if head is not None:
            self.alarms.set(head, now)

    def forget(self, run: Run) -> None:
        """Drop a run and all that it held."""
        for task_id, map_index in list(run.open):
            self.admission.release(run.run_key, task_id, map_index)
        self.give_back(run)
        self.admission.take_slots(-len(self.callbacks.forget(run.run_key)))
        self.admission.forget(run.run_key)
        self.past.forget(run.run_key)
        self.alarms.set(run.run_key, None)
        self.dispatch.forget(run.run_key)
        self.roster.drop(run.run_key)
        self.gate.leave(run.run_key)
