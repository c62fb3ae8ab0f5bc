"""WorkerSettings: what every worker process is told when it starts."""

from typing import Literal

import msgspec

from orchestrator.dagbag.backends import Backing


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are in bytes; 0 means no limit where it says so.

    ``heartbeat_folder`` keeps the progress of activities, ``payloads`` is the folder or fsspec URL of large results,
    ``home_database`` the SQLAlchemy URL of the database that variables and connections are in, and that transactional
    tasks may not write to; ``run_database`` that of the one that the run is recorded in. ``fernet_key`` holds the keys
    of the home, or ``fernet_file`` is where its key lies. ``venv_folder`` keeps the environments that tasks ask for.
    ``backing`` says which secrets backends there are.
    """

    log_folder: str
    heartbeat_folder: str
    payloads: str
    home_database: str = ""
    run_database: str = ""
    fernet_key: str = ""
    fernet_file: str = ""
    allowed_classes: tuple[str, ...] = ()
    venv_folder: str = ""
    venv_method: Literal["auto", "uv", "pip"] = "auto"
    backing: Backing = Backing()
    payload_threshold: int = 64 * 1024
    max_result_bytes: int = 64 * 1024**2
    max_log_bytes: int = 64 * 1024**2
    max_activities: int = 100_000  # 0: no limit
    memory_limit: int = 1024**3  # 0: no limit
    kept_versions: int = 8
    default_deferrable: bool = False
    base_url: str = ""
