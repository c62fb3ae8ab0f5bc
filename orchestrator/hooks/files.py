"""Files: a place on any file system that fsspec knows, by its URL and perhaps a connection."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import fsspec
from fsspec.core import split_protocol, url_to_fs
from fsspec.implementations.local import LocalFileSystem

from orchestrator.authoring.connection import Connection
from orchestrator.exceptions import AirflowException, ConfigError, UsageError
from orchestrator.nearest import did_you_mean

_LOGINS = {
    **dict.fromkeys(("s3", "s3a"), ("key", "secret")),
    **dict.fromkeys(("abfs", "abfss", "az", "adl"), ("account_name", "account_key")),
    **dict.fromkeys(("ftp", "sftp", "ssh", "smb", "webdav", "webhdfs"), ("username", "password")),
}
_WITH_HOST = frozenset({"ftp", "sftp", "ssh", "smb", "webhdfs"})
_WITHOUT_FOLDERS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "memory"})
_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True)
class FilePlace:
    """A path on a file system; ``url`` is how people know it."""

    fs: Any
    path: str
    url: str

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def is_local(self) -> bool:
        return isinstance(self.fs, LocalFileSystem)

    @property
    def is_glob(self) -> bool:
        return bool(_WILDCARDS & set(self.path))

    def below(self, name: str) -> "FilePlace":
        """What is called so in this folder."""
        return FilePlace(self.fs, f"{self.path.rstrip('/')}/{name}", f"{self.url.rstrip('/')}/{name}")

    def is_folder(self) -> bool:
        return self.url.endswith("/") or bool(self.fs.isdir(self.path))

    def make_parent(self) -> None:
        """See that the folder that it lies in is there, on file systems that have folders."""
        protocols = {self.fs.protocol} if isinstance(self.fs.protocol, str) else {*self.fs.protocol}
        parent = self.path.rpartition("/")[0]
        if parent and not protocols & _WITHOUT_FOLDERS:
            self.fs.makedirs(parent, exist_ok=True)

    @contextmanager
    def replaced(self, mark: str) -> Iterator[IO[bytes]]:
        """Write a file that is there as a whole when all has gone well, and not at all otherwise.

        On local file systems it is written beside its place under a name with ``mark`` in it, synced and renamed;
        elsewhere it is for the file system to keep what is not committed out of sight, as object stores do.
        """
        self.make_parent()
        with self._renamed(mark) if self.is_local else self._committed() as file:
            yield file

    @contextmanager
    def _renamed(self, mark: str) -> Iterator[IO[bytes]]:
        part = Path(self.path).with_name(f".{self.name}.{mark}.part")
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    @contextmanager
    def _committed(self) -> Iterator[IO[bytes]]:
        with self.fs.transaction, self.fs.open(self.path, "wb") as file:
            yield file


def file_place(url: str, conn_id: str | None = None) -> FilePlace:
    """Where ``url`` is: a path from the root, or ``protocol://…``.

    The login of the connection goes where its protocol wants it, and its extra is what fsspec is told besides. In the
    URL of an object store a connection may stand itself: ``s3://conn_id@bucket/key``.
    """
    if not url:
        raise UsageError("a file's place is missing; write a path from the root, or a URL")
    protocol, rest = split_protocol(url)
    if protocol in (None, "file", "local") and not rest.startswith("/"):
        raise UsageError(f"the path {url!r} is relative, and a worker has no folder of yours; write it from the root")
    shown, user = url, urlsplit(url).netloc.rpartition("@")[0]
    if conn_id is None and user and protocol in _WITHOUT_FOLDERS:
        conn_id, shown = user, url.replace(f"{user}@", "", 1)
    options = {} if conn_id is None else _options(protocol or "file", Connection.get(conn_id))
    try:
        fs, path = url_to_fs(shown, **options)
    except ValueError as error:
        near = did_you_mean(protocol or "", fsspec.available_protocols())
        raise ConfigError(f"{_bare(shown)} cannot be reached: {error}{near}") from error
    except ImportError as error:
        raise ConfigError(f"{_bare(shown)} cannot be reached: {error}") from error
    except OSError as error:
        raise AirflowException(f"{_bare(shown)} cannot be reached: {reason(error)}") from error
    return FilePlace(fs, path, _bare(shown))


def reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def _options(protocol: str, connection: Connection) -> dict[str, Any]:
    options: dict[str, Any] = {}
    login, password = _LOGINS.get(protocol, ("username", "password"))
    options |= {login: connection.login} if connection.login else {}
    options |= {password: connection.password} if connection.password else {}
    if protocol in _WITH_HOST:
        options |= {"host": connection.host} if connection.host else {}
        options |= {"port": connection.port} if connection.port else {}
    return {**options, **connection.extra_dejson}


def _bare(url: str) -> str:
    """Without a login, for messages."""
    netloc = urlsplit(url).netloc
    return url.replace(netloc, netloc.rpartition("@")[2], 1) if "@" in netloc else url
