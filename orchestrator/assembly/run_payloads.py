"""RunPayloads: the values of a run that are too large for its history, for whoever may see the run."""

from orchestrator.assembly.home import Home
from orchestrator.assembly.payloads import open_payloads
from orchestrator.core.particulars import PayloadRef
from orchestrator.exceptions import NotFoundError
from orchestrator.storage.guard import Guarded, of_run


class RunPayloads(Guarded):
    """Gives what the run's own facts point to, and nothing else."""

    def __init__(self, home: Home) -> None:
        super().__init__(home.engine, home.who)
        self._reads = home.reads
        self._config = home.config

    @of_run
    def get(self, run_key: int, ref: PayloadRef) -> bytes:
        """The value as JSON; NotFoundError where no fact of the run points to it."""
        if not self._reads.has_payload(run_key, ref.sha256):
            raise NotFoundError(f"run with key {run_key} has no value {ref.sha256}")
        return open_payloads(self._config).get(ref)
