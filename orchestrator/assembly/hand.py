"""A hand: DAGs that this process has as objects, ready to be run in it as they are."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from orchestrator.assembly.dag_processor import defaults_of
from orchestrator.assembly.stand_ins import with_stand_ins
from orchestrator.authoring.compiling import compile_dag
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.operators.activity import ActivityOperator
from orchestrator.authoring.workflow_dag import WorkflowDag
from orchestrator.authoring.workflow_definition import Workflow
from orchestrator.config import Config
from orchestrator.core.spec import fingerprint
from orchestrator.dagbag.roots import Roots
from orchestrator.dagbag.stock import stock_of
from orchestrator.ports import ParsedDag, ParsedFile

_ANY_CODE = "0" * 64


class Hand:
    """A DAG, and those beside it in its file, which it may start runs of. ``folder`` is that of the file.

    ``stand_ins`` go in the place of tasks of the DAG, by task_id.
    """

    def __init__(self, dag: DAG, stand_ins: Mapping[str, Any] | None = None) -> None:
        path = Path(dag.fileloc)
        is_file = path.is_file()
        self.folder = path.parent if is_file else Path.cwd()
        self.file = path.name if is_file else dag.fileloc or "<memory>"
        self.is_file = is_file
        everything = {one.dag_id: one for one in (*_neighbours(dag), dag)}
        for one in everything.values():
            _adopt(one, self.file, Roots(self.folder))
        self._dags: Mapping[str, DAG] = everything
        self.dags = {**everything, dag.dag_id: with_stand_ins(dag, stand_ins or {})}

    @property
    def has_workflows(self) -> bool:
        return any(isinstance(dag, WorkflowDag) for dag in self._dags.values())

    def activate(self) -> AbstractContextManager[object]:
        """Imports mean this process's own modules in any case."""
        return nullcontext()

    def load(self, folder: Path, file: str) -> "Hand":  # noqa: ARG002 - there is one version, and it is here
        """In the place of what loads a version's files."""
        return self

    def parsed(self, config: Config) -> ParsedFile:
        """What a parse of the file would have found; DagError says what is wrong with a DAG."""
        defaults = defaults_of(config)
        specs = [compile_dag(dag, file=self.file, defaults=defaults) for dag in self._dags.values()]
        dags = (ParsedDag(spec=one, fingerprint=fingerprint(one), code_fingerprint=_ANY_CODE) for one in specs)
        return ParsedFile(file=self.file, digest=_ANY_CODE, dags=tuple(dags), files={self.file: b""})


def dag_of(value: Any) -> DAG | None:
    """The DAG that an author's object is, if it is one."""
    found = value.dag if isinstance(value, Workflow) else value
    return found if isinstance(found, DAG) else None


def dags_in(values: Iterable[Any]) -> Sequence[DAG]:
    """Those among an author's objects, each once."""
    found = [dag for dag in map(dag_of, values) if dag is not None]
    return list({id(dag): dag for dag in found}.values())


def _neighbours(dag: DAG) -> Iterator[DAG]:
    """The DAGs that the module has by name in whose file this one was made."""
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == dag.fileloc:
            yield from (one for one in dags_in(list(vars(module).values())) if one.fileloc == dag.fileloc)


def _adopt(dag: DAG, file: str, roots: Roots) -> None:
    """Let a workflow know the activities and signals of its module."""
    if isinstance(dag, WorkflowDag):
        known = {id(one.function) for one in dag.tasks if isinstance(one, ActivityOperator)}
        stock = stock_of((), (), [dag], roots)
        dag.adopt(file, [one for one in stock if id(getattr(one, "function", None)) not in known])
