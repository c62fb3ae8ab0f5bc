"""HomeVault: the variables and connections of a home, from every place that may hold them."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from sqlalchemy import Engine, select

from orchestrator.authoring.environment import of_environment
from orchestrator.core.rights import LOCAL, Principal
from orchestrator.ports import Clock, SecretsBackend
from orchestrator.storage.connections import ConnectionStore
from orchestrator.storage.database import reading
from orchestrator.storage.keyring import Keyring
from orchestrator.storage.tables import counters
from orchestrator.storage.variables import VAULT, VariableStore

VARIABLE = "@variable:"
CONNECTION = "@connection:"
_CURSOR = select(counters.c.value).where(counters.c.name == VAULT)


class HomeVault:
    """Asks the secrets backends, then the environment, then the database, which is opened when it is first needed.

    ``by`` is in whose name variables are set.
    """

    def __init__(
        self,
        open_database: Callable[[], Engine],
        keyring: Keyring,
        clock: Clock,
        *,
        by: str,
        backends: Sequence[SecretsBackend] = (),
        environment: Mapping[str, str] = os.environ,
        who: Principal = LOCAL,
    ) -> None:
        self._open = open_database
        self._keyring = keyring
        self._clock = clock
        self._by = by
        self._who = who
        self._backends = tuple(backends)
        self._environment = environment

    def variable(self, key: str) -> str | None:
        for backend in self._backends:
            if (found := backend.get_variable(key)) is not None:
                return found
        if (found := of_environment(self._environment, "VAR", key)) is not None:
            return found
        stored = self.variables.get(key)
        return None if stored is None else stored.value

    def connection(self, conn_id: str) -> str | None:
        for backend in self._backends:
            if (found := backend.get_conn_value(conn_id)) is not None:
                return found
        if (found := of_environment(self._environment, "CONN", conn_id)) is not None:
            return found
        stored = self.connections.get(conn_id)
        return None if stored is None else stored.as_json()

    def variable_keys(self) -> Sequence[str]:
        return self.variables.keys()

    def connection_ids(self) -> Sequence[str]:
        return self.connections.ids()

    def set_variable(self, key: str, value: str, description: str | None) -> None:
        self.variables.set(key, value, description, by=self._by)

    def delete_variable(self, key: str) -> bool:
        return self.variables.delete(key, by=self._by)

    def stamp(self, name: str) -> str | None:
        """See ParseVault."""
        kind, _, key = name.partition(":")
        found = self.variable(key) if f"{kind}:" == VARIABLE else self.connection(key)
        return None if found is None else self._keyring.stamp(found)

    def cursor(self) -> int:
        with reading(self._engine) as connection:
            return int(connection.execute(_CURSOR).scalar_one())

    def close(self) -> None:
        """Let go of the database; it is opened again when it is needed."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    @cached_property
    def variables(self) -> VariableStore:
        """Those of the database."""
        return VariableStore(self._engine, self._keyring, self._clock, self._who)

    @cached_property
    def connections(self) -> ConnectionStore:
        """Those of the database."""
        return ConnectionStore(self._engine, self._keyring, self._clock, self._who)

    @cached_property
    def _engine(self) -> Engine:
        return self._open()
