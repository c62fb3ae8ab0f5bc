"""Equipment: what a process needs to run attempts, made from its settings."""

import os
import socket
from functools import partial
from pathlib import Path

from orchestrator.dagbag import importing
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.worker.attempt import Attempts
from orchestrator.worker.bodies import Bodies
from orchestrator.worker.connections import Connections
from orchestrator.worker.heart import Heart, Tell
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.interruption import Interruption
from orchestrator.worker.results import Results
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.transactional import Transactions


def equip(
    settings: WorkerSettings, interruption: Interruption, tell: Tell, let_through: tuple[type[BaseException], ...] = ()
) -> Attempts:
    """Attempts that load DAG files, keep payloads and deliver transactions as the settings say.

    ``tell`` hears of the heartbeats of what runs.
    """
    return Attempts(
        Bodies(importing.load, settings.kept_versions),
        Results(
            FsspecPayloadStore(settings.payloads),
            threshold=settings.payload_threshold,
            max_bytes=settings.max_result_bytes,
        ),
        Transactions(Connections(), settings.home_database),
        interruption,
        partial(Heart, heartbeats=Heartbeats(Path(settings.heartbeat_folder)), tell=tell),
        let_through,
    )


def worker_name() -> str:
    """host:pid, as ActivityStarted records it."""
    return f"{socket.gethostname()}:{os.getpid()}"
