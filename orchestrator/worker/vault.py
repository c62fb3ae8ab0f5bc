"""The vault of a worker, red or blue: variables and connections of its home."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.environment import PROGRAMS
from orchestrator.authoring.variable import mask_read
from orchestrator.authoring.vault import EnvironmentVault, Vault
from orchestrator.clock import SystemClock
from orchestrator.dagbag.backends import Backends, Backing
from orchestrator.exceptions import UsageError
from orchestrator.storage.connections import ConnectionStore
from orchestrator.storage.database import connect, is_absent
from orchestrator.storage.keyring import Keyring
from orchestrator.storage.variables import VariableStore
from orchestrator.storage.vault import HomeVault
from orchestrator.worker.blue.lifting import lifted

_PREFIXES = tuple(f"{program}_{kind}_" for program in PROGRAMS for kind in ("VAR", "CONN"))


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


def mask_home(database: str, fernet_key: str, fernet_file: str) -> None:
    """Mask whatever a worker of this home could have read: for a process that writes what one has left behind.

    OrchestratorError where that cannot be known.
    """
    for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
        kind, _, key = name.partition("_")[2].partition("_")
        if kind == "VAR":
            mask_read(key, os.environ[name])
        else:
            with contextlib.suppress(UsageError):  # it is no connection, so nobody has read a secret from it
                Connection.from_text(os.environ[name], key)
    if not database or is_absent(database):
        return
    engine, keyring = connect(database, read_only=True), Keyring(fernet_key, Path(fernet_file))
    try:
        for one in VariableStore(engine, keyring, SystemClock()).all():
            mask_read(one.key, one.value)
        ConnectionStore(engine, keyring, SystemClock()).all()  # a connection masks what is secret in it
    finally:
        engine.dispose()


def vault_of(database: str, fernet_key: str, fernet_file: str, backing: Backing) -> Vault:
    """What an author's code reads and changes; the ``database`` (a URL) is opened when it first asks for something."""
    backends = [Backends(lambda: backing)] if backing else []
    if not database or is_absent(database):
        return Unfenced(EnvironmentVault(backends=backends)) if backends else EnvironmentVault()

    def open_database() -> Engine:
        return connect(database)

    keyring = Keyring(fernet_key, Path(fernet_file))
    return Unfenced(HomeVault(open_database, keyring, SystemClock(), by="task", backends=backends))
