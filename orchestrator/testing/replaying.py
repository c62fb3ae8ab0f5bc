"""``replay``: a recorded history held against today's code, as a test."""

import os
from pathlib import Path

from orchestrator.assembly.code_at_hand import code_of_file
from orchestrator.assembly.holding import Held, Source, held
from orchestrator.config import load_config
from orchestrator.exceptions import OrchestratorError
from orchestrator.storage.transcripts import Transcript


class HistoryMismatchError(OrchestratorError, AssertionError):
    """A recorded run does not fit the code; ``held`` says all that was found."""

    def __init__(self, message: str, held: Held) -> None:
        self.held = held
        super().__init__(message)


def replay(history: str | os.PathLike[str], code: str | os.PathLike[str] = "dags") -> Held:
    """Hold an exported run against the DAG that ``code``, a DAG file or a folder of them, defines today.

    HistoryMismatchError, an AssertionError, where they do not fit: a recorded activity that the graph has no place
    for, or a workflow whose code asks for something else than what is recorded. Nothing runs. TranscriptError where
    ``history`` is no exported run, DagImportError where the code cannot be read.
    """
    transcript = Transcript(Path(history))
    config = load_config(os.environ, Path.cwd())
    with code_of_file(config, Path(code), transcript.head.dag_id) as today:
        found = held(config, Source.of_file(transcript), today)
    if not found.fits:
        reasons = "".join(f"\n  {sentence}" for sentence in found.sentences)
        raise HistoryMismatchError(
            f"run {found.run_id!r} of {found.dag_id!r} does not fit {found.code}:{reasons}", found
        )
    return found
