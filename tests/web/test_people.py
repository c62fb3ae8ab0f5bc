"""The pages of users, sessions and tokens, in front of the real accounts of a home."""

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from orchestrator.api.visitor import COOKIE, CSRF_HEADER
from orchestrator.assembly.accounts import Accounts, make_accounts
from orchestrator.assembly.passwords import Passwords
from orchestrator.assembly.sign_in import csrf_of, session_id
from orchestrator.core.rights import grant_of
from orchestrator.web.door import HomeDoor

PASSWORD = "correct horse battery"
HERE = "192.0.2.1"
Enter = Callable[..., TestClient]
ONCE = re.compile(r'<code id="once">([^<]+)</code>')


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little."""
    cheap = Passwords.__init__.__kwdefaults__ | {"memory": 64, "passes": 1}
    monkeypatch.setattr(Passwords.__init__, "__kwdefaults__", cheap)


@pytest.fixture
def accounts(site: FastAPI) -> Accounts:
    """With an admin ``root`` and a viewer ``ada``, who has a token ``ci``."""
    home = site.state.home
    found = make_accounts(home.config, home.engine)
    found.create_user("root", PASSWORD, [grant_of("admin")], by="cli:me")
    found.create_user("ada", PASSWORD, [grant_of("viewer"), grant_of("operator:etl_*")], by="cli:me")
    found.create_token("ada", "ci", by="cli:me")
    site.state.accounts = HomeDoor(found, home.config)
    return found


@pytest.fixture
def enter(site: FastAPI, accounts: Accounts) -> Iterator[Enter]:
    """A browser in which a user has signed in."""
    opened: list[TestClient] = []

    def open_one(name: str, password: str = PASSWORD) -> TestClient:
        secret = accounts.sign_in.with_password(name, password, HERE)
        headers = {"accept": "text/html", CSRF_HEADER: csrf_of(secret)}
        opened.append(
            TestClient(
                site, cookies={COOKIE: secret}, headers=headers, raise_server_exceptions=False, follow_redirects=False
            )
        )
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def test_who_is_disabled_is_out_at_once(enter: Enter) -> None:
    root, ada = enter("root"), enter("ada")
    assert ada.get("/dags").status_code == 200
    assert root.post("/users/ada/disable").status_code == 204
    assert ada.get("/dags").headers["location"].startswith("/sign-in")
    assert "disabled" in root.get("/users/ada").text
    assert root.post("/users/ada/enable").status_code == 204
    assert enter("ada").get("/dags").status_code == 200


def test_a_user_is_made_with_a_password_that_is_shown_once(enter: Enter, accounts: Accounts) -> None:
    root = enter("root")
    fields = {"name": "Bob", "role": "operator", "pattern": "etl_*", "password": "random"}
    (password,) = ONCE.findall(root.post("/users/new", data=fields).text)
    assert enter("bob", password).get("/account").status_code == 200
    assert password not in root.get("/users").text + root.get("/users/bob").text
    assert list(map(str, accounts.user("bob").grants)) == ["operator:etl_*"]
    assert root.post("/users/new", data={"name": "robot", "role": "", "password": "none"}).status_code == 204
    assert not accounts.user("robot").has_password


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "ada", "role": "viewer"},
        {"name": "<b>bad</b>", "role": "viewer"},
        {"name": "", "role": "viewer"},
        {"name": "bob", "role": "king"},
        {"name": "bob", "role": "viewer", "pattern": "<b>"},
        {"name": "n" * 4_000, "role": "viewer"},
    ],
)
def test_a_user_that_cannot_be_is_told_beside_the_field(enter: Enter, fields: dict[str, str]) -> None:
    answer = enter("root").post("/users/new", data=fields)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "<b>bad" not in answer.text


def test_a_password_that_is_reset_takes_the_place_of_the_old_one(enter: Enter) -> None:
    root, ada = enter("root"), enter("ada")
    assert "Reset" in root.get("/users/ada/password").text
    (password,) = ONCE.findall(root.post("/users/ada/password").text)
    assert ada.get("/dags").status_code == 303
    assert enter("ada", password).get("/dags").status_code == 200


def test_roles_are_granted_and_taken_away(enter: Enter, accounts: Accounts) -> None:
    root = enter("root")
    assert root.post("/users/ada/grant", data={"role": "user", "pattern": "sales_?"}).status_code == 204
    assert root.post("/users/ada/revoke", params={"role": "operator:etl_*"}).status_code == 204
    assert list(map(str, accounts.user("ada").grants)) == ["viewer", "user:sales_?"]
    assert root.post("/users/ada/grant", data={"role": "user", "pattern": "<script>"}).status_code == 400
    assert root.post("/users/ada/revoke", params={"role": "admin"}).status_code == 400
    assert root.post("/users/root/revoke", params={"role": "admin"}).status_code == 409


def test_an_admin_sees_and_ends_the_sessions_of_a_user(enter: Enter, accounts: Accounts) -> None:
    root, ada = enter("root"), enter("ada")
    (listed,) = accounts.sessions("ada")
    page = root.get("/users/ada").text
    assert HERE in page
    assert listed.id in page
    assert root.post("/sessions/end", params={"user": "ada", "session": listed.id}).status_code == 204
    assert ada.get("/").status_code == 303
    assert root.post("/sessions/end", params={"user": "ada", "session": listed.id}).status_code == 404


def test_ones_own_account_shows_which_session_this_is_and_ends_it(enter: Enter) -> None:
    ada = enter("ada")
    assert ada.get("/account").text.count("this one") == 1
    own = session_id(ada.cookies[COOKIE])
    answer = ada.post("/sessions/end", params={"user": "ada", "session": own})
    assert answer.headers["x-go-to"] == "/sign-in"
    assert ada.get("/account").status_code == 303


def test_ones_own_password_is_changed_by_who_knows_it(enter: Enter) -> None:
    ada, other = enter("ada"), "another good password"
    for fields, wrong in (
        ({"old": "nothing", "new": other, "again": other}, "not your password"),
        ({"old": PASSWORD, "new": other, "again": "x"}, "not the same"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "12 to 1024"),
    ):
        answer = ada.post("/account/password", data=fields)
        assert (answer.status_code, wrong in answer.text) == (422, True)
        assert other not in answer.text
    assert ada.post("/account/password", data={"old": PASSWORD, "new": other, "again": other}).status_code == 204
    assert ada.get("/account").status_code == 303
    assert enter("ada", other).get("/account").status_code == 200


def test_a_token_is_shown_once_and_lets_in_with_its_scopes(enter: Enter, site: FastAPI, accounts: Accounts) -> None:
    ada = enter("ada")
    fields = {"user": "ada", "name": "<i>mine</i>", "scopes": "viewer\r\n", "days": "7"}
    (secret,) = ONCE.findall(ada.post("/tokens/new", data=fields).text)
    page = ada.get("/account").text
    assert secret not in page
    assert "&lt;i&gt;mine" in page
    program = TestClient(site, headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v2/dags").status_code == 200
    assert ada.post("/tokens/revoke", params={"user": "ada", "name": "<i>mine</i>"}).status_code == 204
    assert program.get("/api/v2/dags").status_code == 401
    assert enter("root").get("/tokens").text.count("<tr data-key=") == 1


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"name": "n" * 4_000}, {"name": "ci"}, {"scopes": "king"}, {"days": "-3"}, {"days": "x"}]
)
def test_a_token_that_cannot_be_is_told_beside_the_field(enter: Enter, changes: dict[str, str]) -> None:
    fields = {"user": "ada", "name": "mine", "scopes": "", "days": ""} | changes
    answer = enter("ada").post("/tokens/new", data=fields)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_others_look_after_nobody_but_themselves(enter: Enter, accounts: Accounts) -> None:
    ada, (ci,) = enter("ada"), accounts.tokens("ada")
    looks = ["/users", "/users/new", "/users/root", "/users/nobody", "/users/root/password", "/tokens"]
    assert {ada.get(path).status_code for path in looks} == {403}
    there, absent = (ada.get(f"/users/{name}").text for name in ("root", "nobody"))
    assert there == absent
    root = {"user": "root"}
    deeds = [ada.post(f"/users/root/{word}") for word in ("disable", "enable", "delete", "password")]
    deeds += [ada.post("/users/new", data={"name": "eve", "role": "admin"})]
    deeds += [ada.post("/users/ada/grant", data={"role": "king"}), ada.post("/sessions/end-all", params=root)]
    deeds += [ada.post("/tokens/revoke", params=root | {"name": "x"})]
    deeds += [ada.post("/tokens/new", data=root | {"name": "x", "days": ""})]
    assert {deed.status_code for deed in deeds} == {403}
    assert ci.name == "ci"
    assert [user.name for user in accounts.users()] == ["ada", "root"]


def test_the_last_admin_stays(enter: Enter) -> None:
    root = enter("root")
    assert {root.post(f"/users/root/{word}").status_code for word in ("disable", "delete")} == {409}
    assert root.get("/users").status_code == 200


@pytest.mark.parametrize("name", ["nobody", "..%2fadmin", "%00", "a%20b", "é" * 50, "n" * 4_000])
def test_a_name_that_nobody_has_is_not_there(enter: Enter, name: str) -> None:
    root = enter("root")
    assert root.get(f"/users/{name}").status_code in (400, 404)
    assert root.post(f"/users/{name}/disable").status_code in (400, 404)
