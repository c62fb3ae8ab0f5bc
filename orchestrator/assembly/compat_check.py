"""Whether files written for Airflow run here: what their source asks for, and what a parse of each comes to."""

import ast
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from orchestrator.assembly.dag_processor import defaults_of
from orchestrator.compat.airflow.catalog import ROOT
from orchestrator.compat.airflow.context_words import context_findings
from orchestrator.compat.airflow.finder import is_airflow_installed
from orchestrator.compat.airflow.findings import Finding, Kind
from orchestrator.compat.airflow.imports import import_findings
from orchestrator.compat.airflow.keywords import keyword_findings
from orchestrator.config import Config
from orchestrator.dagbag.discovery import discover, may_hold_dags
from orchestrator.dagbag.jobs import Job, Limits
from orchestrator.dagbag.parsers import Parsed, Parsers
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import ConflictError, NotFoundError

_RUNS = "runs"
Progress = Callable[[int, int], None]


class FileCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say of one file; ``file`` is relative to the folder that was checked."""

    file: str
    dags: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """``runs``, or the gravest kind of its findings."""
        kinds = {finding.kind for finding in self.findings}
        return Kind.MISSING if Kind.MISSING in kinds else Kind.DIFFERS if kinds else _RUNS


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were checked, by name, and how many of them are ``missing`` something of each feature."""

    files: tuple[FileCheck, ...]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many files there are of each verdict."""
        found = Counter(str(file.verdict) for file in self.files)
        return {verdict: found[verdict] for verdict in (_RUNS, *Kind)}

    @property
    def missing(self) -> dict[str, int]:
        """The features that files lack, those that most of them lack first."""
        found = Counter(
            feature
            for file in self.files
            for feature in {one.feature for one in file.findings if one.kind is Kind.MISSING}
        )
        found.pop("", None)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def check_path(config: Config, path: Path, *, progress: Progress) -> Check:
    """Check a file, or every Python file below a folder that imports airflow or can hold DAGs; nothing is recorded.

    ``progress`` is told how many are done, of how many. NotFoundError if there is nothing at ``path``, ConflictError
    where Airflow itself is installed, which is then what its imports mean.
    """
    if is_airflow_installed():
        raise ConflictError(
            "Airflow itself is installed in this environment, so its files get Airflow's own modules; "
            "check them from an environment without it"
        )
    roots, files = _files(config, path)
    sources = {file: roots.path(file).read_bytes() for file in files}
    sources = {file: data for file, data in sources.items() if path.is_file() or _is_concerned(data)}
    done: list[FileCheck] = []
    for parsed in _parses(config, roots, sources):
        done.append(_checked(parsed.job.file, sources[parsed.job.file], parsed))
        progress(len(done), len(sources))
    return Check(files=tuple(sorted(done, key=lambda one: one.file)))


def _files(config: Config, path: Path) -> tuple[Roots, tuple[str, ...]]:
    """The folders that its local modules come from, and the files to check, relative to the first of them."""
    if not path.exists():
        raise NotFoundError(f"there is no file or folder {path}; name a DAG file, or a folder of them")
    path = path.resolve()
    home = Roots(config.core.dags_folder.resolve(), config.core.plugins_folder)
    folder = path if path.is_dir() else path.parent
    is_at_home = path == home.folder or home.name(str(path)) is not None
    roots = home if is_at_home else Roots(folder, config.core.plugins_folder)
    if path.is_file():
        return roots, (roots.name(str(path)) or path.name,)
    prefix = "" if path == roots.folder else f"{roots.name(str(path))}/"
    return roots, tuple(f"{prefix}{file}" for file in discover(path).files)


def _is_concerned(data: bytes) -> bool:
    return may_hold_dags(data) and ROOT.encode() in data


def _parses(config: Config, roots: Roots, files: Iterable[str]) -> Iterator[Parsed]:
    """What became of each file, parsed as the dag processor does it, in the order in which they end."""
    parsers = Parsers(config.dag_processor.parsing_processes)
    limits = Limits(
        timeout=config.core.dagbag_import_timeout.total_seconds(), source=config.dag_processor.max_file_bytes
    )
    jobs = [
        Job(
            file=file,
            folder=str(roots.folder),
            plugins=str(roots.plugins),
            defaults=defaults_of(config),
            limits=limits,
            quarantine=config.core.quarantine,
        )
        for file in files
    ]
    try:
        for batch in parsers.parse(jobs, threading.Event()):
            yield from batch
    finally:
        parsers.close()


def _checked(file: str, source: bytes, parsed: Parsed) -> FileCheck:
    """What its source says, and what its parse says besides."""
    found = list(_of_source(file, source))
    found += [one for one in _of_parse(parsed) if not any(_is_same(one, other) for other in found)]
    return FileCheck(
        file=file,
        dags=tuple(dag.spec.dag_id for dag in parsed.parsed.dags) if parsed.parsed is not None else (),
        findings=tuple(sorted(found, key=lambda one: (one.file != file, one.file, one.line))),
    )


def _of_source(file: str, source: bytes) -> Iterator[Finding]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return  # the parse says where
    yield from import_findings(file, tree)
    yield from keyword_findings(file, tree)
    yield from context_findings(file, tree)


def _of_parse(parsed: Parsed) -> Iterator[Finding]:
    file = parsed.job.file
    if parsed.parsed is None:
        yield Finding(file=file, line=0, kind=Kind.MISSING, sentence=parsed.death)
        return
    for failure in (parsed.parsed.failure, parsed.parsed.warning):
        if failure is not None:
            kind = Kind.DIFFERS if failure.is_warning else Kind.MISSING
            yield Finding(file=failure.file or file, line=failure.line or 0, kind=kind, sentence=failure.message)


def _is_same(one: Finding, known: Finding) -> bool:
    """Whether the parse has met what was seen in the source; what differs there does not explain a failure."""
    if one.kind is Kind.MISSING and known.kind is not Kind.MISSING:
        return False
    return one.file == known.file and (one.line == known.line or one.sentence.endswith(known.sentence))
