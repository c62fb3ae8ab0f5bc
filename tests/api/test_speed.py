"""What keeps lists fast however many runs there are: how often the database is asked, and that it sorts nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from orchestrator.core.events import RunStarted
from tests.cli.homes import FilledHome


@pytest.mark.parametrize("field", ["-start_date", "-logical_date", "-end_date", "-id"])
def test_the_newest_runs_of_all_dags_are_read_in_the_order_of_an_index(
    as_role: Callable[..., TestClient], filled: FilledHome, field: str
) -> None:
    for number in range(5):
        filled.begin("order_1001", f"run_{number}", RunStarted())
    assert as_role("admin").get("/api/v2/dags/~/dagRuns?dag_version=1").json()["total_entries"] == 5
    assert as_role("admin").get("/api/v2/dags/~/dagRuns?dag_version=2").json()["total_entries"] == 0
    asked: list[tuple[str, Any]] = []
    event.listen(filled.engine, "before_cursor_execute", lambda *all_of_it: asked.append(all_of_it[2:4]))
    answer = as_role("admin").get("/api/v2/dags/~/dagRuns", params={"order_by": field})
    assert answer.json()["total_entries"] == 5
    (page,) = [query for query in asked if "ORDER BY" in query[0] and "LIMIT" in query[0] and "FROM runs" in query[0]]
    with filled.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page[0]}", page[1]).all()
    assert "TEMP B-TREE" not in str(plan)


def test_a_page_of_many_runs_asks_no_more_than_one_of_few(
    as_role: Callable[..., TestClient], filled: FilledHome
) -> None:
    asked: list[str] = []
    event.listen(filled.engine, "before_cursor_execute", lambda *all_of_it: asked.append(all_of_it[2]))
    counts = []
    for number in range(8):
        filled.begin("order_1001", f"run_{number}", RunStarted())
        asked.clear()
        as_role("admin").get("/api/v2/dags/~/dagRuns")
        counts.append(len(asked))
    assert counts[0] == counts[-1] < 8
