"""ObjectStoragePath: a path on any file system that fsspec knows, used as one of pathlib is."""

import shutil
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from orchestrator.authoring.masking import is_sensitive
from orchestrator.core.typed import UnrecordableError
from orchestrator.hooks.files import FilePlace, file_place

try:
    from upath import UPath
    from upath.extensions import ProxyUPath, classmethod_or_method
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "ObjectStoragePath needs the library universal_pathlib, which is not installed: "
        "pip install 'orchestrator[object-storage]'",
        name=error.name,
    ) from error

__all__ = ["ObjectStoragePath"]


class _FileSystem:
    """The file system of a connection, reached when it is first used: to name a path reaches nothing."""

    def __init__(self, url: str, conn_id: str) -> None:
        self._url = url
        self._conn_id = conn_id
        self._reached: Any = None

    @property
    def reached(self) -> Any:
        if self._reached is None:
            self._reached = file_place(self._url, self._conn_id).fs
        return self._reached

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.reached, name)


class ObjectStoragePath(ProxyUPath):
    """``ObjectStoragePath("s3://conn_id@bucket/key")``, or with ``conn_id=``, and all that a path of pathlib can do.

    The login of the connection goes where its protocol wants it; ``storage_options`` are what fsspec is told besides.
    A task may return one; options that are secret stand in a connection then.
    """

    __version__: ClassVar[int] = 1
    __slots__ = ("_conn_id",)

    def __init__(
        self, *args: Any, protocol: str | None = None, conn_id: str | None = None, **storage_options: Any
    ) -> None:
        first, named = _without_login(args[0]) if args else ("", None)
        if args and isinstance(args[0], ObjectStoragePath):
            first, named = args[0].__wrapped__, args[0].conn_id
        self._conn_id = conn_id or named
        super().__init__(first, *args[1:], protocol=protocol, **storage_options)
        if self._conn_id is not None:
            reached_later = _FileSystem(_root(self.__wrapped__), self._conn_id)
            self.__wrapped__._fs_cached = reached_later  # noqa: SLF001 - whence upath has it

    @classmethod_or_method
    def _from_upath(one_or_kind: Any, upath: Any, /) -> Any:  # type: ignore[override]  # noqa: N805 - or its class
        """A path that a path of this kind leads to has its connection."""
        if isinstance(upath, ObjectStoragePath):
            return upath
        made = object.__new__(ObjectStoragePath)
        made.__wrapped__ = upath
        made._conn_id = getattr(one_or_kind, "_conn_id", None) if isinstance(one_or_kind, ObjectStoragePath) else None
        return made

    @property
    def conn_id(self) -> str | None:
        return self._conn_id

    @property
    def fs(self) -> Any:
        found = self.__wrapped__.fs
        return found.reached if isinstance(found, _FileSystem) else found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectStoragePath) and self.samestore(other) and str(self) == str(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((str(self), self._conn_id))

    def __reduce__(self) -> Any:
        return _again, (str(self), self.protocol, self._conn_id, dict(self.storage_options))

    def samestore(self, other: Any) -> bool:
        """Whether both are on one file system, reached by one connection."""
        is_one = isinstance(other, ObjectStoragePath)
        return is_one and (self.protocol, self.conn_id) == (other.protocol, other.conn_id)

    # ── the parts of its URL ─────────────────────────────────────────────────────────────────────────────

    @property
    def bucket(self) -> str:
        return urlsplit(str(self)).netloc

    @property
    def container(self) -> str:
        return self.bucket

    @property
    def key(self) -> str:
        return urlsplit(str(self)).path.lstrip("/")

    @property
    def namespace(self) -> str:
        return f"{self.protocol}://{self.bucket}" if self.bucket else self.protocol

    # ── what object stores can do besides ────────────────────────────────────────────────────────────────

    def ukey(self) -> str:
        """A text that changes when the file does."""
        return str(self.fs.ukey(self.path))

    def checksum(self) -> Any:
        return self.fs.checksum(self.path)

    def size(self) -> int:
        """In bytes."""
        return int(self.fs.size(self.path))

    def read_block(self, offset: int, length: int, delimiter: bytes | None = None) -> bytes:
        """That many bytes, extended to the delimiters around them where there is one."""
        return bytes(self.fs.read_block(self.path, offset, length, delimiter))

    def sign(self, expiration: int = 100, **kwargs: Any) -> str:
        """A URL that gives access for so many seconds, where the store can make one."""
        return str(self.fs.sign(self.path, expiration=expiration, **kwargs))

    def copy(self, dst: Any, recursive: bool = False, **kwargs: Any) -> "ObjectStoragePath":  # type: ignore[override]
        """Copy a file, or with ``recursive`` a folder, to ``dst``, on whatever file system that is; to where it is."""
        target = dst if isinstance(dst, ObjectStoragePath) else ObjectStoragePath(dst)
        if self.samestore(target):
            self.fs.copy(self.path, target.path, recursive=recursive, **kwargs)
            return target
        if self.is_dir():
            if not recursive:
                raise IsADirectoryError(f"{self} is a folder; copy it with recursive=True")
            for found in self.fs.find(self.path):
                self._stream(found, target / found.removeprefix(self.path).lstrip("/"))
            return target
        inside = str(dst).endswith("/") or target.is_dir()
        return self._stream(self.path, target / self.name if inside else target)

    def move(self, dst: Any, recursive: bool = False, **kwargs: Any) -> "ObjectStoragePath":  # type: ignore[override]
        """Copy it, and delete it here."""
        target = self.copy(dst, recursive=recursive, **kwargs)
        self.fs.rm(self.path, recursive=recursive)
        return target

    def _stream(self, path: str, target: "ObjectStoragePath") -> "ObjectStoragePath":
        FilePlace(target.fs, target.path, str(target)).make_parent()
        with self.fs.open(path, "rb") as reading, target.fs.open(target.path, "wb") as writing:
            shutil.copyfileobj(reading, writing)
        return target

    # ── as a result ──────────────────────────────────────────────────────────────────────────────────────

    def serialize(self) -> dict[str, Any]:
        """What is recorded of it; UnrecordableError where that would be a secret."""
        for name in self.storage_options:
            if is_sensitive(name):
                raise UnrecordableError(f"its option {name} is a secret; put it into a connection, and give conn_id")
        return {"path": str(self), "conn_id": self._conn_id, "kwargs": dict(self.storage_options)}

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:  # noqa: ARG003 - there is one version
        return cls(data["path"], conn_id=data["conn_id"], **data["kwargs"])


def _without_login(url: Any) -> tuple[Any, str | None]:
    """The URL, and the connection that stands in it where others have a login."""
    if not isinstance(url, str) or "://" not in url:
        return url, None
    login, at, _ = urlsplit(url).netloc.rpartition("@")
    return (url.replace(f"{login}@", "", 1), login or None) if at else (url, None)


def _root(path: UPath) -> str:
    """A URL on the same file system, for those whose host is a part of what they are."""
    parts = urlsplit(str(path))
    return str(path) if not parts.netloc else f"{parts.scheme}://{parts.netloc}/"


def _again(url: str, protocol: str, conn_id: str | None, options: dict[str, Any]) -> ObjectStoragePath:
    return ObjectStoragePath(url, protocol=protocol, conn_id=conn_id, **options)
