"""BlueSettings: what every blue process is told when it starts."""

import msgspec

from orchestrator.dagbag.backends import Backing
from orchestrator.names import QuarantineMode


class BlueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are in bytes, durations in seconds; 0 means no limit where it says so.

    ``payloads`` is the folder or fsspec URL of large values; ``database`` and the fernet keys are of the home's
    variables and connections, which files may read as they are loaded. Code is stuck that has computed for
    ``deadlock_timeout`` without waiting for anything; a file has ``import_timeout`` to be loaded.
    """

    log_folder: str
    payloads: str
    database: str = ""
    fernet_key: str = ""
    fernet_file: str = ""
    allowed_classes: tuple[str, ...] = ()
    backing: Backing = Backing()
    max_log_bytes: int = 64 * 1024**2
    memory_limit: int = 1024**3  # 0: no limit
    kept_versions: int = 8
    kept_runs: int = 2_000
    deadlock_timeout: float = 2.0
    import_timeout: float = 30.0
    quarantine: QuarantineMode = QuarantineMode.AUTO
