"""An activity of a run: how it stands, why it does not run, and what its tries wrote."""

import re

import msgspec

from orchestrator.assembly.attempt_logs import LogPlace, logs_of_try
from orchestrator.assembly.because import reasons
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import RunLogs
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.views import ActivityRow, RunRow

PIECE = 128 * 1024
_INSTANCES = 100
_UNSEEN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")  # colours of terminals, and what none shows


class LogPart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a log: the bytes from ``start`` to ``end`` of ``size``; ``older`` and ``newer`` begin those beside
    it, None where there is none.
    """

    text: str
    start: int
    end: int
    size: int
    older: int | None
    newer: int | None


class ActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """``attempt`` is the try whose log is shown, 0 where it has had none; ``instances`` are those of a mapped task."""

    row: ActivityRow
    attempt: int
    log: LogPart | None
    reasons: list[str]
    instances: list[ActivityRow]


def activity_page(
    home: Home, run: RunRow, task_id: str, map_index: int, attempt: int | None, start: int | None
) -> ActivityPage:
    """The end of the log of the last try, unless another try or place is asked for; NotFoundError where the run has no
    such activity, or no such try.
    """
    row = home.reads.activity(run, task_id, map_index)
    is_told = row.state is not TaskState.SUCCESS and not run.is_pending
    is_mapped = row.map_index != UNMAPPED
    return ActivityPage(
        row=row,
        attempt=attempt or row.attempt,
        log=_log(home, logs_of_try(home, run, row, attempt), start) if row.attempt else None,
        reasons=[reason.sentence for reason in reasons(home, run, task_id)] if is_told else [],
        instances=home.reads.activities(run.run_key, task_id=task_id, limit=_INSTANCES) if is_mapped else [],
    )


def _log(home: Home, places: list[LogPlace], start: int | None) -> LogPart:
    """Of a try that was put off in between, what it wrote since."""
    logs = home.part(RunLogs)
    place = places[-1]
    if start is None:
        start = max(logs.piece(*place, limit=0).size - PIECE, 0)
    piece = logs.piece(*place, offset=start, limit=PIECE)
    end = start + len(piece.data)
    return LogPart(
        text=_UNSEEN.sub("", piece.data.decode("utf-8", "replace")),
        start=start,
        end=end,
        size=piece.size,
        older=max(start - PIECE, 0) if start else None,
        newer=end if end < piece.size and piece.data else None,
    )
