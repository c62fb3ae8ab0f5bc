"""A home that is served in this process, and clients of each role."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from orchestrator.api.app import make_app
from orchestrator.api.visitor import COOKIE, CSRF_HEADER, Visitor
from orchestrator.assembly.home import Home
from orchestrator.config import load_config
from orchestrator.core.rights import Grant, Principal, Role
from tests.cli.homes import FilledHome, order

CSRF = "a-page-knows-this"
PRINCIPALS = {role.value: Principal(name=role.value, grants=(Grant(role),)) for role in Role} | {
    "foreigner": Principal(name="foreigner", grants=(Grant(Role.ADMIN, "elsewhere*"),)),
}


class KnownAccounts:
    """Each role's name is its token and its session's secret."""

    def by_token(self, secret: str) -> Principal | None:
        return PRINCIPALS.get(secret)

    def by_session(self, secret: str) -> Visitor | None:
        who = PRINCIPALS.get(secret)
        return None if who is None else Visitor(who=who, csrf=CSRF)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[FilledHome]:
    """A home with the DAG ``order_1001``."""
    home = FilledHome(tmp_path)
    home.add_dag(order())
    yield home
    home.close()


@pytest.fixture
def app(filled: FilledHome) -> FastAPI:
    return make_app(
        Home(load_config({"ORCHESTRATOR_HOME": str(filled.folder)}, filled.folder), filled.engine), KnownAccounts()
    )


@pytest.fixture
def as_role(app: FastAPI) -> Iterator[Callable[[str | None], TestClient]]:
    """A client that sends the token of a role, or none."""
    opened: list[TestClient] = []

    def client(name: str | None) -> TestClient:
        headers = {} if name is None else {"Authorization": f"Bearer {name}"}
        opened.append(TestClient(app, headers=headers, raise_server_exceptions=False))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


@pytest.fixture
def browser(app: FastAPI) -> Iterator[Callable[..., TestClient]]:
    """A browser in which a role has signed in; ``csrf`` is what its pages send along."""
    opened: list[TestClient] = []

    def open_one(name: str, csrf: str = CSRF) -> TestClient:
        opened.append(
            TestClient(app, cookies={COOKIE: name}, headers={CSRF_HEADER: csrf}, raise_server_exceptions=False)
        )
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
