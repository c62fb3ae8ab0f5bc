"""Candidates: a DAG file as it would be recorded, parsed as the dag processor parses it, and not recorded."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from orchestrator.assembly.dag_processor import make_dag_processor
from orchestrator.assembly.home import Home
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagImportError, NotFoundError
from orchestrator.ports import ImportFailure, ParsedDag, ParsedFile
from orchestrator.storage.guests import Guests
from orchestrator.storage.snapshots import lay_out


def parse_candidate(home: Home, path: Path, dag_id: str | None = None) -> ParsedFile:
    """The DAGs of the file at ``path``: one in the DAGs folder, or a changed copy of one from anywhere.

    A copy is parsed as if it stood in the folder already, with all that lies beside it: in the place of the file that
    has ``dag_id``, else of the one of the same name, else of the one that has its DAGs. DagImportError if it cannot be
    parsed, NotFoundError if there is no such file.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}; name a DAG file")
    folder = home.config.core.dags_folder
    name = _name_below(folder, path)
    if name is not None:
        return _parsed(home, home.config, name)
    files = {dag.dag_id: dag.header.file for dag in home.reads.dags()}
    namesake = next((file for file in files.values() if Path(file).name == path.name), path.name)
    name = files.get(dag_id or "", namesake)
    parsed = _parsed_as(home, folder, name, path)
    owner = next((files[dag.spec.dag_id] for dag in parsed.dags if dag.spec.dag_id in files), name)
    return parsed if name in files.values() or owner == name else _parsed_as(home, folder, owner, path)


def keep_candidate(home: Home, parsed: ParsedFile, dag: ParsedDag) -> int:
    """Record the version without making it the DAG's current one; its version id."""
    return Guests(home.engine, SystemClock()).keep_versions([(parsed, dag)])[0]


@contextlib.contextmanager
def laid_out(parsed: ParsedFile) -> Iterator[Callable[[], str]]:
    """What gives the folder of the file's code, put there when it is first asked for and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-candidate-") as made:
        target = Path(made, "code")

        def code() -> str:
            lay_out(target, parsed.files)
            return str(target)

        yield code


def unreadable(failure: ImportFailure) -> DagImportError:
    """The error of a file that cannot be read as DAG files are."""
    return DagImportError(failure.message, file=failure.file, line=failure.line, frames=failure.frames)


def _parsed_as(home: Home, folder: Path, name: str, path: Path) -> ParsedFile:
    """The file at ``path``, parsed in the place of ``name``."""
    with _overlaid(folder, name, path) as overlay:
        core = msgspec.structs.replace(home.config.core, dags_folder=overlay)
        return _parsed(home, msgspec.structs.replace(home.config, core=core), name)


def _parsed(home: Home, config: Config, name: str) -> ParsedFile:
    processor = make_dag_processor(config, home.engine, on_change=lambda: None)
    try:
        parsed = processor.parse(name)
    finally:
        processor.close()
    if parsed.failure is not None:
        raise unreadable(parsed.failure)
    return parsed


def _name_below(folder: Path, path: Path) -> str | None:
    """The path below the DAGs folder, as it is written or behind its links."""
    return Roots(folder).name(str(path)) or Roots(folder.resolve()).name(str(path.resolve()))


@contextlib.contextmanager
def _overlaid(folder: Path, name: str, path: Path) -> Iterator[Path]:
    """The DAGs folder with the file ``path`` in the place of ``name``; all others are links to what they are."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-candidate-") as made:
        here, there = Path(made), folder.resolve()
        *folders, last = Path(name).parts
        for part in folders:
            _link_all(there, here, but=part)
            here, there = here / part, there / part
            here.mkdir()
        _link_all(there, here, but=last)
        here = here / last
        here.write_bytes(path.read_bytes())
        yield Path(made)


def _link_all(there: Path, here: Path, *, but: str) -> None:
    for entry in there.iterdir() if there.is_dir() else ():
        if entry.name != but:
            (here / entry.name).symlink_to(entry)
