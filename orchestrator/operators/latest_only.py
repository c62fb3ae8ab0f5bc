"""Goes on in the latest run of a schedule only."""

from collections.abc import Iterable

from orchestrator.authoring.branching import BaseBranchOperator
from orchestrator.authoring.dag import DAG, own_zone
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.planning import plan
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.timetable import Timetable
from orchestrator.authoring.zones import zone_name
from orchestrator.core.spec import DagSpec, Planned, PlannedSlot, Schedule
from orchestrator.core.timetables import parse_schedule, upcoming
from orchestrator.names import RunType

__all__ = ["LatestOnlyOperator"]


def _when(dag: DAG, since: PlannedSlot) -> DagSpec:
    """What the DAG says about its schedule, and nothing else; its own timetable is asked for what follows ``since``."""
    value, zone = dag.schedule, zone_name(own_zone(dag)) or "UTC"
    if isinstance(value, Timetable):
        slots = plan(value, DagSpec(dag_id=dag.dag_id, catchup=True), last=since, now=since.fire_at)
        return DagSpec(dag_id=dag.dag_id, schedule=Planned(timetable=value.summary, slots=slots))
    found = value if isinstance(value, Schedule) else parse_schedule(value, zone)
    return DagSpec(dag_id=dag.dag_id, schedule=found)


class LatestOnlyOperator(BaseBranchOperator):
    """Skips the tasks right after it in a run whose schedule has come round again since.

    A run that somebody asked for goes on, whatever its date.
    """

    def choose_branch(self, context: Context) -> Iterable[str]:
        """All the tasks right after it, or none."""
        run = context["dag_run"]
        after = run.data_interval_end or run.logical_date
        if run.run_type == RunType.MANUAL or after is None:
            return sorted(self.downstream_task_ids)
        since = PlannedSlot(after, run.data_interval_start or after, after)
        following = upcoming(_when(self.dag, since), after=after, count=1)
        if following and following[0].fire_at < utcnow():
            return []
        return sorted(self.downstream_task_ids)
