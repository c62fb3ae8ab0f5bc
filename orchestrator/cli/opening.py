"""Opening the home that a command works with: this machine's, or that of a server."""

import os

from orchestrator.assembly.home import Home, open_home
from orchestrator.cli import edge
from orchestrator.cli.lazy import loaded
from orchestrator.config import Config
from orchestrator.exceptions import UsageError
from orchestrator.storage.database import is_absent

_TOKEN = "ORCHESTRATOR_TOKEN"  # noqa: S105 - the name of the variable
_LOGINS = "orchestrator.cli.logins:read_logins"


def asked_home() -> Home:
    """The home that --url names, else this machine's; where it has none, that of the last login."""
    server = edge.url()
    if server is not None:
        return _remote(server)
    config = edge.config()
    if is_absent(config.database.sql_alchemy_conn):
        login = loaded(_LOGINS)().default()
        if login is not None:
            return _opened(config, login.url, login.token, login.ca)
    return open_home(config)


def _remote(server: str) -> Home:
    token, login = os.environ.get(_TOKEN, ""), loaded(_LOGINS)().named(server)
    if login is not None:
        return _opened(edge.own_config(), login.url, token or login.token, edge.ca() or login.ca)
    if not token:
        hint = f"run `orchestrator login {server}`, or put it into {_TOKEN}"
        raise UsageError(f"{server} lets in whoever has a token: {hint}")
    return _opened(edge.own_config(), server, token, edge.ca())


def _opened(config: Config, url: str, token: str, ca: str | None) -> Home:
    home = loaded("orchestrator.assembly.remote:open_remote")(config, url, token, ca)
    assert isinstance(home, Home)
    return home
