"""ActivityHead: what stands above every page of an activity: how it stands, what may be done with it, and the tabs."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.views import ActivityRow, RunRow
from orchestrator.web.place import Place
from orchestrator.web.views.dag_head import Tab
from orchestrator.web.views.run_tasks import gravest
from orchestrator.web.wording import path_of_activity, segment

ANSWER, INSTANCES = "answer", "instances"
TABS: Mapping[str, str] = MappingProxyType(
    {
        INSTANCES: "Instances",
        "": "Log",
        ANSWER: "Answer",
        "result": "Result",
        "attempts": "Attempts",
        "details": "Details",
    }
)
"""The pages of an activity: what follows its address, and what the tab says."""
_LONG = 20_000
_OF_ALL = (INSTANCES, "details")
"""Those of a mapped task with all of its instances."""


class ActivityHead(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` is the activity's address, and ``query`` what follows the ``?`` there: which instance it is, if it is
    one of a mapped task. ``is_whole``: it is a mapped task with all of its instances, of which there
    are ``counts`` by state.
    """

    run: RunRow
    row: ActivityRow
    path: str
    query: str
    run_path: str
    dag_path: str
    tabs: list[Tab]
    may_edit: bool
    is_mapped: bool
    is_whole: bool
    counts: dict[TaskState, int]

    @property
    def name(self) -> str:
        """What people call it."""
        row = self.row
        return row.task_id if row.map_index == UNMAPPED else f"{row.task_id}[{row.map_index}]"

    @property
    def is_long(self) -> bool:
        """Whether its run's history is so long that why it stands so is told only to who asks."""
        return self.run.last_seq > _LONG

    @property
    def live(self) -> str:
        """What it follows."""
        return f"run:{self.run.run_key}" if self.run.run_key else f"dag:{self.run.dag_id}"


def activity_head(home: Home, at: Place, tab: str) -> ActivityHead:
    """NotFoundError where there is no such run, or no such task in it."""
    run = home.reads.run(at.dag_id, at.run_id)
    row = home.reads.activity(run, at.task_id, at.map_index)
    counts = home.reads.state_counts(run.run_key, at.task_id) if at.map_index == UNMAPPED and run.run_key else {}
    is_whole = (
        row.map_index == UNMAPPED and not row.scheduled_seq and sum(counts.values()) > 0 and _is_mapped(home, row)
    )
    if is_whole:
        row = msgspec.structs.replace(row, state=TaskState(gravest(counts)))
    dag_path = f"/dags/{segment(run.dag_id)}"
    path, which = path_of_activity(run.dag_id, run.run_id, row.task_id, row.map_index)
    there = _OF_ALL if is_whole else [name for name in TABS if _is_there(name, row)]
    return ActivityHead(
        run=run,
        row=row,
        path=path,
        query=which,
        run_path=f"{dag_path}/runs/{segment(run.run_id)}",
        dag_path=dag_path,
        tabs=[
            Tab(path=f"{path}/{name}".rstrip("/") + which, title=says, is_here=name == tab)
            for name, says in TABS.items()
            if name in (tab, *there)
        ],
        may_edit=home.who.may(Right.EDIT, run.dag_id) and run.run_key > 0,
        is_mapped=is_whole or row.map_index != UNMAPPED,
        is_whole=is_whole,
        counts=counts,
    )


def _is_mapped(home: Home, row: ActivityRow) -> bool:
    """Whether its task has instances, of which the last row in their order is one."""
    found = home.reads.activities(row.run_key, task_id=row.task_id, limit=2)
    return found[-1].map_index != UNMAPPED


def _is_there(tab: str, row: ActivityRow) -> bool:
    if tab == INSTANCES:
        return False
    return tab != ANSWER or row.state is TaskState.AWAITING_INPUT
