"""Doom: the program, whose scheduler is killed right after the commit that has a certain fact of a certain run.

For tests of a crash at every single fact. The kill is SIGKILL from within the commit's own call, so nothing that
should follow the commit has been done: no attempt is handed out, no worker has its leave.
"""

import os
import signal
import sys

from orchestrator.ports import Group
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.testing.home import LiveHome

# The door of the program is named in text, as LiveHome names it: this package and the CLI do not know each other.
_DOOMED_PROGRAM = f"""
import sys
from {__name__} import doom
from orchestrator.cli import main
doom(sys.argv.pop(1), int(sys.argv.pop(1)))
sys.exit(main())
"""


class DoomedHome(LiveHome):
    """A LiveHome whose next scheduler dies once the run ``run_id`` has ``seq`` facts on record."""

    doom: tuple[str, int] | None = None

    def command(self, *arguments: str) -> list[str]:
        """As in LiveHome; where there is a doom and this starts a scheduler, one that will meet it."""
        if self.doom is None or arguments[:1] not in (("standalone",), ("scheduler",)):
            return super().command(*arguments)
        run_id, seq = self.doom
        return [sys.executable, "-c", _DOOMED_PROGRAM, run_id, str(seq), *arguments]


def doom(run_id: str, seq: int) -> None:
    """From now on this process kills itself once a commit has given the run ``run_id`` its fact ``seq``."""
    commit = SqlHistoryStore.commit

    def commit_and_die(store: SqlHistoryStore, group: Group) -> frozenset[int]:
        refused = commit(store, group)
        if _has_come(group, refused, run_id, seq):
            os.kill(os.getpid(), signal.SIGKILL)
        return refused

    setattr(SqlHistoryStore, "commit", commit_and_die)  # noqa: B010 - the one door through which facts are recorded


def _has_come(group: Group, refused: frozenset[int], run_id: str, seq: int) -> bool:
    parts = [part for part in group.parts if part.run.run_id == run_id and part.run.run_key not in refused]
    return any(record.seq >= seq for part in parts for record in part.records)
