"""The list of DAGs, and switching them on and off."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.core.events import RunEnded
from orchestrator.core.rights import LOCAL
from orchestrator.core.spec import Cron
from orchestrator.names import RunState
from orchestrator.web.views.dag_list import PER_PAGE, DagList, Wanted, dag_list
from orchestrator.web.views.dues import late_dags
from tests.api.conftest import PRINCIPALS
from tests.cli.homes import FilledHome, order

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Browser = Callable[..., TestClient]


@pytest.fixture
def home(site: object, filled: FilledHome) -> Home:
    filled.add_dag(
        order(dag_id="mails", file="mails.py", tags=("mail", "daily"), owner="ops", description="Sends <b>mails</b>")
    )
    filled.add_dag(order(dag_id="zoo", file="zoo.py", tags=("daily",), display_name="The zoo"))
    filled.begin("mails", "one", RunEnded(state=RunState.SUCCESS))
    filled.begin("mails", "two", RunEnded(state=RunState.FAILED))
    filled.begin("zoo", "three")
    found: Home = site.state.home  # type: ignore[attr-defined]
    return found


def names(found: DagList) -> list[str]:
    return [line.dag.dag_id for line in found.lines]


def test_dags_are_found_by_words_tag_owner_switch_and_last_run(home: Home) -> None:
    home.records.set_paused("zoo", True, by="")
    for wanted, expected in [
        (Wanted(), ["mails", "order_1001", "zoo"]),
        (Wanted(q="MAIL sends"), ["mails"]),
        (Wanted(q="the zoo"), ["zoo"]),
        (Wanted(tag="daily"), ["mails", "zoo"]),
        (Wanted(owner="ops"), ["mails"]),
        (Wanted(on="paused"), ["zoo"]),
        (Wanted(on="active", tag="daily"), ["mails"]),
        (Wanted(last="failed"), ["mails"]),
        (Wanted(last="running"), ["zoo"]),
        (Wanted(sort="last"), ["zoo", "mails", "order_1001"]),
        (Wanted(down=True), ["zoo", "order_1001", "mails"]),
        (Wanted(q="nothing like that"), []),
    ]:
        assert names(dag_list(home, wanted, NOW)) == expected, wanted


def test_the_counts_are_of_what_fits_the_words(home: Home) -> None:
    assert dag_list(home, Wanted(tag="daily", last="failed"), NOW).counts == {
        "all": 2,
        "active": 2,
        "failed": 1,
        "running": 1,
    }


def test_a_page_beyond_the_last_is_the_last(home: Home, filled: FilledHome) -> None:
    for number in range(PER_PAGE):
        filled.add_dag(order(dag_id=f"many_{number:03}", file=f"{number}.py"))
    found = dag_list(home, Wanted(page=99), NOW)
    assert (found.pages, found.wanted.page, len(found.lines), found.total) == (2, 2, 3, PER_PAGE + 3)


def test_the_bars_are_the_last_runs_as_high_as_they_were_long(home: Home) -> None:
    (line,) = dag_list(home, Wanted(q="mails"), NOW).lines
    assert [(bar.run_id, bar.state) for bar in line.bars] == [("one", "success"), ("two", "failed")]
    assert line.last is line.bars[-1]
    assert all(1 <= bar.size <= 10 for bar in line.bars)


def test_a_list_costs_the_same_whatever_the_number_of_runs(home: Home, filled: FilledHome, queries: list[str]) -> None:
    dag_list(home, Wanted(), NOW)
    before = len(queries)
    for number in range(5):
        filled.add_dag(order(dag_id=f"more_{number}", file=f"{number}.py"))
        filled.begin(f"more_{number}", f"run_{number}")
    queries.clear()
    dag_list(home, Wanted(), NOW)
    assert len(queries) == before


def test_a_foreigner_finds_nothing_not_even_counts(home: Home) -> None:
    found = dag_list(home.seen_by(PRINCIPALS["foreigner"]), Wanted(), NOW)
    assert (found.lines, found.counts, found.tags, found.owners) == ([], {"all": 0}, [], [])


def test_a_dag_that_was_due_and_has_no_run_is_late(home: Home, filled: FilledHome) -> None:
    filled.add_dag(order(dag_id="hourly", file="hourly.py", schedule=Cron(expression="0 * * * *")))
    soon = datetime.now(UTC)
    assert late_dags(home, soon) == []
    (late,) = late_dags(home, soon + timedelta(hours=2))
    assert late.dag.dag_id == "hourly"
    home.records.set_paused("hourly", True, by="")
    assert late_dags(home, soon + timedelta(hours=2)) == []


def test_what_people_wrote_is_shown_as_text(home: Home, browser: Browser) -> None:
    answer = browser().get("/dags?q=mails")
    assert answer.status_code == 200
    assert "Sends &lt;b&gt;mails&lt;/b&gt;" in answer.text


def test_an_empty_home_says_how_to_begin(browser: Browser, filled: FilledHome) -> None:
    filled.remove_file("order_1001.py")
    text = browser().get("/dags").text
    assert "No DAGs yet" in text
    assert str(filled.folder) in text


def test_an_operator_switches_a_dag_off_and_on_and_a_viewer_does_not(browser: Browser, home: Home) -> None:
    answer = browser("operator").post("/dags/zoo/pause")
    assert (answer.status_code, answer.headers["x-say"]) == (
        204,
        "zoo%20is%20off%3A%20its%20schedule%20starts%20nothing.",
    )
    assert home.seen_by(LOCAL).reads.dag("zoo").is_paused
    assert browser("viewer").post("/dags/zoo/unpause", headers={"x-fragment": "1"}).status_code == 403
    assert browser("foreigner").post("/dags/zoo/unpause", headers={"x-fragment": "1"}).status_code == 404
    assert browser("operator").post("/dags/zoo/unpause").status_code == 204
    assert not home.seen_by(LOCAL).reads.dag("zoo").is_paused


@pytest.mark.parametrize("query", ["page=0", "page=x", "q=" + "x" * 300, "down=maybe", "sort=%00", "last=%3Cscript%3E"])
def test_a_bad_address_is_answered_and_breaks_nothing(home: Home, browser: Browser, query: str) -> None:
    answer = browser().get(f"/dags?{query}")
    assert answer.status_code in (200, 400, 422)
    assert "<script>" not in answer.text
