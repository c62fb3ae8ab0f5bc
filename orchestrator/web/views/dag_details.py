"""Everything about a DAG but its runs."""

from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.schemas import in_short
from orchestrator.core.spec import TaskSpec
from orchestrator.core.timetables import upcoming
from orchestrator.storage.views import DagRow, VersionRow
from orchestrator.web.prose import Prose, prose

DUE = 5


class ParamLine(msgspec.Struct, frozen=True, kw_only=True):
    """A param: its default as JSON, and what it takes."""

    name: str
    default: str
    takes: str
    about: str


class DagDetails(msgspec.Struct, frozen=True, kw_only=True):
    """``versions`` are the newest first; ``due`` when the schedule wants the DAG next."""

    tasks: tuple[TaskSpec, ...]
    params: list[ParamLine]
    versions: list[VersionRow]
    doc: Prose | None
    due: list[datetime]


def dag_details(home: Home, dag: DagRow, now: datetime) -> DagDetails:
    header = dag.header
    names = [*header.params, *(name for name in header.param_schemas if name not in header.params)]
    return DagDetails(
        tasks=home.reads.spec(dag.version_id).tasks,
        params=[_param(dag, name) for name in names],
        versions=home.reads.versions(dag.dag_id),
        doc=prose(header.doc_md) if header.doc_md else None,
        due=_due(home, dag, now),
    )


def _due(home: Home, dag: DagRow, now: datetime) -> list[datetime]:
    if dag.header.schedule is None:
        return []
    last = home.reads.cursors().get(dag.dag_id)
    return [slot.fire_at for slot in upcoming(dag.header, after=now, count=DUE, last=last)]


def _param(dag: DagRow, name: str) -> ParamLine:
    schema = dag.header.param_schemas.get(name, {})
    given = name in dag.header.params
    return ParamLine(
        name=name,
        default=msgspec.json.encode(dag.header.params[name]).decode() if given else "",
        takes=in_short(schema) if schema else "",
        about=str(schema.get("description", "")),
    )
