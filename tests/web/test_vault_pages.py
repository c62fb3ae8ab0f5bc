"""The pages of pools, variables and connections: what they show, what they never show, and what they change."""

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.assembly.vault import vault_of
from orchestrator.authoring.connection import Connection
from orchestrator.config import load_config
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
HOSTILE = "<script>alert(1)</script>"
PLANTED = "planted-5ecret"
ODD = ["a/b/../c", "ключ 🗝", "?&=#%2f", HOSTILE, "k" * 250]


@pytest.fixture
def home(site: object, filled: FilledHome) -> Home:
    return Home(load_config({"ORCHESTRATOR_HOME": str(filled.folder)}, filled.folder), filled.engine)


def plant(home: Home) -> None:
    vault = vault_of(home, by="cli:me")
    vault.variables.set("api_token", PLANTED, by="")
    vault.variables.set("settings", json.dumps({"url": "x", "db": {"password": PLANTED}}), by="")
    vault.variables.set("dsn", f"postgresql://etl:{PLANTED}@db/sales", by="")
    extra = {"timeout": 10, "private_key": PLANTED, "proxies": {"http": f"http://me:{PLANTED}@proxy"}}
    vault.connections.add(
        Connection("warehouse", conn_type="postgres", host="db", password=PLANTED, extra=json.dumps(extra)), by=""
    )


def test_a_planted_secret_is_on_no_page_and_in_no_answer(browser: Browser, home: Home) -> None:
    plant(home)
    client = browser("admin")
    paths = ["/variables", "/variables/export", "/connections", "/connections/edit?conn_id=warehouse"]
    paths += [f"/variables/edit?key={key}" for key in ("api_token", "settings", "dsn")]
    paths += ["/api/v2/variables", "/api/v2/connections", "/api/v2/connections/warehouse", "/api/v2/eventLogs"]
    paths += [f"/api/v2/variables/{key}" for key in ("api_token", "settings", "dsn")]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert PLANTED not in answer.text, path


def test_a_secret_variable_is_replaced_without_being_shown_and_stays_where_nothing_is_written(
    browser: Browser, home: Home
) -> None:
    plant(home)
    client, store = browser("operator"), vault_of(home).variables
    client.post("/variables/edit", data={"key": "api_token", "value": "", "description": "of the shop"})
    kept = store.get("api_token")
    assert (kept.value, kept.description) == (PLANTED, "of the shop") if kept else False
    assert client.post("/variables/edit", data={"key": "api_token", "value": "another"}).status_code == 204
    assert store.get("api_token").value == "another"  # type: ignore[union-attr]


def test_json_that_is_only_laid_out_for_people_stays_as_it_was(browser: Browser, home: Home) -> None:
    store = vault_of(home).variables
    store.set("limits", '{"rows":1000}', by="")
    page = browser("operator").get("/variables/edit?key=limits").text
    assert "{\n  &#34;rows&#34;: 1000\n}" in page
    fields = {"key": "limits", "value": '{\r\n  "rows": 1000\r\n}', "description": "changed"}
    assert browser("operator").post("/variables/edit", data=fields).status_code == 204
    assert store.get("limits").value == '{"rows":1000}'  # type: ignore[union-attr]


@pytest.mark.parametrize("key", ODD)
def test_a_variable_of_any_name_is_made_shown_changed_and_deleted(browser: Browser, home: Home, key: str) -> None:
    client = browser("operator")
    made = client.post("/variables/edit", data={"is_new": "true", "key": key, "value": HOSTILE, "description": HOSTILE})
    assert made.status_code == 204
    for text in (client.get("/variables").text, client.get("/variables/edit", params={"key": key}).text):
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text
    again = client.post("/variables/edit", data={"is_new": "true", "key": key, "value": "x"})
    assert again.status_code == 422
    assert "already" in again.text
    assert client.post("/variables/delete", params={"key": key}).status_code == 204
    assert client.post("/variables/delete", params={"key": key}).status_code == 404


@pytest.mark.parametrize("key", ["", "  ", "k" * 251, "k" * 4_000])
def test_a_key_that_cannot_be_is_told_beside_the_field(browser: Browser, home: Home, key: str) -> None:
    answer = browser("operator").post("/variables/edit", data={"is_new": "true", "key": key, "value": "x"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert browser("operator").get("/variables/edit", params={"key": "k" * 4_000}).status_code == 404


def test_an_export_leaves_secrets_out_and_an_import_takes_it_in_again(browser: Browser, home: Home) -> None:
    plant(home)
    vault_of(home).variables.set("city", "Oslo", "where", by="")
    client = browser("operator")
    text = client.get("/variables/export").text
    assert json.loads(text) == {"city": {"value": "Oslo", "description": "where"}}
    changed = text.replace("Oslo", "Bergen").replace("\n}", ',"api_token": "***", "n": {"a": [1]}}')
    answer = client.post("/variables/import", data={"text": changed, "on_existing": "overwrite"})
    assert answer.status_code == 204
    found = {one.key: one.value for one in vault_of(home).variables.all()}
    assert (found["city"], found["api_token"], found["n"]) == ("Bergen", PLANTED, '{"a": [1]}')


def test_stars_in_an_import_or_in_the_form_stand_for_the_secrets_that_are_kept(browser: Browser, home: Home) -> None:
    store, client = vault_of(home).variables, browser("operator")
    store.set_all(
        {"shop": (f'{{"password": "{PLANTED}", "port": 1}}', None), "db": (f"pg://me:{PLANTED}@db", None)}, by=""
    )
    sent = {"shop": {"password": "***", "port": 2}, "db": "pg://me:***@db"}
    answer = client.post("/variables/import", data={"text": json.dumps(sent), "on_existing": "overwrite"})
    assert answer.status_code == 204
    assert {one.key: one.value for one in store.all()} == {
        "shop": f'{{"password": "{PLANTED}", "port": 2}}',
        "db": f"pg://me:{PLANTED}@db",
    }
    client.post("/variables/edit", data={"key": "shop", "value": '{"password": "***", "port": 3}'})
    assert store.get("shop").value == f'{{"password": "{PLANTED}", "port": 3}}'  # type: ignore[union-attr]
    for lost in ({"shop": {"pass": {"token": "***"}}, "city": "Oslo"}, {"db": "pg://me:***@other", "city": "Oslo"}):
        refused = client.post("/variables/import", data={"text": json.dumps(lost), "on_existing": "overwrite"})
        assert (refused.status_code, "stars where a secret was left out" in refused.text) == (422, True)
    assert store.keys() == ["db", "shop"]
    assert PLANTED in store.get("db").value  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": 1, "a": 2}', '{"": 1}', "[" * 100_000])
def test_a_file_that_is_none_is_told_and_nothing_of_it_is_taken_in(browser: Browser, home: Home, text: str) -> None:
    answer = browser("operator").post("/variables/import", data={"text": text, "on_existing": "fail"})
    assert answer.status_code == 422
    assert vault_of(home).variables.keys() == []


def test_variables_are_found_by_key_and_description_and_told_by_pages(browser: Browser, home: Home) -> None:
    store = vault_of(home).variables
    store.set_all({f"key_{number:03}": ("x", None) for number in range(150)}, by="")
    store.set("other", "x", "about 100% of KEYS", by="")
    client = browser("operator")
    first = client.get("/variables").text
    assert first.count("<tr data-key=") == 100
    assert "100 of 151 variables" in first
    assert client.get("/variables?page=9").text.count("<tr data-key=") == 51
    assert client.get("/variables?q=100%25 of k").text.count("<tr data-key=") == 1
    assert "No variable fits" in client.get("/variables?q=nothing").text


def test_secrets_of_a_connection_stay_where_stars_are_sent_back(browser: Browser, home: Home) -> None:
    plant(home)
    client, store = browser("operator"), vault_of(home).connections
    page = client.get("/connections/edit?conn_id=warehouse").text
    assert "***" in page
    extra = {"timeout": 20, "private_key": "***", "proxies": "***"}
    fields = {"conn_id": "warehouse", "conn_type": "postgres", "host": "db2", "extra": json.dumps(extra)}
    assert client.post("/connections/edit", data=fields | {"password": ""}).status_code == 204
    kept = store.get("warehouse")
    assert kept is not None
    assert (kept.host, kept.password, kept.extra_dejson["private_key"]) == ("db2", PLANTED, PLANTED)
    assert kept.extra_dejson["proxies"] == {"http": f"http://me:{PLANTED}@proxy"}
    assert kept.extra_dejson["timeout"] == 20
    client.post("/connections/edit", data=fields | {"password": "another", "extra": ""})
    assert (store.get("warehouse").password, store.get("warehouse").extra) == ("another", None)  # type: ignore[union-attr]
    of_nothing = client.post("/connections/edit", data=fields)
    assert (of_nothing.status_code, "stars where a secret was left out" in of_nothing.text) == (422, True)
    client.post("/connections/edit", data=fields | {"no_password": "true", "extra": ""})
    assert store.get("warehouse").password is None  # type: ignore[union-attr]


def test_a_connection_is_made_of_a_uri(browser: Browser, home: Home) -> None:
    fields = {"is_new": "true", "conn_id": "shop", "conn_type": "generic", "uri": f"http://me:{PLANTED}@shop:8080/v1"}
    client = browser("operator")
    assert client.post("/connections/edit", data=fields).status_code == 204
    made = vault_of(home).connections.get("shop")
    assert made is not None
    assert (made.conn_type, made.host, made.port, made.password) == ("http", "shop", 8080, PLANTED)
    assert "shop:8080/v1" in client.get("/connections").text
    wrong = client.post("/connections/edit", data=fields | {"conn_id": "shop2", "uri": f"nonsense {PLANTED}"})
    assert wrong.status_code == 422
    assert PLANTED not in wrong.text


@pytest.mark.parametrize(
    "changes",
    [
        {"conn_id": "no/slash"},
        {"conn_id": ""},
        {"port": "70000"},
        {"port": "x"},
        {"extra": "[1]"},
        {"extra": "{"},
        {"conn_type": ""},
        {"host": "h" * 6_000},
    ],
)
def test_what_is_wrong_with_a_connection_is_told_and_nothing_is_kept(
    browser: Browser, home: Home, changes: dict[str, str]
) -> None:
    fields = {"is_new": "true", "conn_id": "shop", "conn_type": "http", "password": PLANTED} | changes
    answer = browser("operator").post("/connections/edit", data=fields)
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.text
    assert PLANTED not in answer.text
    assert vault_of(home).connections.ids() == []


@pytest.mark.parametrize(
    "path", ["/variables", "/variables/edit", "/variables/export", "/connections", "/connections/edit", "/pools/edit"]
)
def test_vaults_are_for_operators(browser: Browser, home: Home, path: str) -> None:
    assert {name: browser(name).get(path).status_code for name in ("viewer", "user", "foreigner", "operator")} == {
        "viewer": 403,
        "user": 403,
        "foreigner": 403,
        "operator": 200,
    }


def test_the_menu_holds_what_one_may_look_at(browser: Browser) -> None:
    assert 'href="/variables"' not in browser("viewer").get("/pools").text
    assert 'href="/variables"' in browser("operator").get("/pools").text


@pytest.mark.parametrize("name", ODD)
def test_a_pool_of_any_name_is_made_changed_and_deleted(browser: Browser, home: Home, name: str) -> None:
    client = browser("operator")
    made = client.post("/pools/edit", data={"is_new": "true", "name": name, "slots": "-1", "description": HOSTILE})
    assert made.status_code == 204
    assert "<script>alert" not in client.get("/pools").text
    assert client.post("/pools/edit", data={"name": name, "slots": "3"}).status_code == 204
    assert next(pool.slots for pool in home.reads.pools() if pool.name == name) == 3
    assert client.post("/pools/edit", data={"is_new": "true", "name": name, "slots": "3"}).status_code == 422
    assert client.post("/pools/delete", params={"name": name}).status_code == 204
    assert client.post("/pools/delete", params={"name": name}).status_code == 404


@pytest.mark.parametrize("slots", ["", "-2", "1.5", "many", "9" * 40, "²"])
def test_slots_that_are_no_number_are_told_beside_the_field(browser: Browser, home: Home, slots: str) -> None:
    answer = browser("operator").post("/pools/edit", data={"is_new": "true", "name": "p", "slots": slots})
    assert answer.status_code == 422
    assert "whole number" in answer.text


def test_a_viewer_sees_pools_and_changes_none(browser: Browser, home: Home) -> None:
    client = browser("viewer")
    assert "default_pool" in client.get("/pools").text
    assert "/pools/delete" not in client.get("/pools").text
    assert client.post("/pools/edit", data={"is_new": "true", "name": "p", "slots": "1"}).status_code == 403
    assert client.post("/pools/delete", params={"name": "default_pool"}).status_code == 403
    assert browser("operator").post("/pools/delete", params={"name": "default_pool"}).status_code == 409


@pytest.mark.parametrize("path", ["/variables/edit?key=a%00b", "/pools/edit?name=%00"])
def test_a_nul_is_refused_before_any_database_sees_it(browser: Browser, path: str) -> None:
    assert browser().get(path).status_code == 400
    assert browser().post("/variables/edit", data={"is_new": "true", "key": "a", "value": "\0"}).status_code == 400
