"""Desk: the folder over which an executor and the process of one attempt that outlives it do business.

``order.json`` is put there first. Whoever creates ``claim`` decides: the process, that the body begins, or the
executor, that it never will. The process holds a lock on ``alive`` for as long as it lives, which no other process can
take over by having its pid. ``go`` lets an at_most_once body begin, ``cancel.json`` ends it, and ``report.json`` is
the last word.
"""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

import msgspec

from orchestrator.core.orders import Completed, Deferred, Failed, Lost, Order, Skipped, TakenBack
from orchestrator.names import AttemptKey
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.wire import Cancel

Ending = Completed | Failed | Skipped | Deferred | Lost | TakenBack


class Claim(msgspec.Struct, frozen=True):
    """Who was first; ``pid`` 0: the executor, so that the body never begins."""

    pid: int
    worker: str = ""


class Job(msgspec.Struct, frozen=True):
    """What the process is to do; ``cleanup_seconds`` are what the body has between being told to end and its end."""

    order: Order
    settings: WorkerSettings
    cleanup_seconds: float = 5.0


class Desk:
    """One attempt's folder. Every file appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, key: AttemptKey, below: Path) -> "Desk":
        """The folder of that attempt; no name of an author's becomes a path."""
        place = f"{key.task_id}/{key.map_index}" + (f"/{key.callback}" if key.callback else "")
        digest = hashlib.sha256(place.encode()).hexdigest()[:16]
        return cls(below / f"{key.run_key}-{key.attempt}-{digest}")

    def open(self, job: Job) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._put("order.json", msgspec.json.encode(job))

    def job(self) -> Job | None:
        data = self._get("order.json")
        return None if data is None else msgspec.json.decode(data, type=Job)

    def claim(self, claim: Claim) -> bool:
        """Decide whether the body begins; False where the other side was first."""
        draft = self._draft("claim", msgspec.json.encode(claim))
        try:
            os.link(draft, self.folder / "claim")
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def claimed(self) -> Claim | None:
        data = self._get("claim")
        return None if data is None else msgspec.json.decode(data, type=Claim)

    def say_go(self) -> None:
        self._put("go", b"")

    def has_go(self) -> bool:
        return (self.folder / "go").exists()

    def cancel(self, cancel: Cancel) -> None:
        self._put("cancel.json", msgspec.json.encode(cancel))

    def cancelled(self) -> Cancel | None:
        data = self._get("cancel.json")
        return None if data is None else msgspec.json.decode(data, type=Cancel)

    def report(self, report: Ending) -> None:
        self._put("report.json", msgspec.json.encode(report))

    def reported(self) -> Ending | None:
        data = self._get("report.json")
        return None if data is None else msgspec.json.decode(data, type=Ending)

    def hold(self) -> int:
        """Take the lock that says that this process lives; it ends with the process."""
        file = os.open(self.folder / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def is_held(self) -> bool:
        """Whether the process lives."""
        with contextlib.suppress(FileNotFoundError), (self.folder / "alive").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def clear(self) -> None:
        """Remove the folder: everybody knows how it ended."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)
        self.folder.rmdir()

    def _put(self, name: str, data: bytes) -> None:
        self._draft(name, data).replace(self.folder / name)

    def _draft(self, name: str, data: bytes) -> Path:
        draft = self.folder / f".{name}-{os.getpid()}"
        draft.write_bytes(data)
        return draft

    def _get(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
