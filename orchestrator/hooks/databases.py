"""Databases: from the name of a connection to the URL of a database."""

import contextlib
import os
from collections.abc import Mapping

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.environment import of_environment, plain
from orchestrator.authoring.vault import current_vault
from orchestrator.exceptions import ConfigError, UsageError
from orchestrator.nearest import did_you_mean

_BACKENDS = {"postgres": "postgresql"}
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


class Connections:
    """Looks names up in the environment, then in the vault of this process.

    A variable of the environment is taken as a SQLAlchemy URL, as it stands.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def url(self, name: str) -> URL:
        """The SQLAlchemy URL of that connection; ConfigError says how to add it, or what is wrong with it."""
        try:
            url = make_url(self._written(name))
        except ArgumentError:
            raise ConfigError(
                f"connection {name!r} is no SQLAlchemy URL; write sqlite:///… or postgresql://…"
            ) from None
        return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))

    def _written(self, name: str) -> str | URL:
        written = of_environment(self._environment, "CONN", name)
        if written and not written.lstrip().startswith("{"):
            with contextlib.suppress(UsageError):  # it is no URI, as whoever connects will say
                Connection.from_uri(written, name)  # whose password is masked from now on
            return written
        vault = current_vault()
        found = written or vault.connection(name)
        if found is not None:
            return url_of(Connection.from_text(found, name))
        raise ConfigError(
            f"there is no connection {name!r}{did_you_mean(name, vault.connection_ids())}; set "
            f"ORCHESTRATOR_CONN_{plain(name)} to a SQLAlchemy URL, such as postgresql://user@host/database, in the "
            f"environment of the scheduler, or add it with `orchestrator connections add {name}`"
        )


def url_of(connection: Connection) -> URL:
    """The same place as SQLAlchemy writes it; ``extra`` is its query. SQLite's file may stand as the host, as in
    Airflow.
    """
    kind, host, database = connection.conn_type or "", connection.host or None, connection.schema or None
    if kind == "sqlite" and database is None:
        host, database = None, host
    return URL.create(
        _BACKENDS.get(kind, kind.replace("_", "+", 1)),
        username=connection.login or None,
        password=connection.password or None,
        host=host,
        port=connection.port,
        database=database,
        query={name: str(value) for name, value in connection.extra_dejson.items()},
    )
