"""Doom: the program, whose scheduler is killed right after the commit that has a certain fact of a certain run.

For tests of a crash at every single fact. The kill is SIGKILL from within the commit's own call, so nothing that
should follow the commit has been done: no attempt is handed out, no worker has its leave.
"""

import os
import signal
import sys
from collections.abc import Sequence

from orchestrator.cli import main as run_program
from orchestrator.ports import Group
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.testing.home import LiveHome


class DoomedHome(LiveHome):
    """A LiveHome whose next scheduler dies once the run ``run_id`` has ``seq`` facts on record."""

    doom: tuple[str, int] | None = None

    def command(self, *arguments: str) -> list[str]:
        """As in LiveHome; where there is a doom and this starts a scheduler, one that will meet it."""
        if self.doom is None or arguments[:1] not in (("standalone",), ("scheduler",)):
            return super().command(*arguments)
        run_id, seq = self.doom
        return [sys.executable, "-c", f"from {__name__} import main; main()", run_id, str(seq), *arguments]


class _Doom:
    def __init__(self, run_id: str, seq: int) -> None:
        self._run_id = run_id
        self._seq = seq

    def meets(self, group: Group, refused: frozenset[int]) -> bool:
        parts = [part for part in group.parts if part.run.run_id == self._run_id and part.run.run_key not in refused]
        return any(record.seq >= self._seq for part in parts for record in part.records)


def main(arguments: Sequence[str] | None = None) -> None:
    """``RUN_ID SEQ COMMAND…``: run the program's command with a scheduler that dies."""
    run_id, seq, *command = sys.argv[1:] if arguments is None else arguments
    doom = _Doom(run_id, int(seq))
    commit = SqlHistoryStore.commit

    def commit_and_die(store: SqlHistoryStore, group: Group) -> frozenset[int]:
        refused = commit(store, group)
        if doom.meets(group, refused):
            os.kill(os.getpid(), signal.SIGKILL)
        return refused

    setattr(SqlHistoryStore, "commit", commit_and_die)  # noqa: B010 - the one door through which facts are recorded
    sys.argv[1:] = command
    sys.exit(run_program())
