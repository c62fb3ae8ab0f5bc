"""EnvironmentCache: the environments of one folder, each built once however many ask for it at once."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from orchestrator.authoring.environments.builders import python_of
from orchestrator.exceptions import EnvironmentBuildError

_PAUSE = 0.1  # seconds between two looks at a lock that another process has


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """An environment that is whole. ``folder`` is its name in the cache, ``packages`` are "name==version"."""

    key: str
    folder: str
    builder: str
    python: str
    requirements: tuple[str, ...]
    packages: tuple[str, ...]
    made_at: datetime
    seconds: float


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One that the cache has. ``size`` is in bytes; ``used_at`` is when an attempt began to use it last."""

    made: Made
    used_at: datetime
    size: int


Build = Callable[[str, Path], Made]
"""Makes the environment of a key in a folder that is empty."""

_Found = TypeVar("_Found")


class EnvironmentCache:
    """``KEY.json`` is there only for an environment that is whole, and names its folder; ``KEY.lock`` is held shared by
    those who use it and alone by the one who builds or removes it. A lock goes with its process.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def held(self, key: str, build: Build, waiting: Callable[[], object]) -> Iterator[Path]:
        """The folder of the environment, built if it is not there; it is not removed while this is entered.

        ``waiting`` is called every now and then while another process builds it.
        """
        with self._lock(key) as lock:
            while True:
                _wait(lock, fcntl.LOCK_SH, waiting)
                made = self._whole(key)
                if made is not None:
                    break
                _wait(lock, fcntl.LOCK_EX, waiting)
                if self._whole(key) is None:
                    self._build(key, build)
            os.utime(self._record(key))
            yield self.folder / made.folder

    def environments(self) -> list[Kept]:
        """Those that are whole, the one that was used last first."""
        found = []
        for path in self.folder.glob("*.json"):
            made = self._whole(path.stem)
            if made is not None:
                used_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                found.append(Kept(made=made, used_at=used_at, size=_size(self.folder / made.folder)))
        return sorted(found, key=lambda kept: kept.used_at, reverse=True)

    def remove(self, key: str) -> bool:
        """Remove the environment and what builds of it have left behind; False if somebody uses it now."""
        with self._lock(key) as lock:
            if not _try(lock, fcntl.LOCK_EX):
                return False
            self._record(key).unlink(missing_ok=True)
            self._clear(key)
        return True

    def left_behind(self) -> set[str]:
        """The keys of which there are folders, of builds that were cut short, and nothing whole."""
        found = {path.name.partition("-")[0] for path in self.folder.glob("*-*") if path.is_dir()}
        return {key for key in found if self._whole(key) is None}

    def _build(self, key: str, build: Build) -> None:
        """In a folder of its own: what was cut short before may still be written to by what it had started."""
        self._clear(key)
        folder = self._tried(lambda: Path(tempfile.mkdtemp(prefix=f"{key}-", dir=self.folder)))
        try:
            made = build(key, folder)
            self._tried(lambda: self._keep(made))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _keep(self, made: Made) -> None:
        """What the builder wrote is on disk before anything says that it is whole."""
        os.sync()
        fresh = self.folder / made.folder / ".orchestrator.json"
        fresh.write_bytes(msgspec.json.encode(made))
        fresh.replace(self._record(made.key))

    def _clear(self, key: str) -> None:
        for folder in self.folder.glob(f"{key}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _whole(self, key: str) -> Made | None:
        """None also where its interpreter is gone: a system's upgrade may take that away."""
        try:
            made = msgspec.json.decode(self._record(key).read_bytes(), type=Made)
        except (OSError, msgspec.DecodeError):
            return None
        return made if python_of(self.folder / made.folder).exists() else None

    def _record(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _lock(self, key: str) -> IO[bytes]:
        def opened() -> IO[bytes]:
            self.folder.mkdir(parents=True, exist_ok=True)
            return (self.folder / f"{key}.lock").open("ab")

        return self._tried(opened)

    def _tried(self, act: Callable[[], _Found]) -> _Found:
        try:
            return act()
        except OSError as error:
            raise EnvironmentBuildError(
                f"environments cannot be kept in {self.folder}: {error.strerror}; make room there, or set [core] "
                f"venv_cache_folder to another folder"
            ) from None


def _wait(lock: IO[bytes], kind: int, waiting: Callable[[], object]) -> None:
    """Not by a lock that blocks: who waits has heartbeats to give meanwhile."""
    while not _try(lock, kind):
        waiting()
        time.sleep(_PAUSE)


def _try(lock: IO[bytes], kind: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
        return True
    return False


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))
