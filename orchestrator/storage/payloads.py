"""FsspecPayloadStore: values too large for a history, kept by content in a local folder or any object store."""

import contextlib
import errno
import hashlib
import os
import uuid
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import fsspec

from orchestrator.core.particulars import PayloadRef
from orchestrator.exceptions import (
    ConfigError,
    NotFoundError,
    StorageCorruptError,
    StorageFullError,
    StorageUnavailableError,
)
from orchestrator.storage.synced import sync_folder, write_synced

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class _Shelf(Protocol):
    """Where the bytes lie, by a name of the form ``ab/abcdef…``."""

    def write(self, name: str, data: bytes) -> None: ...

    def read(self, name: str) -> bytes: ...

    def list(self) -> Iterator[tuple[str, datetime]]:
        """Every name, with the moment it was last written."""

    def delete(self, name: str) -> None: ...


class FsspecPayloadStore:
    """The PayloadStore of a folder (a path or ``file://…``) or of any URL that fsspec knows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._shelf = _shelf(url)

    def put(self, data: bytes) -> PayloadRef:
        """Keep the bytes; they are durable when this returns. The same bytes are kept once.

        StorageFullError where there is no room for them just now.
        """
        ref = PayloadRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        with _said_clearly(f"the payload store {self.url} cannot be written"):
            self._shelf.write(_name(ref.sha256), data)
        return ref

    def get(self, ref: PayloadRef) -> bytes:
        """The bytes; NotFoundError where they are gone, StorageCorruptError where they are not the same any more."""
        try:
            with _said_clearly(f"the payload store {self.url} cannot be read"):
                data = self._shelf.read(_name(ref.sha256))
        except FileNotFoundError as error:
            raise NotFoundError(
                f"the payload {ref.sha256} is not in {self.url}; it was removed, or [payloads] url has changed"
            ) from error
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise StorageCorruptError(f"the payload {ref.sha256} in {self.url} is damaged; restore it from a backup")
        return data

    def sweep(self, referenced: Collection[str], older_than: datetime, *, dry_run: bool = False) -> int:
        """Delete what is neither ``referenced`` (SHA-256, hex) nor written after ``older_than``; how many that were."""
        swept = 0
        with _said_clearly(f"the payload store {self.url} cannot be cleaned"):
            for name, written_at in self._shelf.list():
                if name.rpartition("/")[2] in referenced or written_at >= older_than:
                    continue
                swept += 1
                if not dry_run:
                    self._shelf.delete(name)
        return swept


class _Folder:
    """A local folder; a write is on disk, content and names, when it returns."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, name: str, data: bytes) -> None:
        target = self._root / name
        if target.exists():
            os.utime(target)  # whoever sweeps must see that it is wanted again
            return
        self._make_folder(target.parent)
        draft = target.with_name(f".draft-{uuid.uuid4().hex}")
        try:
            write_synced(draft, data)
            draft.rename(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def list(self) -> Iterator[tuple[str, datetime]]:
        for path in self._root.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                yield f"{path.parent.name}/{path.name}", datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def delete(self, name: str) -> None:
        (self._root / name).unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self._root)
            sync_folder(self._root.parent)


class _Remote:
    """Any other file system of fsspec; an object is there for good when its write returns."""

    def __init__(self, files: Any, root: str) -> None:
        self._files = files
        self._root = root.rstrip("/")

    def write(self, name: str, data: bytes) -> None:
        path = f"{self._root}/{name}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path, data)

    def read(self, name: str) -> bytes:
        return bytes(self._files.cat_file(f"{self._root}/{name}"))

    def list(self) -> Iterator[tuple[str, datetime]]:
        for path in self._files.find(self._root):
            yield "/".join(path.split("/")[-2:]), self._files.modified(path)

    def delete(self, name: str) -> None:
        self._files.rm_file(f"{self._root}/{name}")


def _shelf(url: str) -> _Shelf:
    if "://" not in url:
        return _Folder(Path(url).absolute())
    try:
        files, root = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise ConfigError(f"the payload store {url!r} cannot be used: {error}") from error
    return _Folder(Path(root)) if "file" in files.protocol else _Remote(files, root)


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


@contextlib.contextmanager
def _said_clearly(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        kind = StorageFullError if error.errno in _FULL else StorageUnavailableError
        raise kind(f"{what} ({error.strerror or error}); check the room and the permissions") from error
