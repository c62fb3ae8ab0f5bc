"""The pages of a DAG that are about time: its calendar, and how long it takes."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response

from orchestrator.web.page import Opened
from orchestrator.web.views.calendar import calendar, span_of, zone_of
from orchestrator.web.views.dag_head import dag_head
from orchestrator.web.views.durations import HEIGHT, HIGH, ROOM, RUNS, WIDE, durations

router = APIRouter(prefix="/dags/{dag_id}")

By = Literal["day", "hour"]
Shown = Annotated[str, Query(max_length=7)]
Zone = Annotated[str, Query(max_length=60)]
Count = Annotated[int, Query(ge=1, le=RUNS[-1])]


@router.get("/calendar")
def show_calendar(page: Opened, dag_id: str, by: By = "day", shown: Shown = "") -> Response:
    head = dag_head(page.home, dag_id, "calendar", page.now)
    return page.show("dag_calendar.html", head=head, by=by, shown=shown)


@router.get("/calendar.json")
def days(page: Opened, dag_id: str, by: By = "day", shown: Shown = "", zone: Zone = "UTC") -> Response:
    """What the calendar draws; the same again is not sent again."""
    where = zone_of(zone)
    span = span_of(shown, where, page.now, by_hour=by == "hour")
    found = calendar(page.home, page.home.reads.dag(dag_id), span, where, page.now)
    return page.json(msgspec.json.encode(found))


@router.get("/durations")
def show_durations(page: Opened, dag_id: str, count: Count = RUNS[1], landing: bool = False) -> Response:
    head = dag_head(page.home, dag_id, "durations", page.now)
    view = durations(page.home, head.dag, count=count, landing=landing, now=page.now)
    sizes = {"height": HEIGHT, "wide": WIDE, "high": HIGH, "room": ROOM}
    return page.show("dag_durations.html", head=head, view=view, count=count, counts=RUNS, landing=landing, sizes=sizes)
