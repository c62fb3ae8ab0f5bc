"""Runs a DAG file, with the modules beside it taken from its own folder and from nowhere else.

One process can hold many versions of a file, each with helpers of the same names: a version's modules are in
``sys.modules`` only while it is active. Installed packages and the standard library come before local modules of
the same name, as in Airflow, so ``dags/email.py`` does not stand in the way of ``import email``. ``dags`` and
``plugins`` can be imported as packages, and ``airflow`` as what this program serves of it. No bytecode is read or
written: the source alone says what runs.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from orchestrator.authoring.collecting import collecting
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.extensions import keep_extensions
from orchestrator.authoring.inventory import inventory
from orchestrator.authoring.trying import reading_file
from orchestrator.authoring.workflow_dag import WorkflowDag
from orchestrator.authoring.workflow_definition import Workflow
from orchestrator.compat.airflow.finder import serve_airflow
from orchestrator.dagbag.blame import blame
from orchestrator.dagbag.finder import LocalFinder, SourceLoader
from orchestrator.dagbag.local_extensions import LocalExtensions
from orchestrator.dagbag.roots import PLUGINS, Roots
from orchestrator.dagbag.stock import stock_of
from orchestrator.exceptions import DagError


class LocalModules:
    """The local modules of one version. ``sources`` are the files that were run, as they were read."""

    def __init__(self, roots: Roots) -> None:
        self.roots = roots
        self.sources: dict[str, bytes] = {}
        self.extensions = LocalExtensions(roots)
        self._finder = LocalFinder(roots, self.sources.__setitem__)
        self._modules: dict[str, ModuleType] = {}
        self._depth = 0

    @contextmanager
    def active(self) -> Iterator[None]:
        """This version's modules are the ones that imports find."""
        if self._depth:
            yield
            return
        displaced, before = self._enter(), keep_extensions(self.extensions)
        try:
            yield
        finally:
            keep_extensions(before)
            self._leave(displaced)

    def execute(self, file: str) -> ModuleType:
        """Run ``file`` as a module of its own, whose name is the same in each version."""
        path = str(self.roots.path(file))
        name = "dag_file_" + re.sub(r"\W", "_", file.removesuffix(".py"))
        loader = SourceLoader(name, path, file, self.sources.__setitem__)
        spec = spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        module = sys.modules[name] = module_from_spec(spec)
        self._finder.modules.add(name)
        loader.exec_module(module)
        return module

    def loaded(self) -> list[ModuleType]:
        """The modules of this version that have been run, while it is active."""
        return [sys.modules[name] for name in sorted(self._finder.modules) if name in sys.modules]

    def _enter(self) -> dict[str, ModuleType]:
        self._depth = 1
        serve_airflow()
        displaced = {name: sys.modules[name] for name in self._modules if name in sys.modules}
        sys.modules.update(self._modules)
        sys.meta_path.insert(0, self._finder)
        return displaced

    def _leave(self, displaced: dict[str, ModuleType]) -> None:
        self._depth = 0
        sys.meta_path.remove(self._finder)
        for name in self._finder.modules:
            module = sys.modules.pop(name, None)
            if module is not None:
                self._modules[name] = module
        sys.modules.update(displaced)


class LoadedFile:
    """A DAG file that was run. ``dags`` by dag_id; ``needs`` are the local source files, by relative name."""

    def __init__(self, modules: LocalModules, dags: dict[str, DAG]) -> None:
        self.dags = dags
        self.needs = tuple(sorted(modules.sources))
        self._modules = modules

    def activate(self) -> AbstractContextManager[None]:
        """Local imports inside, also those made late in a task's body, mean this file's version."""
        return self._modules.active()


def load(folder: Path, file: str, *, plugins: Path | None = None) -> LoadedFile:
    """Run ``file`` of ``folder``, a snapshot unless ``plugins`` is given. DagImportError says why it cannot."""
    modules = LocalModules(Roots(folder, plugins))
    return LoadedFile(modules, run_file(modules, file))


def run_file(modules: LocalModules, file: str) -> dict[str, DAG]:
    """The DAGs that ``file`` defines, by dag_id. DagImportError has the author's place and frames."""
    try:
        with modules.active(), collecting() as built, inventory() as made, reading_file():
            module = modules.execute(file)
            dags = _by_id([*built, *_imported(module, modules.roots)])
            workflows = [dag for dag in dags.values() if isinstance(dag, WorkflowDag)]
            if workflows:
                stock = stock_of(made, modules.loaded(), workflows, modules.roots)
                for dag in workflows:
                    dag.adopt(modules.roots.name(dag.place.file) or file, stock)
        return dags
    except (Exception, SystemExit) as error:
        raise blame(error, file, modules.roots) from error


def _imported(module: ModuleType, roots: Roots) -> Iterator[DAG]:
    """The DAGs that the file took from a plugin or a package; those of another DAG file stay that file's own."""
    for value in [one.dag if isinstance(one, Workflow) else one for one in vars(module).values()]:
        if isinstance(value, DAG) and (roots.name(value.place.file) or PLUGINS).startswith(PLUGINS):
            yield value


def _by_id(dags: Iterable[DAG]) -> dict[str, DAG]:
    found: dict[str, DAG] = {}
    for dag in dags:
        first = found.setdefault(dag.dag_id, dag)
        if first is not dag:
            raise DagError(
                f"DAG {dag.dag_id!r} is defined on line {first.place.line} already; give one of them another dag_id",
                file=dag.place.file,
                line=dag.place.line,
            )
    return found
