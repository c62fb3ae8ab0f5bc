"""The instances of a mapped task, or the calls of a workflow's activity: counted by state, and listed by pages."""

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.views import ActivityRow
from orchestrator.web.views.activity_head import ActivityHead
from orchestrator.web.views.grid import GRAVITY

PER_PAGE = 100


class Instances(msgspec.Struct, frozen=True, kw_only=True):
    """A page of those in ``state``, or of all; ``counts`` by state, the gravest first."""

    rows: list[ActivityRow]
    counts: dict[TaskState, int]
    state: TaskState | None
    total: int
    page: int

    @property
    def has_more(self) -> bool:
        return self.page * PER_PAGE < (self.counts.get(self.state, 0) if self.state else self.total)


def instances(home: Home, head: ActivityHead, state: TaskState | None, page: int) -> Instances:
    """By their number."""
    run_key, task_id = head.run.run_key, head.row.task_id
    counts = head.counts
    rows = (
        home.reads.activities(
            run_key,
            task_id=task_id,
            states=[state] if state else (),
            limit=PER_PAGE,
            offset=(page - 1) * PER_PAGE,
        )
        if run_key
        else []
    )
    return Instances(
        rows=[row for row in rows if row.map_index != UNMAPPED],
        counts=dict(sorted(counts.items(), key=lambda one: GRAVITY[one[0]])),
        state=state,
        total=sum(counts.values()),
        page=page,
    )
