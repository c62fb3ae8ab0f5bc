"""Roster: the runs that are open, held in memory; any other is replayed when somebody speaks of it."""

from collections.abc import Iterator

from orchestrator.core.events import Recorded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.core.spec import fingerprint
from orchestrator.ports import DagCatalog, HistoryStore


class Roster:
    """Runs by key. Plans are shared by the runs of a version."""

    def __init__(self, store: HistoryStore, catalog: DagCatalog) -> None:
        self._store = store
        self._catalog = catalog
        self._runs: dict[int, Run] = {}
        self._plans: dict[int, Plan] = {}
        self._visiting: set[int] = set()

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs.values())

    def __len__(self) -> int:
        return len(self._runs)

    def plan(self, version_id: int) -> Plan:
        """The plan of a version, kept while any run uses it."""
        found = self._plans.get(version_id)
        if found is None:
            spec = self._catalog.spec(version_id)
            found = self._plans[version_id] = Plan(spec, version_id, fingerprint(spec))
        return found

    def add(self, run: Run) -> None:
        self._runs[run.run_key] = run

    def held(self, run_key: int) -> Run | None:
        return self._runs.get(run_key)

    def get(self, run_key: int) -> Run | None:
        """The run, replayed from its history if it is not held; None if it has none."""
        run = self._runs.get(run_key)
        if run is None:
            facts = self._store.read(run_key)
            if not facts:
                return None
            run = self._runs[run_key] = replay(run_key, facts, self.plan, lean=True)
            run.touched.clear()
            run.closed.clear()
            run.callbacks.closed.clear()
            self._visiting.add(run_key)
        return run

    def facts(self, run_key: int, until: int) -> list[Recorded]:
        """The first facts of a run, up to and including the seq ``until``."""
        return self._store.read(run_key, limit=until)

    def see_off(self) -> None:
        """Drop the runs that were read because somebody spoke of them, and that have ended."""
        for run_key in self._visiting:
            run = self._runs.get(run_key)
            if run is not None and run.is_settled:
                self.drop(run_key)
        self._visiting.clear()

    def drop(self, run_key: int) -> None:
        """Forget a run; its history has all of it. A plan that no run uses goes with the next sweep."""
        self._runs.pop(run_key, None)
        if len(self._plans) > 2 * len(self._runs) + 64:
            used = {run.version_id for run in self._runs.values()}
            self._plans = {key: plan for key, plan in self._plans.items() if key in used}
