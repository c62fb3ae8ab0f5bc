import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.core.events import ActivityCompleted, ActivityScheduled, ActivityStarted, AnyEvent, RunEnded
from orchestrator.core.spec import Cron, DagSpec, TaskSpec
from orchestrator.exceptions import UsageError
from orchestrator.names import RunState
from orchestrator.web.views.calendar import DAY, Calendar, Span, calendar, span_of, zone_of
from orchestrator.web.views.dag_runs import RunsWanted
from orchestrator.web.views.durations import HEIGHT, Durations, durations
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPEC = DagSpec(
    dag_id="etl",
    file="etl.py",
    schedule=Cron(expression="0 6 * * *"),
    schedule_text="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    tasks=(TaskSpec(task_id="start"), TaskSpec(task_id="end", upstream=("start",))),
)
DONE, FAILED = RunEnded(state=RunState.SUCCESS), RunEnded(state=RunState.FAILED)


def works(task_id: str) -> list[AnyEvent]:
    return [ActivityScheduled(task_id=task_id), ActivityStarted(task_id=task_id), ActivityCompleted(task_id=task_id)]


@pytest.fixture
def home(site: object, filled: FilledHome) -> Home:
    filled.add_dag(SPEC)
    found: Home = site.state.home  # type: ignore[attr-defined]
    return found


def year_of(home: Home, zone: str = "UTC", **span: Any) -> Calendar:
    span = {"year": 2026} | span
    return calendar(home, home.reads.dag("etl"), Span(**span), ZoneInfo(zone), NOW)


def day_number(year: int, month: int, day: int) -> int:
    return (datetime(year, month, day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def test_a_day_tells_how_its_runs_have_ended(home: Home, filled: FilledHome) -> None:
    filled.begin("etl", "one", *works("start"), DONE)
    filled.begin("etl", "two", *works("start"), FAILED)
    filled.begin("etl", "three", *works("start"))
    found = year_of(home)
    counts = {one.number: one.counts for one in found.stretches if one.counts}
    assert counts == {day_number(2026, 1, 31): {"success": 1, "failed": 1, "running": 1}}
    assert (found.first, found.end) == (day_number(2026, 1, 1), day_number(2027, 1, 1))
    assert (found.today, found.older, found.newer) == (day_number(2026, 3, 1), "2025", "2027")
    assert year_of(home, year=2025).stretches == []


@pytest.mark.parametrize(
    ("zone", "number"), [("Pacific/Honolulu", 30), ("Asia/Kolkata", 31), ("Asia/Tokyo", 31), ("UTC", 31)]
)
def test_days_are_those_of_the_zone_in_which_they_are_read(
    home: Home, filled: FilledHome, zone: str, number: int
) -> None:
    filled.begin("etl", "one", DONE)  # at 06:00 UTC
    found = [one.number for one in year_of(home, zone).stretches if one.counts]
    assert found == [day_number(2026, 1, number)]


def test_days_are_told_apart_where_clocks_are_changed_in_between(home: Home) -> None:
    """In Berlin the clocks go forward at the end of March: days end an hour earlier from then on."""
    found = year_of(home, "Europe/Berlin")
    planned = [one.number for one in found.stretches if one.planned]
    assert found.seconds == DAY
    assert planned[0] == day_number(2026, 3, 2)
    assert planned == list(range(planned[0], planned[0] + len(planned)))


def test_a_month_is_shown_by_its_hours(home: Home, filled: FilledHome) -> None:
    filled.begin("etl", "one", DONE)
    found = year_of(home, month=1)
    assert [one.number for one in found.stretches] == [24 * day_number(2026, 1, 31) + 6]
    assert (found.older, found.newer, found.end - found.first) == ("2025-12", "2026-02", 31 * 24)


def test_what_the_schedule_wants_next_is_planned_unless_the_dag_is_off(
    home: Home, filled: FilledHome, browser: Browser
) -> None:
    assert sum(one.planned for one in year_of(home, month=3).stretches) == 30
    browser().post("/dags/etl/pause")
    assert home.reads.dag("etl").is_paused
    assert year_of(home, month=3).stretches == []


def test_the_calendar_asks_for_runs_once_however_many_there_are(
    home: Home, filled: FilledHome, queries: list[str]
) -> None:
    for number in range(5):
        filled.begin("etl", f"run_{number}", DONE)
    queries.clear()
    year_of(home)
    assert len([query for query in queries if "count(" in query.lower()]) == 1


def test_years_and_months_are_read_and_nonsense_is_told() -> None:
    utc = zone_of("UTC")
    assert span_of("", utc, NOW, by_hour=False) == Span(year=2026)
    assert span_of("", utc, NOW, by_hour=True) == Span(year=2026, month=3)
    assert span_of("2025-07", utc, NOW, by_hour=True) == Span(year=2025, month=7)
    assert span_of("2025-07", utc, NOW, by_hour=False) == Span(year=2025)
    for text in ("0", "20x6", "2026-13", "2026-00", "9999", "²026"):
        with pytest.raises(UsageError):
            span_of(text, utc, NOW, by_hour=True)


@pytest.mark.parametrize(
    "query",
    [
        "zone=Mars/Base",
        "zone=../../etc/passwd",
        "zone=",
        "zone=Europe",
        "zone=%00",
        "shown=never",
        "by=minute",
        f"zone={'x' * 90}",
    ],
)
def test_a_calendar_of_nonsense_is_refused(home: Home, browser: Browser, query: str) -> None:
    assert browser().get(f"/dags/etl/calendar.json?{query}").status_code in {400, 422}


def test_runs_between_two_moments_are_listed_and_the_filter_is_told(
    home: Home, filled: FilledHome, browser: Browser
) -> None:
    filled.begin("etl", "one", DONE)
    client = browser("viewer")
    there = client.get("/dags/etl/runs?since=2026-01-31T05:00:00Z&until=2026-01-31T07:00:00Z").text
    before = client.get("/dags/etl/runs?since=2026-01-31T05:00:00Z&until=2026-01-31T06:00:00Z").text
    assert ("/runs/one" in there, "/runs/one" in before) == (True, False)
    assert "Any time" in there
    assert 'type="date"' in client.get("/dags/etl/runs?since=2026-01-31").text
    assert client.get("/dags/etl/runs?until=9999-12-31").status_code == 200
    assert RunsWanted(until="2026-01-31").last == datetime(2026, 2, 1, tzinfo=UTC) - timedelta(microseconds=1)


def chart(home: Home, *, count: int = 50, landing: bool = False) -> Durations:
    return durations(home, home.reads.dag("etl"), count=count, landing=landing, now=NOW)


def test_runs_that_have_ended_are_bars_as_high_as_they_took_with_their_wait_on_top(
    home: Home, filled: FilledHome
) -> None:
    filled.begin("etl", "short", *works("start"), DONE)
    filled.begin("etl", "long", *works("start"), *works("end"), FAILED)
    filled.begin("etl", "open", *works("start"))
    found = chart(home)
    assert [bar.run.run_id for bar in found.bars] == ["short", "long"]
    assert found.bars[1].size == pytest.approx(2 * found.bars[0].size)
    assert found.bars[0].queued == pytest.approx(found.bars[0].size / 3)  # a second before, three at work
    assert all(bar.size + bar.queued <= HEIGHT for bar in found.bars)
    assert [(level.name, level.seconds) for level in found.levels] == [("median", 4.5), ("p95", 5.85)]
    assert (found.failed, len(chart(home, count=1).bars)) == (1, 1)
    assert [bar.title for bar in chart(home, landing=True).bars] == [
        "short · success · had landed after 4s",
        "long · failed · had landed after 7s",
    ]


def test_tasks_are_told_by_their_share_and_who_got_slower_is_marked(home: Home, filled: FilledHome) -> None:
    slow = [ActivityScheduled(task_id="end"), ActivityStarted(task_id="end"), *works("start")]
    for number in range(8):
        events = [*works("start"), *works("end")] if number < 4 else [*slow, ActivityCompleted(task_id="end")]
        filled.begin("etl", f"run_{number}", *events, DONE)
    lines = chart(home).tasks
    assert [(line.time.task_id, line.time.runs, line.is_slower) for line in lines] == [
        ("end", 8, True),
        ("start", 8, False),
    ]
    assert (lines[0].change, lines[1].change) == (3.0, 0.0)
    assert sum(line.share for line in lines) == pytest.approx(1)
    assert len(lines[0].points.split()) == 8
    assert chart(home, count=4).tasks[0].change is None


def test_a_dag_without_runs_says_so(home: Home, browser: Browser) -> None:
    client = browser("viewer")
    assert "No run has ended yet" in client.get("/dags/etl/durations").text
    assert client.get("/dags/etl/calendar").status_code == 200


def test_the_pages_of_time_show_what_there_is(home: Home, filled: FilledHome, browser: Browser) -> None:
    filled.begin("etl", "one", *works("start"), DONE)
    text = browser("viewer").get("/dags/etl/durations").text
    assert "/dags/etl/runs/one/gantt" in text
    assert re.search(r'/dags/etl/tasks/start">start', text)
    assert " style=" not in text
    answer = browser("viewer").get("/dags/etl/calendar.json?shown=2026")
    assert answer.json()["stretches"][0]["counts"] == {"success": 1}
    again = browser("viewer").get(
        "/dags/etl/calendar.json?shown=2026", headers={"if-none-match": answer.headers["etag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("page", ["/calendar", "/calendar.json", "/durations"])
def test_a_foreigner_is_told_what_they_would_be_told_if_it_were_not_there(
    home: Home, browser: Browser, page: str
) -> None:
    there, absent = (browser("foreigner").get(f"/dags/{name}{page}") for name in ("etl", "nil"))
    assert (there.status_code, absent.status_code) == (404, 404)
    assert there.text.replace("etl", "nil") == absent.text
