"""Equipment: what a process needs to run attempts, made from its settings."""

import os
import socket
from functools import partial
from pathlib import Path

from orchestrator.authoring.deferrable import keep_default_deferrable
from orchestrator.authoring.environments.keeping import Keeping, keep_environments
from orchestrator.authoring.neighbours import keep_neighbours
from orchestrator.authoring.pages import keep_base_url
from orchestrator.authoring.typed.types import AuthorTypes
from orchestrator.authoring.vault import keep_vault
from orchestrator.core.typed import keep_types
from orchestrator.dagbag import importing
from orchestrator.dagbag.classes import VersionClasses
from orchestrator.hooks.databases import Connections
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.worker.attempt import Attempts
from orchestrator.worker.bodies import Bodies, Loader
from orchestrator.worker.exchange import AttemptExchange, RunDatabase
from orchestrator.worker.heart import Heart, Tell
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.interruption import Interruption
from orchestrator.worker.results import Results
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.transactional import Transactions
from orchestrator.worker.vault import vault_of


def equip(
    settings: WorkerSettings,
    interruption: Interruption,
    tell: Tell,
    let_through: tuple[type[BaseException], ...] = (),
    load: Loader = importing.load,
) -> Attempts:
    """Attempts that load DAG files, keep payloads and deliver transactions as the settings say.

    ``tell`` hears of the heartbeats of what runs, ``load`` is how a version's code is had. From now on all code of this
    process reads the variables and connections of the home, until the attempts are closed.
    """
    results, runs = results_of(settings), RunDatabase(settings.run_database)
    seen = keep_neighbours(runs.states)
    venvs = Keeping(Path(settings.venv_folder), settings.venv_method) if settings.venv_folder else None
    types = keep_types(AuthorTypes(VersionClasses(settings.allowed_classes)))
    environments = keep_environments(venvs)
    deferrable = keep_default_deferrable(settings.default_deferrable)
    base_url = keep_base_url(settings.base_url)
    before = keep_vault(vault_of(settings.home_database, settings.fernet_key, settings.fernet_file, settings.backing))

    def let_go() -> None:
        keep_vault(before)
        keep_environments(environments)
        keep_types(types)
        keep_neighbours(seen)
        keep_default_deferrable(deferrable)
        keep_base_url(base_url)
        runs.close()

    return Attempts(
        Bodies(load, settings.kept_versions),
        results,
        Transactions(Connections(), settings.home_database),
        interruption,
        partial(Heart, heartbeats=Heartbeats(Path(settings.heartbeat_folder)), tell=tell),
        partial(AttemptExchange, results=results, reads=runs.reads),
        let_through,
        let_go,
    )


def results_of(settings: WorkerSettings) -> Results:
    """Results whose payloads are where the settings say."""
    return Results(
        FsspecPayloadStore(settings.payloads),
        threshold=settings.payload_threshold,
        max_bytes=settings.max_result_bytes,
    )


def worker_name() -> str:
    """host:pid, as ActivityStarted records it."""
    return f"{socket.gethostname()}:{os.getpid()}"
