"""Codes: the workflows that this process has loaded, each from the snapshot of one version."""

from collections import OrderedDict
from contextlib import ExitStack
from pathlib import Path

from orchestrator.authoring.blue import Definition
from orchestrator.authoring.workflow_dag import WorkflowDag
from orchestrator.core.activations import Activation
from orchestrator.dagbag import importing
from orchestrator.dagbag.quarantine.effects import Scene
from orchestrator.dagbag.quarantine.fence import Fence
from orchestrator.dagbag.quarantine.modes import mode_of
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagImportError
from orchestrator.names import QuarantineMode
from orchestrator.worker.bodies import Loaded, Loader


class Code:
    """A file of workflows as one version has it. Its ``fence`` stands while it is loaded."""

    def __init__(self, folder: str, file: str, quarantine: QuarantineMode, load: Loader = importing.load) -> None:
        self.file = file
        self.roots = Roots(Path(folder))
        self._load = load
        is_auto = quarantine is QuarantineMode.AUTO
        self._mode = mode_of(quarantine, _source(self.roots, file)) if is_auto else quarantine
        self.fence = Fence(self.roots, Scene.PARSE, self._mode)
        self._loaded: Loaded | None = None

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    def load(self) -> None:
        """Run the file; DagImportError says why that cannot be."""
        with self.fence:
            self._loaded = self._load(self.roots.folder, self.file)

    def enter(self, stack: ExitStack) -> None:
        """Imports find the modules of this version, as long as the stack is open."""
        assert self._loaded is not None
        stack.enter_context(self._loaded.activate())

    def workflow(self, dag_id: str) -> Definition:
        """DagImportError unless the version has a workflow of that name."""
        assert self._loaded is not None
        dag = self._loaded.dags.get(dag_id)
        if dag is None:
            raise DagImportError(f"the recorded version has no workflow {dag_id!r} here any more", file=self.file)
        if not isinstance(dag, WorkflowDag):
            raise DagImportError(f"{dag_id!r} is a DAG in this version, and no workflow", file=self.file)
        return dag.workflow

    def run_fence(self) -> Fence:
        """What is to stand around one run of its workflows."""
        return Fence(self.roots, Scene.WORKFLOW, self._mode)


def _source(roots: Roots, file: str) -> bytes:
    try:
        return roots.path(file).read_bytes()
    except OSError as error:
        raise DagImportError(f"the file cannot be read: {error.strerror}", file=file) from error


class Codes:
    """The last few versions. One of them is active: imports find its modules.

    ``load`` is how a version's code is had.
    """

    def __init__(self, kept: int, quarantine: QuarantineMode, load: Loader = importing.load) -> None:
        self._kept = kept
        self._load = load
        self._quarantine = quarantine
        self._codes: OrderedDict[tuple[str, str], Code] = OrderedDict()
        self._active: Code | None = None
        self._activation = ExitStack()

    def find(self, activation: Activation) -> Code:
        """The code of that version, which may have to be loaded yet; DagImportError if there is no such file."""
        key = (activation.code, activation.file)
        code = self._codes.get(key)
        if code is None:
            code = Code(activation.code, activation.file, self._quarantine, self._load)
        return code

    def keep(self, activation: Activation, code: Code) -> None:
        """It is loaded and was used."""
        key = (activation.code, activation.file)
        self._codes[key] = code
        self._codes.move_to_end(key)
        if len(self._codes) > self._kept:
            self._codes.popitem(last=False)

    def activate(self, code: Code | None) -> None:
        """Leave the version that is active and enter this one; None: imports mean the process's own modules again."""
        if code is self._active:
            return
        self._activation.close()
        self._active = code
        if code is not None:
            code.enter(self._activation)

    def close(self) -> None:
        """Forget all versions."""
        self.activate(None)
        self._codes.clear()
