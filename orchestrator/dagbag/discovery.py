"""Which files are DAG files: Python files below dags_folder that no ``.airflowignore`` leaves out.

An ``.airflowignore`` has one pattern a line, as in ``.gitignore`` (Airflow 3's glob syntax), for what lies in its
folder and below; the one nearest to a file has the last word. Hidden files and folders and ``__pycache__`` are never
looked at.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from pathspec import GitIgnoreSpec

IGNORE_FILE = ".airflowignore"
_WORDS = (b"dag", b"workflow", b"asset")
_SOURCES = (b"orchestrator", b"airflow")

_FILE, _FOLDER = "file", "folder"

_Place: TypeAlias = tuple[int, int]


class Discovery(NamedTuple):
    """What lies below a folder, by relative name, sorted. ``unseen`` are the folders that could not be listed."""

    files: tuple[str, ...]
    unseen: tuple[str, ...]
    problems: tuple[str, ...]


class _Rules(NamedTuple):
    """The patterns of one ignore file, and the folder that they are relative to."""

    folder: str
    patterns: GitIgnoreSpec

    def verdict(self, name: str) -> bool | None:
        """Whether they leave out that name; None where they say nothing of it."""
        return self.patterns.check_file(name.removeprefix(self.folder)).include


def discover(folder: Path) -> Discovery:
    """The Python files below ``folder``; links are followed, but never in a circle."""
    walk = _Walk(folder)
    files = sorted(walk.below("", (), ()))
    return Discovery(tuple(files), tuple(walk.unseen), tuple(walk.problems))


def may_hold_dags(data: bytes) -> bool:
    """Whether the source could define a DAG: it names one of ``dag``, ``workflow``, ``asset``, in any case, and where
    they come from, ``orchestrator`` or ``airflow``. Text that is no UTF-8 may, so that its author is told.
    """
    text = data.lower().replace(b"\0", b"")
    return any(word in text for word in _WORDS) and any(source in text for source in _SOURCES)


class _Walk:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.unseen: list[str] = []
        self.problems: list[str] = []

    def below(self, prefix: str, rules: tuple[_Rules, ...], above: tuple[_Place, ...]) -> Iterator[str]:
        """The files in the folder whose names begin with ``prefix``; ``above`` are the folders on the way to it."""
        try:
            here = (self._folder / prefix).stat()
            with os.scandir(self._folder / prefix) as entries:
                found = [entry for entry in entries if not entry.name.startswith((".", "__pycache__"))]
        except OSError as error:
            self.unseen.append(prefix)
            self.problems.append(f"the folder {self._folder / prefix} cannot be read: {error.strerror}")
            return
        place = (here.st_dev, here.st_ino)
        if place in above:
            return
        rules = (*rules, *self._rules(prefix))
        for entry in found:
            name = prefix + entry.name
            kind = _kind(entry)
            if kind is _FOLDER and not _ignored(f"{name}/", rules):
                yield from self.below(f"{name}/", rules, (*above, place))
            elif kind is _FILE and name.endswith(".py") and not _ignored(name, rules) and self._is_text(name):
                yield name

    def _rules(self, prefix: str) -> Iterator[_Rules]:
        path = self._folder / prefix / IGNORE_FILE
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{path} cannot be read, so it leaves nothing out: {error}")
            return
        yield _Rules(prefix, self._compiled(path, lines))

    def _compiled(self, path: Path, lines: list[str]) -> GitIgnoreSpec:
        try:
            return GitIgnoreSpec.from_lines(lines)
        except ValueError:
            return GitIgnoreSpec.from_lines(
                [line if self._is_pattern(path, n, line) else "" for n, line in enumerate(lines, 1)]
            )

    def _is_pattern(self, path: Path, number: int, line: str) -> bool:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            self.problems.append(f"{path}:{number}: {line!r} is no pattern, so it leaves nothing out")
            return False
        return True

    def _is_text(self, name: str) -> bool:
        try:
            name.encode()
        except UnicodeEncodeError:
            self.problems.append(f"the name of {name!r} is no UTF-8, so the file is passed over; rename it")
            return False
        return True


def _kind(entry: os.DirEntry[str]) -> str | None:
    try:
        return _FOLDER if entry.is_dir() else _FILE if entry.is_file() else None
    except OSError:  # a link that leads nowhere, or to itself
        return None


def _ignored(name: str, rules: tuple[_Rules, ...]) -> bool:
    for rule in reversed(rules):
        verdict = rule.verdict(name)
        if verdict is not None:
            return verdict
    return False
