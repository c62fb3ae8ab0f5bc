"""What all pages have in common: who may see them, what they load, and what errors look like."""

import contextlib
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from orchestrator.api.safety import HEADERS
from orchestrator.api.turnstile import AT_ONCE
from orchestrator.web.coming_in import local_path
from orchestrator.web.statics import KEPT_FOR_GOOD
from tests.web.conftest import KnownDoor

Browser = Callable[..., TestClient]
PAGES = [
    "/",
    "/dags",
    "/dags/order_1001",
    "/dags/order_1001/runs",
    "/dags/order_1001/code",
    "/dags/order_1001/details",
    "/pools",
    "/pools/edit",
    "/variables",
    "/variables/edit",
    "/variables/import",
    "/connections",
    "/connections/edit",
    "/health",
    "/config",
    "/audit",
    "/plugins",
    "/import-errors",
    "/users",
    "/users/new",
    "/tokens",
    "/tokens/new",
    "/account/password",
    "/dags/order_1001/trigger",
]


@pytest.mark.parametrize("path", PAGES)
def test_who_has_not_signed_in_is_sent_to_the_form_and_comes_back(browser: Browser, path: str) -> None:
    answer = browser(None).get(f"{path}?q=a b")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={path}%3Fq%3Da%2520b"


def test_a_program_that_has_not_signed_in_gets_a_problem(browser: Browser) -> None:
    answer = browser(None).get("/", headers={"accept": "*/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


def test_who_signs_in_goes_on_to_where_they_were_going(browser: Browser) -> None:
    fields = {"name": "viewer", "password": "viewer", "next": "/dags/x?tab=1"}
    answer = browser(None).post("/sign-in", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dags/x?tab=1")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("orchestrator_session=viewer;")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


def test_a_wrong_password_is_told_beside_the_form_and_not_repeated(browser: Browser) -> None:
    answer = browser(None).post("/sign-in", data={"name": "viewer<b>", "password": "hunter2"})
    assert answer.status_code == 401
    assert "The name or the password is wrong" in answer.text
    assert 'value="viewer&lt;b&gt;"' in answer.text
    assert "hunter2" not in answer.text


def test_who_tries_too_often_is_told_when_to_try_again(browser: Browser) -> None:
    answer = browser(None).post("/sign-in", data={"name": "hasty", "password": "x"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert "Too many attempts" in answer.text


def test_a_flood_of_sign_ins_is_sent_away_before_it_costs_anything(browser: Browser, door: KnownDoor) -> None:
    client = browser(None)
    turnstile = client.app.state.turnstile  # type: ignore[attr-defined]
    with contextlib.ExitStack() as crowd:
        for number in range(AT_ONCE):
            crowd.enter_context(turnstile.passed(f"address:{number}"))
        answer = client.post("/sign-in", data={"name": "viewer", "password": "viewer"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
        assert "many are signing in" in answer.text
        assert client.get("/auth/oidc/begin").status_code == 429
        assert client.get("/sign-in").status_code == 200
    assert client.post("/sign-in", data={"name": "viewer", "password": "viewer"}).status_code == 303


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}]
)
def test_another_site_signs_nobody_in(browser: Browser, headers: dict[str, str]) -> None:
    answer = browser(None).post("/sign-in", data={"name": "viewer", "password": "viewer"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "x", "/\t/x"]
)
def test_nobody_is_sent_to_another_site(path: str) -> None:
    assert local_path(path) == "/"


def test_signing_out_ends_the_session_and_takes_the_cookie_away(browser: Browser, door: KnownDoor) -> None:
    answer = browser("viewer").post("/sign-out")
    assert (answer.status_code, answer.headers["x-go-to"], door.out) == (204, "/sign-in", ["viewer"])
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_another_site_signs_nobody_out(browser: Browser, door: KnownDoor) -> None:
    assert browser("viewer", csrf="guessed").post("/sign-out").status_code == 403
    assert door.out == []


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/nothing"])
def test_pages_are_kept_nowhere_and_load_nothing_from_elsewhere(browser: Browser, path: str) -> None:
    answer = browser(None if path == "/sign-in" else "admin").get(path)
    assert answer.status_code == (404 if path == "/nothing" else 200)
    assert answer.headers["cache-control"] == "no-store"
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?! [^>]*src=)", answer.text)


def test_what_pages_load_is_there_and_kept_for_good(browser: Browser) -> None:
    client = browser()
    loaded = re.findall(r"\"(/static/[^\"]+)\"", client.get("/").text)
    assert len(loaded) > 5
    for path in loaded:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, KEPT_FOR_GOOD["Cache-Control"])


def test_modules_import_modules_that_are_there(browser: Browser) -> None:
    client = browser()
    (main,) = re.findall(r"\"(/static/[^\"]+/main.js)\"", client.get("/").text)
    seen: set[str] = set()
    wanted = {main}
    while wanted - seen:
        path = (wanted - seen).pop()
        seen.add(path)
        text = client.get(path).text
        wanted |= {f"{path.rpartition('/')[0]}/{name}" for name in re.findall(r"from \"\./([^\"]+)\"", text)}
    assert {client.get(path).status_code for path in seen} == {200}


def test_a_file_under_an_address_of_yesterday_is_sent_but_not_kept(browser: Browser) -> None:
    answer = browser(None).get("/static/0000/js/main.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert browser(None).get("/static/0000/../../site.py").status_code == 404


def test_an_unknown_page_is_told_as_a_page_to_people_and_as_a_problem_to_programs(browser: Browser) -> None:
    page = browser().get("/nothing/<b>here")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<b>here" not in page.text
    assert browser().get("/nothing", headers={"x-fragment": "1"}).json()["status"] == 404
    assert browser().get("/api/v2/nothing").headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_is_told_without_what_went_on_inside(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a secret")

    monkeypatch.setattr("orchestrator.web.routes.home.overview", fail)
    answer = browser().get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "secret" not in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_a_fragment_is_the_page_without_what_stands_around_it(browser: Browser) -> None:
    whole, part = browser().get("/").text, browser().get("/", headers={"x-fragment": "1"}).text
    assert 'id="overview"' in whole
    assert 'id="overview"' in part
    assert "<nav" in whole
    assert "<html" not in part


def test_the_position_changes_with_what_happens(browser: Browser) -> None:
    client = browser("operator")
    before = client.get("/live/position").json()
    assert client.get("/live/position").json() == before
    client.app.state.home.records.set_paused("order_1001", True, by="")  # type: ignore[attr-defined]
    assert client.get("/live/position").json() != before
