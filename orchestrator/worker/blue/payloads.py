"""Values too large for a history, as the code of a workflow meets them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from orchestrator.core.particulars import PayloadRef
from orchestrator.exceptions import NotFoundError, StorageError
from orchestrator.ports import PayloadStore
from orchestrator.worker.blue.lifting import lifted

T = TypeVar("T")


class BluePayloads:
    """A payload store whose files are ours, and no effect of the author's code, although that is what asks for them."""

    def __init__(self, store: PayloadStore) -> None:
        self._store = store
        self._failure: Exception | None = None

    def put(self, data: bytes) -> PayloadRef:
        """On disk and synced when this returns."""
        return self._noted(lambda: self._store.put(data))

    def get(self, ref: PayloadRef) -> bytes:
        """The bytes of a value that is on record."""
        return self._noted(lambda: self._store.get(ref))

    @contextmanager
    def required(self) -> Iterator[None]:
        """NotFoundError or StorageError at the end of the block, if a value could not be kept or had inside.

        Whatever the author's code makes of that: it is none of its doing, and comes of it differently another time.
        """
        self._failure = None
        try:
            yield
        finally:
            if self._failure is not None:
                raise self._failure

    def _noted(self, act: Callable[[], T]) -> T:
        try:
            with lifted():
                return act()
        except (NotFoundError, StorageError) as error:
            self._failure = error
            raise
