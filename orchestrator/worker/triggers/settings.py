"""TriggererSettings: what every process that runs triggers is told when it starts."""

import msgspec

from orchestrator.dagbag.backends import Backing


class TriggererSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``database`` is the SQLAlchemy URL of the home, whose variables, connections and runs triggers may read;
    ``max_log_bytes`` is how much of what one trigger says is kept. A trigger that blocks the others for
    ``patience`` seconds is told of.
    """

    log_folder: str
    database: str = ""
    run_database: str = ""
    fernet_key: str = ""
    fernet_file: str = ""
    backing: Backing = Backing()
    allowed_classes: tuple[str, ...] = ()
    max_log_bytes: int = 64 * 1024**2
    patience: float = 0.5
