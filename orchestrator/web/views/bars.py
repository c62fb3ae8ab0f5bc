"""Bars: runs beside each other, each as high as it was long."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from orchestrator.names import RunState
from orchestrator.storage.views import RunRow, seconds_between
from orchestrator.web import wording

_TALLEST = 10
_UNBEGUN = 2


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a bar: ``size`` 1 to 10; ``title`` says what it is."""

    run_id: str
    state: RunState
    size: int
    title: str
    began: datetime | None
    seconds: float | None


def bars(runs: Sequence[RunRow], now: datetime) -> list[Bar]:
    """The longest is the tallest; a run that goes on has lasted until now."""
    lasted = [seconds_between(run.started_at, run.ended_at or now) for run in runs]
    longest = max((seconds for seconds in lasted if seconds), default=0.0)
    return [
        Bar(
            run_id=run.run_id,
            state=run.state,
            size=size_of(seconds, longest),
            title=_title(run, seconds),
            began=run.started_at or run.created_at,
            seconds=seconds,
        )
        for run, seconds in zip(runs, lasted, strict=True)
    ]


def size_of(seconds: float | None, longest: float) -> int:
    """How high a bar is beside one that lasted ``longest``."""
    if seconds is None or not longest:
        return _UNBEGUN
    return max(1, round(_TALLEST * seconds / longest))


def _title(run: RunRow, seconds: float | None) -> str:
    when = run.logical_date or run.created_at
    parts = [wording.in_words(run.state), f"{when.astimezone(UTC):%Y-%m-%d %H:%M}", run.run_type.value]
    if seconds is not None:
        parts.append(wording.duration(seconds))
    return " · ".join(parts)
