"""What is known of DAGs besides: versions, code, tags and the number of their runs."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from orchestrator.api.asked import Asked
from orchestrator.api.cutting import cut
from orchestrator.api.models.dags import (
    DagSource,
    DagStatsCollection,
    DagVersion,
    DagVersionCollection,
    TagCollection,
    version_of,
)
from orchestrator.api.paging import DagId, Paged, Pattern, one_or_all
from orchestrator.assembly.home import Home
from orchestrator.exceptions import NotFoundError
from orchestrator.names import RunState
from orchestrator.storage.listing import fits
from orchestrator.storage.views import VersionRow

router = APIRouter(tags=["DAG"])

Number = Annotated[int, Query(ge=1, le=2**31 - 1)]


@router.get("/dags/{dag_id}/dagVersions")
def get_dag_versions(home: Asked, dag_id: DagId, paging: Paged) -> DagVersionCollection:
    """The versions of a DAG, newest first; ``~`` for those of all."""
    one = one_or_all(dag_id)
    dags = [dag.dag_id for dag in home.reads.dags()] if one is None else [one]
    found = [row for name in dags for row in home.reads.versions(name)]
    page = cut(found, paging, {"version_number": lambda row: row.number, "created_at": lambda row: row.created_at})
    return DagVersionCollection(dag_versions=[version_of(row) for row in page], total_entries=len(found))


@router.get("/dags/{dag_id}/dagVersions/{version_number}")
def get_dag_version(home: Asked, dag_id: DagId, version_number: int) -> DagVersion:
    """A version of a DAG."""
    return version_of(find_version(home, dag_id, version_number))


@router.get("/dagSources/{dag_id}")
def get_dag_source(home: Asked, dag_id: DagId, version_number: Number | None = None) -> DagSource:
    """The code of a DAG's version, the latest by default."""
    row = find_version(home, dag_id, version_number)
    files = {path: content.decode("utf-8", "replace") for path, content in home.reads.source(row.version_id).items()}
    return DagSource(
        dag_id=dag_id,
        version_number=row.number,
        file=row.file,
        content=next((text for path, text in files.items() if path.endswith(row.file)), ""),
        files=files,
    )


@router.get("/dagTags")
def get_dag_tags(home: Asked, paging: Paged, tag_name_pattern: Pattern = None) -> TagCollection:
    """All tags, each once, by name."""
    tags = sorted({tag for dag in home.reads.dags() for tag in dag.header.tags if fits(tag_name_pattern, tag)})
    return TagCollection(tags=cut(tags, paging, {"name": lambda tag: tag}), total_entries=len(tags))


@router.get("/dagStats", response_model=DagStatsCollection)
def get_dag_stats(home: Asked, dag_ids: Annotated[list[str] | None, Query(max_length=1000)] = None) -> Response:
    """How many runs the DAGs have, by state."""
    wanted = None if dag_ids is None else frozenset(dag_ids)
    counts = home.reads.run_counts()
    found = [
        {
            "dag_id": dag.dag_id,
            "dag_display_name": dag.header.display_name or dag.dag_id,
            "stats": [{"state": state, "count": counts.get(dag.dag_id, {}).get(state, 0)} for state in RunState],
        }
        for dag in home.reads.dags()
        if wanted is None or dag.dag_id in wanted
    ]
    body = msgspec.json.encode({"dags": found, "total_entries": len(found)})  # thousands of models would be slow
    return Response(body, media_type="application/json")


def find_version(home: Home, dag_id: str, number: int | None) -> VersionRow:
    """A version by what people call it; the latest where none is named."""
    versions = home.reads.versions(dag_id)
    for row in versions:
        if number in (None, row.number):
            return row
    raise NotFoundError(f"the DAG {dag_id!r} has versions 1 to {versions[0].number}, and none of them is {number}")
