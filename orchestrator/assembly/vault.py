"""The vault of a home: its variables and connections."""

from collections.abc import Callable

from sqlalchemy import Engine

from orchestrator.assembly.backing import backing_of
from orchestrator.assembly.home import Home
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.rights import LOCAL, Principal, Right
from orchestrator.dagbag.backends import Backends
from orchestrator.exceptions import ForbiddenError
from orchestrator.storage.database import connect
from orchestrator.storage.keyring import Keyring
from orchestrator.storage.vault import HomeVault


def make_vault(config: Config, engine: Engine, *, by: str) -> HomeVault:
    """The vault in an open database; ``by`` is in whose name it is changed."""
    return _vault(config, lambda: engine, by)


def vault_of(home: Home, *, by: str = "") -> HomeVault:
    """The vault of an open home, for who asks it; ``by`` is in whose name it is changed where that is somebody local.

    ForbiddenError where they have no right to variables and connections.
    """
    if not home.who.may(Right.EDIT):
        raise ForbiddenError(f"{home.who.name} has no right to variables and connections")
    return _vault(home.config, lambda: home.engine, by or home.who.name, home.who)


def lazy_vault(config: Config, *, by: str) -> HomeVault:
    """The vault, with a database that is opened when it is needed."""
    conn, patience = config.database.sql_alchemy_conn, config.database.busy_timeout.total_seconds()
    return _vault(config, lambda: connect(conn, patience=patience), by)


def _vault(config: Config, open_database: Callable[[], Engine], by: str, who: Principal = LOCAL) -> HomeVault:
    backends = [Backends(lambda: backing_of(config))]
    return HomeVault(open_database, make_keyring(config), SystemClock(), by=by, backends=backends, who=who)


def make_keyring(config: Config) -> Keyring:
    """The keys of the home."""
    return Keyring(config.core.fernet_key, config.fernet_file)
