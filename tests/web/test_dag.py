"""The pages of a DAG: grid, runs, code and details."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    RunEnded,
    TaskExpanded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.spec import Cron, DagSpec, GroupSpec, TaskSpec, fingerprint, mapping_over
from orchestrator.names import RunState
from orchestrator.ports import ParsedDag, ParsedFile
from orchestrator.web.coloured import coloured_lines
from orchestrator.web.prose import prose
from orchestrator.web.views.dag_code import dag_code, diffs
from orchestrator.web.views.grid import GRAVITY, STATES, grid, rows_of
from tests.cli.homes import FilledHome, order

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
SPEC = DagSpec(
    dag_id="etl",
    file="etl.py",
    line=2,
    description=HOSTILE,
    doc_md=f"# Title\n\n{HOSTILE} [x](javascript:alert(1)) ![p](https://elsewhere.example/p.png)",
    owner=HOSTILE,
    tags=("<b>", "daily"),
    display_name=f"ETL {HOSTILE}",
    params={"p": HOSTILE},
    param_schemas={"p": {"type": "string", "description": HOSTILE, "title": HOSTILE, "section": HOSTILE}},
    tasks=(
        TaskSpec(task_id="start"),
        TaskSpec(task_id="g.a", upstream=("start",), group="g"),
        TaskSpec(task_id="g.deep.b", upstream=("start",), group="g.deep"),
        TaskSpec(task_id="each", upstream=("g.a",), mapping=mapping_over("g.a")),
        TaskSpec(task_id="g.c", upstream=("each",), group="g", display_name=HOSTILE),
    ),
    groups=(GroupSpec(group_id="g", tooltip=HOSTILE), GroupSpec(group_id="g.deep", parent="g")),
)


def works(task_id: str, map_index: int = -1) -> list[Any]:
    place = {"task_id": task_id, "map_index": map_index}
    return [ActivityScheduled(**place), ActivityStarted(**place), ActivityCompleted(**place, length=2)]


def record(filled: FilledHome, number: int, source: str) -> None:
    dag = ParsedDag(spec=SPEC, fingerprint=fingerprint(SPEC), code_fingerprint=f"code{number}")
    files = {"dags/etl.py": source.encode(), "dags/shared.py": b"X = 1\n"}
    filled.record(ParsedFile(file="etl.py", digest=str(number), dags=(dag,), files=files))


@pytest.fixture
def home(site: object, filled: FilledHome) -> Home:
    record(filled, 1, "import x\nretries = 1\n")
    record(filled, 2, f"import x\nretries = 2  # {HOSTILE}\n")
    filled.begin("etl", "one", *works("start"), *works("g.a"), RunEnded(state=RunState.SUCCESS))
    place = {"task_id": "each", "map_index": 1}
    filled.begin(
        "etl",
        "two",
        *works("start"),
        *works("g.a"),
        TaskExpanded(task_id="each", shape=(2,)),
        *works("each", 0),
        ActivityScheduled(**place),
        ActivityStarted(**place),
        ActivityFailed(**place, failure=Failure(message=HOSTILE)),
    )
    found: Home = site.state.home  # type: ignore[attr-defined]
    return found


def test_tasks_stand_in_their_groups_where_the_first_of_each_is() -> None:
    assert [(row.id, row.label, row.depth, row.parent) for row in rows_of(SPEC)] == [
        ("start", "start", 0, -1),
        ("g", "g", 0, -1),
        ("g.a", "a", 1, 1),
        ("g.deep", "deep", 1, 1),
        ("g.deep.b", "b", 2, 3),
        ("g.c", HOSTILE, 1, 1),
        ("each", "each", 0, -1),
    ]


def test_the_grid_tells_each_tasks_state_in_each_run_and_the_gravest_of_a_mapped_one(home: Home) -> None:
    found = grid(home, "etl", NOW)
    assert [column.run_id for column in found.columns] == ["one", "two"]
    states = [[STATES[int(digit, 16)] for digit in cells.states] for cells in found.cells]
    assert states[0] == ["success", "none", "success", "none", "none", "none", "none"]
    assert states[1] == ["success", "none", "success", "none", "none", "none", "failed"]
    assert found.cells[1].counts == {6: {"success": 1, "failed": 1}}
    assert found.cells[0].seconds[0] == 1.0
    assert found.older is None
    assert grid(home, "etl", NOW, count=1).older is not None


def test_every_state_has_its_place_and_its_gravity() -> None:
    assert set(GRAVITY) == set(STATES)
    assert len(STATES) <= 16


def test_the_grid_asks_the_same_number_of_questions_for_many_runs(
    home: Home, filled: FilledHome, queries: list[str]
) -> None:
    queries.clear()
    grid(home, "etl", NOW)
    before = len(queries)
    for number in range(20):
        filled.begin("etl", f"more_{number}", *works("start"))
    queries.clear()
    assert len(grid(home, "etl", NOW).columns) == 22
    assert len(queries) == before


def test_a_grid_that_has_not_changed_is_not_sent_again(home: Home, browser: Browser, filled: FilledHome) -> None:
    client = browser("viewer")
    first = client.get("/dags/etl/grid.json")
    tag = {"if-none-match": first.headers["etag"]}
    filled.go_on("two", RunEnded(state=RunState.FAILED))
    assert client.get("/dags/etl/grid.json", headers=tag).status_code == 200
    done = client.get("/dags/etl/grid.json")
    again = client.get("/dags/etl/grid.json", headers={"if-none-match": done.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_runs_are_filtered_by_state_type_and_date(home: Home, browser: Browser) -> None:
    client = browser("viewer")
    for query, expected in [
        ("", {"one", "two"}),
        ("state=success", {"one"}),
        ("state=running", {"two"}),
        ("type=manual", {"one", "two"}),
        ("type=scheduled", set()),
        ("since=2026-01-31&until=2026-01-31", {"one", "two"}),
        ("since=2026-02-01", set()),
        ("until=2026-01-30", set()),
        ("before=1", set()),
        ("state=nonsense&since=yesterday", {"one", "two"}),
    ]:
        text = client.get(f"/dags/etl/runs?{query}").text
        assert {name for name in ("one", "two") if f"/dags/etl/runs/{name}" in text} == expected, query


def test_the_code_of_a_version_is_shown_and_what_changed_since_another(home: Home) -> None:
    newest = dag_code(home, "etl", None, None, "")
    assert (newest.version.number, newest.file, newest.line) == (2, "dags/etl.py", 2)
    assert newest.files == ["dags/etl.py", "dags/shared.py"]
    (diff,) = dag_code(home, "etl", 2, 1, "").diffs
    assert [(line.kind, line.old, line.new) for line in diff.lines] == [
        ("same", 1, 1),
        ("removed", 2, None),
        ("added", None, 2),
        ("same", 3, 3),
    ]


def test_equal_parts_between_changes_are_left_out_of_a_diff() -> None:
    old = "\n".join(map(str, range(100)))
    (diff,) = diffs({"a": old}, {"a": old.replace("50", "fifty")})
    assert [line.kind for line in diff.lines] == ["skipped", *["same"] * 3, "removed", "added", *["same"] * 3]


@pytest.mark.parametrize("query", ["version=9", "version=1&against=7", "file=../../etc/passwd"])
def test_a_version_or_a_file_that_is_not_there_is_told(home: Home, browser: Browser, query: str) -> None:
    assert browser().get(f"/dags/etl/code?{query}").status_code == 404


def test_coloured_code_is_the_code_and_nothing_in_it_is_a_tag() -> None:
    source = 'def f(x):\n    """<b>"""\n    return "</span><script>" + x\n'
    lines = coloured_lines(source, "a.py")
    assert len(lines) == len(source.split("\n"))
    assert '<span class="k">def</span>' in lines[0]
    assert [html.unescape(line.striptags()) for line in lines[:1]] == ["def f(x):"]
    assert html.unescape(re.sub("<[^>]+>", "", "\n".join(lines))) == source
    assert "<script>" not in "".join(lines)
    assert coloured_lines("a < b", "unknown.xyz") == ("a &lt; b",)


def test_prose_keeps_tags_as_text_and_makes_no_links_to_scripts() -> None:
    text = prose(SPEC.doc_md or "")
    assert "<h1>Title</h1>" in text
    assert "<script" not in text
    assert "<img" not in text
    assert 'href="javascript' not in text


@pytest.mark.parametrize("page", ["", "/runs", "/code", "/code?version=2&against=1", "/details", "/trigger"])
def test_what_people_wrote_is_text_on_every_page(home: Home, browser: Browser, page: str) -> None:
    answer = browser().get(f"/dags/etl{page}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<b>" not in answer.text.replace("<b>admin</b>", "")


@pytest.mark.parametrize("page", ["", "/grid.json", "/runs", "/code", "/details", "/trigger"])
def test_a_foreigner_is_told_what_they_would_be_told_if_it_were_not_there(
    home: Home, browser: Browser, page: str
) -> None:
    there, absent = (browser("foreigner").get(f"/dags/{name}{page}") for name in ("etl", "nil"))
    assert (there.status_code, absent.status_code) == (404, 404)
    assert there.text.replace("etl", "nil") == absent.text


def test_a_viewer_sees_no_button_that_would_be_refused(home: Home, browser: Browser) -> None:
    viewer, operator = (browser(name).get("/dags/etl").text for name in ("viewer", "operator"))
    assert "Trigger</a>" not in viewer
    assert "disabled" in viewer
    assert "Trigger</a>" in operator


@pytest.mark.parametrize("query", ["count=0", "count=x", "count=1000000", "before=0", "before=9" * 30])
def test_a_bad_number_is_refused(home: Home, browser: Browser, query: str) -> None:
    assert browser().get(f"/dags/etl?{query}").status_code == 422


def test_when_the_schedule_wants_a_dag_next_is_told(browser: Browser, filled: FilledHome) -> None:
    daily = order(dag_id="daily", schedule=Cron(expression="30 6 * * *"), schedule_text="30 6 * * *")
    filled.add_dag(daily)
    text = browser("viewer").get("/dags/daily/details").text
    due = re.findall(r'datetime="(\d{4}-\d\d-\d\d)T06:30:00Z"', text.split("Next by its schedule")[1])
    assert len(due) == 5
    assert due == sorted(set(due))
    assert "Next by its schedule" not in browser("viewer").get("/dags/order_1001/details").text
