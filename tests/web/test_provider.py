"""Signing in at a provider: a real one on this machine, in front of the real accounts of a home."""

import base64
import json
from collections.abc import Callable, Iterator

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from orchestrator.api.visitor import COOKIE, CSRF_HEADER
from orchestrator.assembly.accounts import Accounts, make_accounts
from orchestrator.assembly.sign_in import csrf_of
from orchestrator.config import load_config
from orchestrator.web.door import HomeDoor
from tests.accounts.provider import CLIENT, SECRET, SmallProvider, running_provider
from tests.cli.homes import FilledHome

BEGUN = "orchestrator_oidc"
Settle = Callable[..., Accounts]


@pytest.fixture(scope="module")
def server() -> Iterator[SmallProvider]:
    with running_provider() as found:
        yield found


@pytest.fixture
def provider(server: SmallProvider) -> SmallProvider:
    """The same server, which has forgotten what it was told to say."""
    fresh = SmallProvider()
    fresh.issuer = server.issuer
    vars(server).update(vars(fresh))
    return server


@pytest.fixture
def settle(site: FastAPI, filled: FilledHome, provider: SmallProvider) -> Settle:
    """Serve the home with these settings beside those of the provider."""

    def served(**more: str) -> Accounts:
        said = {
            "OIDC__ISSUER": provider.issuer,
            "OIDC__NAME": "Example <ID>",
            "OIDC__CLIENT_ID": CLIENT,
            "OIDC__CLIENT_SECRET": SECRET,
            "OIDC__ROLE_MAPPING": json.dumps({"etl-team": "operator:order_*"}),
        }
        environ = {f"ORCHESTRATOR__{name}": text for name, text in (said | more).items()}
        config = load_config({"ORCHESTRATOR_HOME": str(filled.folder)} | environ, filled.folder)
        site.state.home.config = config
        accounts = make_accounts(config, filled.engine)
        site.state.accounts = HomeDoor(accounts, config)
        return accounts

    return served


def come_back(client: TestClient, provider: SmallProvider, path: str = "/auth/oidc/begin"):
    begun = client.get(path)
    assert begun.status_code == 303, begun.text
    return client.get("/auth/oidc", params=provider.sign_in(begun.headers["location"]))


def test_who_signs_in_at_the_provider_goes_on_to_where_they_were_going(browser, settle, provider) -> None:
    settle()
    client = browser(None)
    form = client.get("/sign-in?next=/dags/order_1001?tab=1").text
    assert "Sign in with Example &lt;ID&gt;" in form
    assert 'href="/auth/oidc/begin?next=%2Fdags%2Forder_1001%3Ftab%3D1"' in form
    answer = come_back(client, provider, "/auth/oidc/begin?next=%2Fdags%2Forder_1001%3Ftab%3D1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dags/order_1001?tab=1")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(answer.headers.get_list("set-cookie")[0].split("; "))
    assert BEGUN not in client.cookies
    page = client.get("/dags/order_1001")
    assert page.status_code == 200
    assert "ada" in page.text


def test_without_a_provider_there_is_no_button_and_no_way(browser) -> None:
    assert "/auth/oidc" not in browser(None).get("/sign-in").text
    for path in ("/auth/oidc", "/auth/oidc/begin"):
        assert browser(None).get(path).status_code == 404


def test_whoever_signs_out_is_out(browser, settle, provider) -> None:
    settle()
    client = browser(None)
    come_back(client, provider)
    secret = client.cookies[COOKIE]
    assert client.post("/sign-out", headers={CSRF_HEADER: csrf_of(secret)}).status_code == 204
    assert browser(secret).get("/dags").headers["location"].startswith("/sign-in")


def test_what_keeps_somebody_out_is_one_sentence_beside_the_ways_in(browser, settle, provider) -> None:
    settle()
    provider.claims["groups"] = ["others"]
    answer = come_back(browser(None), provider)
    assert answer.status_code == 401
    assert "None of your groups has a role here" in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "").split("=")[0]
    refused = {"error": "access_denied", "error_description": "<script>no</script>"}
    client = browser(None)
    begun = provider.sign_in(client.get("/auth/oidc/begin").headers["location"])
    answer = client.get("/auth/oidc", params=refused | {"state": begun["state"]})
    assert "The provider lets nobody in: &lt;script&gt;no" in answer.text


def test_an_answer_that_this_browser_has_not_asked_for_lets_nobody_in(browser, settle, provider) -> None:
    """An attacker's answer, and one that is used twice."""
    settle()
    theirs = provider.sign_in(browser(None).get("/auth/oidc/begin").headers["location"])
    victim = browser(None)
    assert "has not begun to sign in" in victim.get("/auth/oidc", params=theirs).text
    victim.get("/auth/oidc/begin")
    assert "This is not the answer that was asked for" in victim.get("/auth/oidc", params=theirs).text
    assert COOKIE not in victim.cookies
    client = browser(None)
    answer = provider.sign_in(client.get("/auth/oidc/begin").headers["location"])
    assert client.get("/auth/oidc", params=answer).status_code == 303
    assert client.get("/auth/oidc", params=answer).status_code == 401


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil"])
def test_nobody_is_sent_to_another_site_afterwards(browser, settle, provider, elsewhere: str) -> None:
    settle()
    client = browser(None)
    begun = client.get("/auth/oidc/begin", params={"next": elsewhere})
    answer = client.get("/auth/oidc", params=provider.sign_in(begun.headers["location"]))
    assert answer.headers["location"] == "/"


def test_a_session_of_before_ends_when_another_begins(browser, settle, provider) -> None:
    settle()
    client = browser(None)
    come_back(client, provider)
    first = client.cookies[COOKIE]
    come_back(client, provider)
    second = client.cookies[COOKIE]
    assert first != second
    assert [browser(secret).get("/dags").status_code for secret in (first, second)] == [303, 200]


def test_the_provider_is_told_the_address_that_people_write(browser, settle, provider) -> None:
    settle(API__BASE_URL="https://flows.example.com/")
    client = browser(None)
    begun = client.get("/auth/oidc/begin", headers={"host": "flows.example.com"})
    assert "redirect_uri=https%3A%2F%2Fflows.example.com%2Fauth%2Foidc&" in begun.headers["location"]
    assert "Secure" in begun.headers["set-cookie"].split("; ")


def test_nothing_of_what_a_browser_keeps_can_be_read_in_it(browser, settle, provider) -> None:
    settle()
    client = browser(None)
    asked = client.get("/auth/oidc/begin?next=/secret-place").headers["location"]
    kept = client.cookies[BEGUN].strip('"')
    unpacked = kept.encode() + base64.urlsafe_b64decode(kept + "==")
    provider.sign_in(asked)
    for secret in (provider.codes["c0de"]["state"], provider.codes["c0de"]["nonce"], "secret-place"):
        assert secret.encode() not in unpacked


def test_a_provider_that_is_away_is_told_and_passwords_still_let_in(browser, settle, provider) -> None:
    accounts = settle(OIDC__ISSUER="http://127.0.0.1:1")
    answer = browser(None).get("/auth/oidc/begin")
    assert answer.status_code == 502
    assert "The provider http://127.0.0.1:1 does not answer" in answer.text
    assert 'name="password"' in answer.text
    assert accounts.users() == []


def test_settings_that_make_no_sense_are_told_to_the_log_and_not_to_strangers(browser, settle, caplog) -> None:
    settle(OIDC__ROLE_MAPPING='{"the-secret-group": "emperor"}')
    answer = browser(None).get("/auth/oidc/begin")
    assert "the server&#39;s log says why" in answer.text
    assert "secret-group" not in answer.text
    assert "'emperor' is no role" in caplog.text


def test_a_name_that_is_taken_here_stays_whose_it_is(browser, settle, provider) -> None:
    accounts = settle()
    accounts.create_user("ada", "correct horse battery", [], by="cli:bob")
    answer = come_back(browser(None), provider)
    assert answer.status_code == 401
    assert "that is not this provider&#39;s" in answer.text


def test_the_document_of_the_api_does_not_name_the_ways_of_browsers(browser) -> None:
    found = msgspec.json.decode(browser("viewer").get("/api/v2/openapi.json").content)
    assert not [path for path in found["paths"] if "auth" in path]
