"""What every request goes through: who asks, what may be answered, and the headers of the answer."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from orchestrator.api.app import MAX_BODY
from orchestrator.api.asked import Asked
from orchestrator.api.safety import HEADERS
from orchestrator.exceptions import ConflictError, UsageError

Client = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def routes(app: FastAPI) -> None:
    """Some that do what routes do."""

    @app.get("/dag/{dag_id}")
    def dag(home: Asked, dag_id: str) -> int:
        return home.reads.dag(dag_id).task_count

    @app.post("/pause/{dag_id}")
    def pause(home: Asked, dag_id: str) -> bool:
        return home.records.set_paused(dag_id, True, by="")

    @app.post("/number")
    def number(_home: Asked, number: dict[str, int]) -> int:
        return len(number)

    @app.get("/error/{name}")
    def error(name: str) -> None:
        raise {"conflict": ConflictError("it is so already"), "usage": UsageError("no")}.get(
            name, ValueError("a secret")
        )


def test_nobody_is_told_anything_but_how_to_come_in(as_role: Client) -> None:
    answer = as_role(None).get("/dag/order_1001")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "sign in" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["Bearer unknown", "Bearer ", "Basic dmlld2VyOg==", "Bearer"])
def test_a_token_that_is_none_is_refused(app: FastAPI, header: str) -> None:
    with TestClient(app, headers={"Authorization": header}) as client:
        assert client.get("/dag/order_1001").status_code == 401


def test_what_is_forbidden_answers_as_what_is_absent(as_role: Client) -> None:
    foreigner = as_role("foreigner")
    there, absent = foreigner.get("/dag/order_1001"), foreigner.get("/dag/order_9999")
    assert (there.status_code, absent.status_code) == (404, 404)
    assert there.json()["detail"].replace("1001", "") == absent.json()["detail"].replace("9999", "")


def test_a_viewer_sees_a_dag_and_may_not_change_it(as_role: Client) -> None:
    viewer = as_role("viewer")
    assert viewer.get("/dag/order_1001").json() == 4
    assert viewer.post("/pause/order_1001").status_code == 403
    assert as_role("operator").post("/pause/order_1001").json() is True


def test_a_browser_changes_nothing_for_another_site(browser: Client) -> None:
    assert browser("operator").post("/pause/order_1001").status_code == 200
    for csrf in ("", "guessed", "ünï"):
        assert browser("operator", csrf=csrf.encode()).post("/pause/order_1001").status_code == 403
    assert browser("operator", csrf="").get("/dag/order_1001").status_code == 200


@pytest.mark.parametrize(("name", "status"), [("conflict", 409), ("usage", 400), ("other", 500)])
def test_every_error_is_a_problem_of_one_sentence(as_role: Client, name: str, status: int) -> None:
    answer = as_role(None).get(f"/error/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert "secret" not in answer.text


def test_a_field_that_is_wrong_is_named_and_not_repeated(as_role: Client) -> None:
    answer = as_role("viewer").post("/number", json={"one": "hunter2"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "one"]
    assert "hunter2" not in answer.text


def test_a_body_that_is_too_long_is_refused(as_role: Client) -> None:
    answer = as_role("viewer").post("/number", content=b"{" + b" " * MAX_BODY + b"}")
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_body_that_does_not_say_how_long_it_is_is_counted(as_role: Client) -> None:
    pieces = (b" " * 1024 for _ in range(MAX_BODY // 1024 + 1))
    assert as_role("viewer").post("/number", content=pieces).status_code == 413
    as_json = {"content-type": "application/json"}
    assert as_role("viewer").post("/number", content=iter([b'{"one":', b" 1}"]), headers=as_json).json() == 1


@pytest.mark.parametrize("path", ["/dag/order_1001", "/error/other", "/nowhere", "/api/v2/version"])
def test_every_answer_has_the_headers_that_keep_browsers_safe(as_role: Client, path: str) -> None:
    answer = as_role("viewer").get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"


def test_health_is_told_to_everybody(as_role: Client) -> None:
    answer = as_role(None).get("/api/v2/monitor/health").json()
    assert (answer["metadatabase"]["status"], answer["scheduler"]["status"]) == ("healthy", "unhealthy")
