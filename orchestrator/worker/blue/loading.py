"""Loading: from an activation to the workflow that it speaks of, or to the reason why that cannot be had."""

import traceback
from types import FrameType

from orchestrator.authoring.blue import Definition
from orchestrator.core.activations import Activation, Block
from orchestrator.dagbag.blame import authors_frames, listing
from orchestrator.dagbag.quarantine.fence import Violation
from orchestrator.exceptions import DagImportError
from orchestrator.names import BlockKind
from orchestrator.worker.blue.codes import Code, Codes
from orchestrator.worker.blue.theatre import Theatre
from orchestrator.worker.failure import loading_failure


class Overdue(BaseException):
    """Raised in a file that takes too long to be loaded; no Exception, so that few swallow it."""


class BlockedError(Exception):
    """The code cannot go on, or not even begin; ``block`` says why."""

    def __init__(self, block: Block) -> None:
        self.block = block
        super().__init__(block.message)


class Loader:
    """Finds the workflows of activations, and loads what is not there yet. ``limit``: seconds that a file may take."""

    def __init__(self, codes: Codes, theatre: Theatre, limit: float) -> None:
        self._codes = codes
        self._theatre = theatre
        self._limit = limit

    def find(self, activation: Activation) -> tuple[Code, Definition]:
        """The code of the activation's version, active, and the workflow in it; BlockedError if there is none."""
        try:
            code = self._codes.find(activation)
            if not code.is_loaded:
                self._codes.activate(None)
                self._load(code, activation)
            workflow = code.workflow(activation.dag_id)
        except (DagImportError, Overdue) as error:
            raise BlockedError(_refusal(error, activation)) from error
        self._codes.keep(activation, code)
        self._codes.activate(code)
        return code, workflow

    def _load(self, code: Code, activation: Activation) -> None:
        def strike(frame: FrameType | None) -> None:
            walked = reversed(list(traceback.walk_stack(frame))) if frame else ()
            frames = authors_frames(walked, code.roots)
            raise Overdue(
                f"the file has not been loaded after {self._limit:g} s; move slow work into an activity, "
                f"or raise [core] dagbag_import_timeout",
                f"{frames[-1].name}:{frames[-1].line}" if frames else code.file,
                listing(frames),
            )

        with self._theatre.loading(activation, self._limit, strike):
            code.load()
        if code.fence.refused:
            raise BlockedError(violated(code.fence.refused[0]))


def violated(violation: Violation) -> Block:
    """What is said of code that has had a side effect, or would have."""
    return Block(kind=BlockKind.QUARANTINE, message=violation.message, where=violation.where, frames=violation.frames)


def _refusal(error: DagImportError | Overdue, activation: Activation) -> Block:
    if isinstance(error, Overdue):
        message, where, frames = error.args
        return Block(kind=BlockKind.LOADING, message=message, where=where, frames=frames)
    failure = loading_failure(error, activation.code)
    return Block(
        kind=BlockKind.LOADING, message=failure.message, where=failure.where or activation.file, frames=failure.frames
    )
