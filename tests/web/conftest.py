"""A site that is served in this process, and browsers without a window in which somebody has signed in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event

from orchestrator.api.visitor import COOKIE, CSRF_HEADER
from orchestrator.assembly.accounts import Accounts, make_accounts
from orchestrator.assembly.home import Home
from orchestrator.config import load_config
from orchestrator.exceptions import SignInError, TooManyAttemptsError
from orchestrator.web.site import make_site
from tests.api.conftest import CSRF, PRINCIPALS, KnownAccounts
from tests.cli.homes import FilledHome, order

SOON = datetime.now(UTC) + timedelta(minutes=5)


class KnownDoor(KnownAccounts):
    """Each role's name is its password too. ``out`` are the secrets with which somebody has signed out."""

    def __init__(self, accounts: Accounts) -> None:
        self.out: list[str] = []
        self.accounts_for = accounts.seen_by

    oidc = None

    def with_password(self, name: str, password: str, address: str) -> str:
        if name == "hasty":
            raise TooManyAttemptsError(SOON)
        if name not in PRINCIPALS or password != name:
            raise SignInError("the name or the password is wrong, or the account is disabled")
        return name

    def sign_out(self, secret: str) -> bool:
        self.out.append(secret)
        return True


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[FilledHome]:
    """A home with the DAG ``order_1001``."""
    home = FilledHome(tmp_path)
    home.add_dag(order())
    yield home
    home.close()


@pytest.fixture
def door(filled: FilledHome) -> KnownDoor:
    return KnownDoor(_accounts(filled))


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """Made once: its routes and templates are read when they are asked for first, and that takes long."""
    home = FilledHome(tmp_path_factory.mktemp("made"))
    yield make_site(_home(home), KnownDoor(_accounts(home)))
    home.close()


@pytest.fixture
def site(made_site: FastAPI, filled: FilledHome, door: KnownDoor) -> FastAPI:
    made_site.state.home, made_site.state.accounts = _home(filled), door
    return made_site


def _home(filled: FilledHome) -> Home:
    return Home(load_config({"ORCHESTRATOR_HOME": str(filled.folder)}, filled.folder), filled.engine)


def _accounts(filled: FilledHome) -> Accounts:
    return make_accounts(_home(filled).config, filled.engine)


@pytest.fixture
def browser(site: FastAPI) -> Iterator[Callable[..., TestClient]]:
    """A browser in which a role has signed in, or nobody."""
    opened: list[TestClient] = []

    def open_one(name: str | None = "admin", *, csrf: str = CSRF) -> TestClient:
        client = TestClient(
            site,
            cookies={} if name is None else {COOKIE: name},
            headers={"accept": "text/html", CSRF_HEADER: csrf},
            raise_server_exceptions=False,
            follow_redirects=False,
        )
        opened.append(client)
        return client

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def queries(filled: FilledHome) -> Iterator[list[str]]:
    """What the database is asked."""
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    event.listen(filled.engine, "before_cursor_execute", note)
    yield asked
    event.remove(filled.engine, "before_cursor_execute", note)
