"""Plays: a file of workflows, written in a test, loaded as a worker loads it and run by the machine that replays it."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.operators.activity import ActivityOperator
from orchestrator.authoring.workflow_dag import WorkflowDag
from orchestrator.core import values
from orchestrator.core.spec import DagSpec
from orchestrator.dagbag import importing
from orchestrator.dagbag.importing import LoadedFile
from orchestrator.dagbag.jobs import Job
from orchestrator.dagbag.parsing import Parse
from orchestrator.ports import ImportFailure, ParsedFile
from orchestrator.replay import Machine
from tests.replay.engine import Engine, machine

HEAD = """\
from orchestrator import *
from orchestrator import DAG, activity, gather, schedule_activity, start_activity, task, workflow
from orchestrator.workflow import *
"""


class Files:
    """A dags folder. Each file that is written begins with the imports that workflows need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, source: str, name: str = "flows.py") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
        return path

    def load(self, name: str = "flows.py") -> LoadedFile:
        return importing.load(self.folder, name)

    def parse(self, name: str = "flows.py") -> ParsedFile:
        job = Job(file=name, folder=str(self.folder), plugins=str(self.folder / ".plugins"), defaults=Defaults())
        return Parse(job).run()

    def spec(self, source: str, dag_id: str = "flow", name: str = "flows.py") -> DagSpec:
        """The workflow of that id as the dag processor records it."""
        self.write(source, name)
        parsed = self.parse(name)
        assert parsed.failure is None, parsed.failure
        return {found.spec.dag_id: found.spec for found in parsed.dags}[dag_id]

    def refusal(self, source: str) -> ImportFailure:
        """Why the file is refused."""
        self.write(source)
        failure = self.parse().failure
        assert failure is not None
        return failure

    def play(self, source: str, params: dict[str, Any] | None = None, dag_id: str = "flow") -> "Play":
        """A run of the workflow of that id, at its first rest."""
        self.write(source)
        return Play(self.load(), dag_id, params or {})


class Play(Engine):
    """A run of a workflow whose activities are called, in the order that the test says, when they come."""

    def __init__(self, loaded: LoadedFile, dag_id: str, params: dict[str, Any]) -> None:
        dag = loaded.dags[dag_id]
        assert isinstance(dag, WorkflowDag)
        self.dag = dag
        super().__init__(lambda blue: None, params=params, answer=self._call)

    def _call(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        task = self.dag.get_task(name)
        assert isinstance(task, ActivityOperator)
        return task.function(*args, **kwargs)

    def new_machine(self, function: Callable[..., Any] | None = None, version: int = 1, after: int = 0) -> Machine:
        return machine(self.dag.workflow, self.params, self.payloads, version)

    @property
    def result(self) -> Any:
        """What the workflow returned; its failure fails the test."""
        self.run_all()
        assert self.ended is not None, self.blocked
        assert self.ended.failure is None, self.ended.failure
        return values.decode(self.ended.result)

    @property
    def failure(self) -> str:
        """The message of what the workflow raised."""
        self.run_all()
        assert self.ended is not None, self.blocked
        assert self.ended.failure is not None
        return self.ended.failure.message

    def ask(self, name: str, **arguments: Any) -> Any:
        return self.machine.query(name, arguments)
