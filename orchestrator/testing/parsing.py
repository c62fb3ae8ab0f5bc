"""Whether every DAG file of a folder can be read."""

import os
from pathlib import Path

from orchestrator.assembly.candidates import unreadable
from orchestrator.assembly.code_at_hand import parse_files, places
from orchestrator.config import load_config
from orchestrator.core.spec import DagSpec


def dag_files(folder: str | os.PathLike[str] = "dags") -> list[Path]:
    """The DAG files in a folder, as the dag processor finds them: ``@pytest.mark.parametrize("file", dag_files())``."""
    root = Path(folder).resolve()
    _, names = places(load_config(os.environ, Path.cwd()), root)
    return [root / name for name in sorted(names)]


def check_dag_file(file: str | os.PathLike[str]) -> dict[str, DagSpec]:
    """Read the file as the dag processor does, in a process of its own; its DAGs as plain data, by dag_id.

    DagImportError says what is wrong, with file and line: with the code, with a DAG, or a side effect while it is read.
    """
    config = load_config(os.environ, Path.cwd())
    folder, names = places(config, Path(file).resolve())
    (parsed,) = parse_files(config, folder, names)
    if parsed.failure is not None:
        raise unreadable(parsed.failure)
    return {dag.spec.dag_id: dag.spec for dag in parsed.dags}
