"""Code: the modules of one version, for the triggers whose classes are in them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from orchestrator.compat.airflow.finder import serve_airflow
from orchestrator.core.waits import Wait
from orchestrator.dagbag.importing import LocalModules, run_file
from orchestrator.dagbag.roots import Roots

_OF_DAG_FILE = "dag_file_"  # how the module of a DAG file is called in which a trigger's class says its __module__


class Code:
    """Of one folder, or with none only of what is installed."""

    def __init__(self, folder: str) -> None:
        self._modules = LocalModules(Roots(Path(folder))) if folder else None
        self._files: set[str] = set()

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Imports find the modules of this version first."""
        serve_airflow()
        with contextlib.nullcontext() if self._modules is None else self._modules.active():
            yield

    def prepare(self, wait: Wait) -> None:
        """Run the DAG file, if the class is in there, while the code is active; DagImportError where it cannot be."""
        is_inside = wait.trigger.classpath.startswith(_OF_DAG_FILE)
        if self._modules is not None and is_inside and wait.file not in self._files:
            run_file(self._modules, wait.file)
            self._files.add(wait.file)
