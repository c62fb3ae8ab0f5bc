"""The code of a DAG: a version's files, and what differs between two versions."""

import difflib
from collections.abc import Mapping

import msgspec
from markupsafe import Markup, escape

from orchestrator.assembly.home import Home
from orchestrator.exceptions import NotFoundError
from orchestrator.storage.views import VersionRow
from orchestrator.web.coloured import coloured_lines

_AROUND = 3
_MOST_LINES = 5000


class DiffLine(msgspec.Struct, frozen=True, kw_only=True):
    """``kind`` is added, removed, same or skipped; numbers are those of the two files, None where it is in one only."""

    kind: str
    text: Markup
    old: int | None = None
    new: int | None = None


class FileDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs in one file."""

    path: str
    lines: list[DiffLine]


class DagCode(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a version, or with ``against`` all that has changed since that version."""

    versions: list[VersionRow]
    version: VersionRow
    against: VersionRow | None
    files: list[str]
    file: str
    lines: tuple[Markup, ...]
    diffs: list[FileDiff]
    line: int


def dag_code(home: Home, dag_id: str, number: int | None, against: int | None, file: str) -> DagCode:
    """The newest version, and the DAG's own file, unless others are named. NotFoundError where they are not there."""
    versions = home.reads.versions(dag_id)
    version = versions[0] if number is None else _numbered(versions, dag_id, number)
    other = None if against is None else _numbered(versions, dag_id, against)
    source = _texts(home.reads.source(version.version_id))
    path = _chosen(source, file, version.file)
    return DagCode(
        versions=versions,
        version=version,
        against=other,
        files=list(source),
        file=path,
        lines=coloured_lines(source[path], path) if path and other is None else (),
        diffs=[] if other is None else diffs(_texts(home.reads.source(other.version_id)), source),
        line=home.reads.dag(dag_id).header.line if path.endswith(version.file) else 0,
    )


def diffs(old: Mapping[str, str], new: Mapping[str, str]) -> list[FileDiff]:
    """Of the files that differ, by path."""
    paths = sorted({*old, *new})
    return [
        FileDiff(path=path, lines=_lines(old.get(path, ""), new.get(path, ""), path))
        for path in paths
        if old.get(path) != new.get(path)
    ]


def _lines(old: str, new: str, path: str) -> list[DiffLine]:
    before, after = old.split("\n"), new.split("\n")
    if len(before) + len(after) > 2 * _MOST_LINES:
        return [DiffLine(kind="skipped", text=escape("too long to be compared here"))]
    olds, news = coloured_lines(old, path), coloured_lines(new, path)
    found: list[DiffLine] = []
    end = 0
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_AROUND):
        if (skipped := group[0][1] - end) > 0:
            found.append(DiffLine(kind="skipped", text=escape(f"{skipped} lines are the same")))
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                found += [
                    DiffLine(kind="same", text=news[j], old=i + 1, new=j + 1)
                    for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
                ]
                continue
            found += [DiffLine(kind="removed", text=olds[i], old=i + 1) for i in range(i1, i2)]
            found += [DiffLine(kind="added", text=news[j], new=j + 1) for j in range(j1, j2)]
        end = group[-1][2]
    return found


def _numbered(versions: list[VersionRow], dag_id: str, number: int) -> VersionRow:
    for version in versions:
        if version.number == number:
            return version
    raise NotFoundError(f"the DAG {dag_id!r} has no version {number}; the newest is {versions[0].number}")


def _texts(source: Mapping[str, bytes]) -> dict[str, str]:
    return {path: content.decode("utf-8", "replace") for path, content in source.items()}


def _chosen(source: Mapping[str, str], wanted: str, own: str) -> str:
    """The file that is named, else the DAG's own, else the first; "" where none is recorded."""
    if wanted:
        if wanted not in source:
            raise NotFoundError(f"this version has no file {wanted!r}")
        return wanted
    return next((path for path in source if path == own or path.endswith(f"/{own}")), next(iter(source), ""))
