"""The pages of how the parts are, and of files that cannot be read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from orchestrator.storage.database import writing
from orchestrator.storage.signs import Role, Sign, give
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"


def show(filled: FilledHome, role: Role, ago: timedelta, **facts: object) -> None:
    seen = datetime.now(UTC) - ago
    with writing(filled.engine) as connection:
        give(connection, [Sign(role=role, host=HOSTILE, pid=7, started_at=seen, facts=facts)], seen)


@pytest.mark.parametrize("path", ["/", "/health"])
def test_a_part_that_is_silent_is_told_from_one_that_lives(browser: Browser, filled: FilledHome, path: str) -> None:
    browser("viewer").get(path)
    show(filled, Role.EXECUTOR, timedelta(seconds=5), executor=HOSTILE, processes=2, attempts=1)
    show(filled, Role.DAG_PROCESSOR, timedelta(minutes=5))
    text = browser("viewer").get(path).text
    assert "<script>alert" not in text
    assert (text.count("is alive"), text.count("is silent"), text.count("was never here")) == (1, 1, 2)
    assert "2 processes, 1 attempt in hand" in text


@pytest.mark.parametrize("facts", [{}, {"processes": "many"}, {"triggers": None}, {"slowest_turn_ms": []}])
def test_what_a_part_of_another_version_says_breaks_nothing(
    browser: Browser, filled: FilledHome, facts: dict[str, object]
) -> None:
    for role in Role:
        show(filled, role, timedelta(0), **facts)
    assert browser().get("/health").status_code == 200


def test_programs_hear_how_the_parts_are(browser: Browser, filled: FilledHome) -> None:
    show(filled, Role.TRIGGERER, timedelta(0))
    show(filled, Role.DAG_PROCESSOR, timedelta(minutes=5))
    found = browser(None).get("/api/v2/monitor/health").json()
    assert {name: part["status"] for name, part in found.items()} == {
        "metadatabase": "healthy",
        "scheduler": "unhealthy",
        "triggerer": "healthy",
        "dag_processor": "unhealthy",
        "executor": "unhealthy",
    }
    jobs = browser("viewer").get("/api/v2/jobs?order_by=-latest_heartbeat").json()
    assert [(job["job_type"], job["state"]) for job in jobs["jobs"]] == [
        ("TriggererJob", "running"),
        ("DagProcessorJob", "failed"),
    ]
    assert browser("viewer").get("/api/v2/jobs?is_alive=true").json()["total_entries"] == 1
    assert browser(None).get("/api/v2/jobs", headers={"accept": "*/*"}).status_code == 401


def test_files_that_cannot_be_read_are_told_with_their_place_and_traceback(
    browser: Browser, filled: FilledHome
) -> None:
    assert "All files can be read" in browser("viewer").get("/import-errors").text
    filled.break_file("late.py", HOSTILE, 4, f"late.py:4: {HOSTILE}")
    text = browser("viewer").get("/import-errors").text
    assert "late.py:4" in text
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;") == 2
