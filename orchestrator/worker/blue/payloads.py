"""Values too large for a history, as the code of a workflow meets them."""

from orchestrator.core.events import PayloadRef
from orchestrator.ports import PayloadStore
from orchestrator.worker.blue.lifting import lifted


class BluePayloads:
    """A payload store whose files are ours, and no effect of the author's code, although that is what asks for them."""

    def __init__(self, store: PayloadStore) -> None:
        self._store = store

    def put(self, data: bytes) -> PayloadRef:
        """On disk and synced when this returns."""
        with lifted():
            return self._store.put(data)

    def get(self, ref: PayloadRef) -> bytes:
        with lifted():
            return self._store.get(ref)
