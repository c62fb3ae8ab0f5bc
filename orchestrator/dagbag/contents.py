"""What files hold: content hashes by relative name, kept as long as a file's size and times stay."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from orchestrator.dagbag.discovery import may_hold_dags
from orchestrator.dagbag.roots import Roots

VARIABLE = "$"
KEPT = ("@variable:", "@connection:")
AFTER = "@after:"
LARGEST = 32 * 1024**2
"""Bytes above which a file is known by its size and time alone, and can be no part of a version."""


class _Seen(NamedTuple):
    size: int
    modified: int
    changed: int
    inode: int


class _Content(NamedTuple):
    seen: _Seen
    hash: str
    may_hold_dags: bool


class Contents:
    """Hashes of what lies below the roots, by name: ``a/b.py`` a file, ``a/`` a folder's listing, ``$A`` a variable of
    ``environment``, ``@variable:a``, ``@connection:a`` or ``@after:MOMENT`` what ``kept`` has a stamp for. ``terms``
    are what a parse depends on besides.
    """

    def __init__(
        self,
        roots: Roots,
        *,
        terms: str = "",
        environment: Mapping[str, str] = os.environ,
        kept: Callable[[str], str | None] = lambda _name: None,
    ) -> None:
        self._roots = roots
        self._terms = terms
        self._environment = environment
        self._kept = kept
        self._contents: dict[str, _Content] = {}

    def hash(self, name: str) -> str | None:
        """The hash of what is there now; None where nothing is."""
        if name.startswith(VARIABLE):
            value = self._environment.get(name[1:])
            return None if value is None else content_hash(os.fsencode(value))
        if name.startswith((*KEPT, AFTER)):
            return self._kept(name)
        path = self._roots.path(name)
        try:
            return listing_hash(path) if name.endswith("/") else self._content(name, path).hash
        except (FileNotFoundError, NotADirectoryError):
            self._contents.pop(name, None)
            return None
        except OSError as error:
            return f"unreadable:{error.errno}"

    def may_hold_dags(self, name: str) -> bool:
        """Whether the file could define a DAG; one that cannot be read could."""
        try:
            return self._content(name, self._roots.path(name)).may_hold_dags
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def digest(self, names: Iterable[str], given: Mapping[str, str] = {}) -> str:
        """One hash over what these names are now, or were as ``given``; what is not there has no part in it."""
        digest = hashlib.sha256(self._terms.encode())
        for name in sorted(names):
            found = given.get(name) or self.hash(name)
            if found is not None:
                digest.update(f"\n{name}\0{found}".encode())
        return digest.hexdigest()

    def forget(self, name: str) -> None:
        """Look at that file afresh, even if its size and times are the same."""
        self._contents.pop(name, None)

    def _content(self, name: str, path: Path) -> _Content:
        status = path.stat()
        seen = _Seen(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        known = self._contents.get(name)
        if known is None or known.seen != seen:
            known = self._contents[name] = _read(path, status, seen)
        return known


def _read(path: Path, status: os.stat_result, seen: _Seen) -> _Content:
    if status.st_size > LARGEST:
        return _Content(seen, large_hash(status), True)
    data = path.read_bytes()
    return _Content(seen, content_hash(data), may_hold_dags(data))


def content_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def large_hash(status: os.stat_result) -> str:
    """Stands for the content of a file too large to be read for it."""
    return f"large:{status.st_size}:{status.st_mtime_ns}"


def listing_hash(folder: Path) -> str:
    """The hash of the names in a folder, but for hidden ones and Python's caches."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith((".", "__pycache__")))
    return content_hash("\0".join(names).encode("utf-8", "surrogateescape"))
