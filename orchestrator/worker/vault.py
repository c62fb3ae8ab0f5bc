"""The vault of a worker, red or blue: variables and connections of its home."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from orchestrator.authoring.vault import EnvironmentVault, Vault
from orchestrator.clock import SystemClock
from orchestrator.storage.database import connect, is_absent
from orchestrator.storage.keyring import Keyring
from orchestrator.storage.vault import HomeVault
from orchestrator.worker.blue.lifting import lifted


class Unfenced:
    """A vault behind a fence: to open the home's database is no effect of the author's."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def variable(self, key: str) -> str | None:
        with lifted():
            return self._vault.variable(key)

    def connection(self, conn_id: str) -> str | None:
        with lifted():
            return self._vault.connection(conn_id)

    def variable_keys(self) -> Sequence[str]:
        with lifted():
            return self._vault.variable_keys()

    def connection_ids(self) -> Sequence[str]:
        with lifted():
            return self._vault.connection_ids()

    def set_variable(self, key: str, value: str, description: str | None) -> None:
        with lifted():
            self._vault.set_variable(key, value, description)

    def delete_variable(self, key: str) -> bool:
        with lifted():
            return self._vault.delete_variable(key)


def vault_of(database: str, fernet_key: str, fernet_file: str) -> Vault:
    """What an author's code reads and changes; the ``database`` (a URL) is opened when it first asks for something."""
    if not database or is_absent(database):
        return EnvironmentVault()

    def open_database() -> Engine:
        return connect(database)

    return Unfenced(HomeVault(open_database, Keyring(fernet_key, Path(fernet_file)), SystemClock(), by="task"))
