"""RunHead: what stands above every page of a run: how it stands, what may be done with it, and the tabs."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.names import RunState
from orchestrator.storage.views import RunRow
from orchestrator.web.views.dag_head import Tab, tabs_of
from orchestrator.web.wording import segment

TABS: Mapping[str, str] = MappingProxyType(
    {
        "": "Tasks",
        "graph": "Graph",
        "gantt": "Gantt",
        "history": "History",
        "params": "Params",
        "talk": "Talk",
        "audit": "Audit",
    }
)
"""The pages of a run: what follows its address, and what the tab says."""


LONG = 2_000
"""A history of more facts is long."""


class RunHead(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` is the run's address, ``conf`` its JSON, empty where it has none; ``awaiting`` how many of
    its activities wait for people. Of a run that ``is_long``, what takes reading its whole history is shown after the
    page. The rest: which buttons to show.
    """

    run: RunRow
    path: str
    dag_path: str
    tabs: list[Tab]
    conf: str
    may_pause: bool
    may_resume: bool
    may_cancel: bool
    may_clear: bool
    may_edit: bool
    may_trigger: bool
    awaiting: int
    is_long: bool


def run_head(home: Home, dag_id: str, run_id: str, tab: str) -> RunHead:
    """NotFoundError where there is no such run."""
    run, dag = home.reads.run(dag_id, run_id), home.reads.dag(dag_id)
    dag_path = f"/dags/{segment(dag_id)}"
    path = f"{dag_path}/runs/{segment(run.run_id)}"
    may_edit = home.who.may(Right.EDIT, dag_id)
    is_open = may_edit and not run.is_ended and not run.is_cancelling
    conf = bytes(home.reads.conf(run)).decode("utf-8", "replace")
    return RunHead(
        run=run,
        path=path,
        dag_path=dag_path,
        tabs=tabs_of(TABS, path, tab, dag.kind),
        conf="" if conf == "{}" else conf,
        may_pause=is_open and not run.is_paused and not run.is_pending,
        may_resume=is_open and (run.is_paused or run.blocked is not None),
        may_cancel=is_open,
        may_edit=may_edit,
        may_trigger=home.who.may(Right.TRIGGER, dag_id) and not dag.is_stale,
        may_clear=may_edit and run.state is RunState.FAILED,
        is_long=run.last_seq > LONG,
        awaiting=home.reads.awaiting_count(dag_id, run_key=run.run_key) if run.run_key and not run.is_ended else 0,
    )
