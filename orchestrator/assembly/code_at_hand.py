"""Code at hand: a DAG as a recorded version, a file or a folder of DAG files has it, ready to be loaded."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from orchestrator.assembly.candidates import laid_out, unreadable
from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.dag_processor import defaults_of
from orchestrator.assembly.home import Home
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.spec import DagSpec
from orchestrator.dagbag.dag_processor import DagProcessor
from orchestrator.dagbag.discovery import discover, may_hold_dags
from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.ports import KnownFile, ParsedFile


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG and the folder of the files that it needs. ``name`` says which it is, to a person.

    ``version_id`` and ``number`` are 0 where it is no recorded version.
    """

    spec: DagSpec
    folder: str
    name: str
    version_id: int = 0
    number: int = 0


def code_of_version(home: Home, dag_id: str, number: int | None) -> Code:
    """That version, as ``dags details`` counts them; the DAG as it stands now where none is named."""
    versions = home.reads.versions(dag_id)
    current = home.reads.dag(dag_id).version_number if number is None else number
    for version in versions:
        if version.number == current:
            folder = make_catalog(home.config, home.engine).code(version.version_id)
            spec = home.reads.spec(version.version_id)
            name = f"version {current}"
            return Code(spec=spec, folder=folder, name=name, version_id=version.version_id, number=version.number)
    known = ", ".join(str(version.number) for version in versions[::-1])
    raise NotFoundError(f"the DAG {dag_id!r} has no version {number}; it has {known}")


@contextlib.contextmanager
def code_of_file(config: Config, path: Path, dag_id: str) -> Iterator[Code]:
    """The DAG as that file defines it, or one of the files of that folder does; nothing is recorded.

    DagImportError where the file cannot be read as DAG files are; NotFoundError where it has no such DAG.
    """
    path = path.resolve()
    folder, names = places(config, path)
    found, failures = None, []
    seen: set[str] = set()
    for parsed in parse_files(config, folder, names):
        seen.update(dag.spec.dag_id for dag in parsed.dags)
        if parsed.failure is not None:
            failures.append(parsed.failure)
        found = next(((parsed, dag.spec) for dag in parsed.dags if dag.spec.dag_id == dag_id), None)
        if found is not None:
            break
    if found is None:
        if failures:
            raise unreadable(failures[0])
        raise NotFoundError(f"{path} has no DAG {dag_id!r}{did_you_mean(dag_id, seen)}")
    with laid_out(found[0]) as code:
        yield Code(spec=found[1], folder=code(), name=found[1].file)


def places(config: Config, path: Path) -> tuple[Path, Sequence[str]]:
    """The folder that counts as dags_folder, and the files in it to look at."""
    if path.is_dir():
        return path, [name for name in discover(path).files if may_hold_dags((path / name).read_bytes())]
    if not path.is_file():
        raise NotFoundError(f"there is no DAG file {path}")
    dags = config.core.dags_folder.resolve()
    folder = dags if path.is_relative_to(dags) else path.parent
    return folder, [str(path.relative_to(folder))]


def parse_files(config: Config, folder: Path, names: Iterable[str]) -> Iterator[ParsedFile]:
    """What a parse finds in each of these files; nothing is recorded."""
    processor = DagProcessor(
        folder,
        config.core.plugins_folder,
        writer=_Nobody(),
        on_change=lambda: None,
        clock=SystemClock(),
        defaults=defaults_of(config),
        timeout=config.core.dagbag_import_timeout,
        parallel=1,
        max_file_bytes=config.dag_processor.max_file_bytes,
    )
    try:
        for name in names:
            yield processor.parse(name)
    finally:
        processor.close()


class _Nobody:
    """A CatalogWriter that keeps nothing."""

    def record(self, parsed: Sequence[ParsedFile]) -> None:
        """What is only looked at is not kept."""

    def remove(self, files: Sequence[str]) -> None:
        """There is nothing to remove."""

    def known(self) -> dict[str, KnownFile]:
        return {}
