"""DagHead: what stands above every page of a DAG: its name, its switch, and the tabs."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.core.schedule_words import schedule_in_words
from orchestrator.names import DagKind
from orchestrator.storage.views import DagRow
from orchestrator.web.views.dues import due_next, is_late
from orchestrator.web.wording import segment

TABS: Mapping[str, str] = MappingProxyType(
    {
        "": "Grid",
        "graph": "Graph",
        "gantt": "Gantt",
        "runs": "Runs",
        "calendar": "Calendar",
        "durations": "Durations",
        "code": "Code",
        "details": "Details",
        "audit": "Audit",
    }
)
"""The pages of a DAG: what follows its address, and what the tab says."""


class Tab(msgspec.Struct, frozen=True, kw_only=True):
    """A page beside others."""

    path: str
    title: str
    is_here: bool


def tabs_of(titles: Mapping[str, str], path: str, here: str, kind: DagKind) -> list[Tab]:
    """Those that there are: the order of a workflow is in its code, so that it has no graph; and only it can be talked
    with.
    """
    elsewhere = "talk" if kind is DagKind.DAG else "graph"
    return [
        Tab(path=f"{path}/{name}".rstrip("/"), title=title, is_here=name == here)
        for name, title in titles.items()
        if name != elsewhere
    ]


class DagHead(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` is the DAG's address; ``due`` when its schedule wants it next, ``is_late`` where that is over,
    ``awaiting`` how many activities of its runs wait for people.
    """

    dag: DagRow
    title: str
    path: str
    tabs: list[Tab]
    schedule: str
    due: datetime | None
    is_late: bool
    error: str
    may_edit: bool
    may_trigger: bool
    awaiting: int


def dag_head(home: Home, dag_id: str, tab: str, now: datetime) -> DagHead:
    """NotFoundError where there is no such DAG."""
    dag = home.reads.dag(dag_id)
    path = f"/dags/{segment(dag_id)}"
    due = due_next(dag, home.reads.cursors().get(dag_id), now)
    broken = [found.failure.message for found in home.reads.import_errors() if found.file == dag.header.file]
    return DagHead(
        dag=dag,
        title=dag.header.display_name or dag.dag_id,
        path=path,
        tabs=tabs_of(TABS, path, tab, dag.kind),
        schedule=schedule_in_words(dag.header),
        due=due,
        is_late=is_late(due, now),
        error=broken[0] if broken else "",
        may_edit=home.who.may(Right.EDIT, dag_id),
        may_trigger=home.who.may(Right.TRIGGER, dag_id) and not dag.is_stale,
        awaiting=home.reads.awaiting_count(dag_id),
    )
