"""Where blue code may write: temporary folders, caches and devices."""

import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.dagbag.roots import Roots

_absolute, _real = os.path.abspath, os.path.realpath  # and not Path.resolve() for both: it follows links
_CACHES = frozenset({"__pycache__", ".cache", "Caches", ".matplotlib", ".pytest_cache", ".ipython"})
_CACHE_VARIABLES = ("XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "HF_HOME")
_HERE = -1


def is_free(path: Any, folder: int = _HERE, *, roots: Roots) -> bool:
    """Whether a file of that name, relative to an open ``folder`` if need be, may be written.

    What lies below the roots may not, wherever they are.
    """
    absolute = _located(path, folder)
    if absolute is None or not _CACHES.isdisjoint(absolute.split("/")):
        return True
    return f"{absolute}/".startswith(free_folders()) and roots.name(absolute) is None


@cache
def free_folders() -> tuple[str, ...]:
    """As they are when this is first called, which is before anything is judged: ``tempfile`` writes as it looks."""
    return tuple(f"{folder}/" for folder in _named_folders())


def _named_folders() -> Iterator[str]:
    for folder in ("/dev", "/tmp", "/var/tmp", tempfile.gettempdir()):  # noqa: S108 - only named here
        yield folder
        yield _real(folder)
    for variable in _CACHE_VARIABLES:
        if value := os.environ.get(variable):
            yield _absolute(value)


def _located(path: Any, folder: int) -> str | None:
    """None for what is open already, and for a name in a folder whose own name cannot be told."""
    if isinstance(path, int):
        return None
    name = os.fsdecode(path)
    if folder == _HERE or name.startswith("/"):
        return _absolute(name)
    try:
        return str(Path(f"/proc/self/fd/{folder}").readlink() / name)
    except OSError:
        return None
