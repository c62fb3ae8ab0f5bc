"""What a running body said last of itself, in words."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from orchestrator.assembly.heartbeats import last_beats
from orchestrator.assembly.home import Home
from orchestrator.cli.printable import one_line
from orchestrator.core.reasons import Cause, Reason, span
from orchestrator.storage.views import RunRow
from orchestrator.worker.heartbeats import LastBeat

_SAYING = frozenset({Cause.RUNNING, Cause.RETRY})


def last_said(beat: LastBeat) -> str:
    """When it gave its last heartbeat, and how far it has come, for the middle of a sentence."""
    ago = span(datetime.now(UTC) - beat.at)
    progress = f", with progress {one_line(beat.in_short)}" if beat.in_short else ""
    return f"last heartbeat was {ago} ago{progress}"


def with_beats(home: Home, run: RunRow, reasons: Iterable[Reason]) -> list[Reason]:
    """The reasons; those about activities that run, or are to be tried again, with what these said last."""
    return [_with_beat(home, run, reason) if reason.cause in _SAYING else reason for reason in reasons]


def _with_beat(home: Home, run: RunRow, reason: Reason) -> Reason:
    if reason.task_id is None:
        return reason
    activity = home.reads.activity(run, reason.task_id, reason.map_index)
    beat = last_beats(home, run.run_key, [activity]).get((activity.task_id, activity.map_index))
    return reason if beat is None else replace(reason, sentence=f"{reason.sentence}; its {last_said(beat)}")
