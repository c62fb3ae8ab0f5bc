"""Candidates: where plugins may be, before any of their code runs."""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from orchestrator.plugins import ENTRY_POINTS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_RECORD = "entry_points.txt"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is what people call it; ``source`` a file below plugins_folder, or ``package:attribute`` that is
    installed. ``problem`` says why it cannot be one.
    """

    name: str
    source: str
    is_installed: bool = False
    problem: str = ""


def candidates(folder: Path) -> list[Candidate]:
    """Those of the folder by name, then those that packages bring. Of two of one name the second cannot be one."""
    found: dict[str, Candidate] = {}
    twice: list[Candidate] = []
    for one in (*_in_folder(folder), *_installed()):
        first = found.setdefault(one.name, one)
        if first is not one:
            problem = f"there is a plugin {one.name!r} in {first.source} already; give one of them another name"
            twice.append(msgspec.structs.replace(one, problem=problem))
    return [*found.values(), *twice]


def in_folder(folder: Path) -> list[Candidate]:
    """Those of the folder, by name."""
    return list(_in_folder(folder))


def installed(name: str | None = None) -> Iterator["EntryPoint"]:
    """The entry points of installed packages, or the one of that name."""
    if _has_entry_points():
        for one in import_module("importlib.metadata").entry_points(group=ENTRY_POINTS):  # which is large
            if name is None or one.name == name:
                yield one


def stamp(folder: Path) -> str:
    """Changes whenever a file of the folder does, or a package is installed."""
    return "\n".join([sys.version, *_stamps_of_files(folder), *_stamps_of_packages()])


def _in_folder(folder: Path) -> Iterator[Candidate]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir() and (path / "__init__.py").is_file():
            yield _candidate(path.name, f"{path.name}/__init__.py")
        elif path.suffix == ".py" and path.is_file():
            yield _candidate(path.stem, path.name)


def _candidate(name: str, source: str) -> Candidate:
    problem = "" if name.isidentifier() else f"{source} cannot be imported by its name; rename it to a Python name"
    return Candidate(name=name, source=source, problem=problem)


def _installed() -> Iterator[Candidate]:
    for one in installed():
        yield Candidate(name=one.name, source=one.value, is_installed=True)


def _has_entry_points() -> bool:
    """Whether any package has a plugin: the files are read, for to ask importlib takes five times as long."""
    for folder in _package_folders():
        for entry in os.scandir(folder):
            if entry.name.endswith((".dist-info", ".egg-info")):
                try:
                    text = Path(entry.path, _RECORD).read_text(encoding="utf-8", errors="replace")
                except OSError:
                    continue
                if ENTRY_POINTS in text:
                    return True
    return False


def _package_folders() -> list[str]:
    return [path for path in dict.fromkeys(sys.path) if path and Path(path).is_dir()]


def _stamps_of_files(folder: Path) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith((".", "__pycache__")))
        for name in sorted(names):
            if name.endswith(".py"):
                yield _stamp_of(Path(path, name))


def _stamps_of_packages() -> Iterator[str]:
    yield from (_stamp_of(Path(folder)) for folder in _package_folders() if folder.endswith("-packages"))


def _stamp_of(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return f"{path} gone"
    return f"{path} {status.st_size} {status.st_mtime_ns}"
