"""The vault of a worker: variables and connections of its home."""

from pathlib import Path

from sqlalchemy import Engine

from orchestrator.authoring.vault import EnvironmentVault, Vault
from orchestrator.clock import SystemClock
from orchestrator.storage.database import connect
from orchestrator.storage.keyring import Keyring
from orchestrator.storage.vault import HomeVault
from orchestrator.worker.settings import WorkerSettings


def vault_of(settings: WorkerSettings) -> Vault:
    """What bodies read and change; the database is opened when one of them first asks."""
    if not settings.home_database:
        return EnvironmentVault()

    def open_database() -> Engine:
        return connect(settings.home_database)

    keyring = Keyring(settings.fernet_key, Path(settings.fernet_file))
    return HomeVault(open_database, keyring, SystemClock(), by="task")
