"""The calendar of a DAG: how the runs of each day or hour have ended, and when its schedule wants the next."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.timetables import upcoming
from orchestrator.exceptions import UsageError
from orchestrator.storage.duration_reads import Clock
from orchestrator.storage.views import DagRow

DAY = 86_400
HOUR = 3_600
_PLANNED = 200
_AT_ONCE = 25
_FIRST_YEAR, _LAST_YEAR = 1971, 2200


class Stretch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A day or an hour that has something: how many runs are in which state, and how many are still to come."""

    number: int
    counts: dict[str, int] = {}
    planned: int = 0


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Days or hours of ``seconds``, numbered on the wall clock of ``zone`` from 1970: the ``first`` one, up to before
    ``end``; ``today`` is the one that it is now. ``older`` and ``newer`` name the years or months beside this one.
    """

    zone: str
    seconds: int
    title: str
    first: int
    end: int
    today: int
    older: str
    newer: str
    stretches: list[Stretch]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A year by its days, or a month by its hours."""

    year: int
    month: int | None = None

    @property
    def seconds(self) -> int:
        return DAY if self.month is None else HOUR

    @property
    def title(self) -> str:
        return f"{self.year}" if self.month is None else f"{self.year}-{self.month:02}"

    @property
    def first(self) -> datetime:
        return datetime(self.year, self.month or 1, 1)  # noqa: DTZ001 - on the wall clock

    def beside(self, by: int) -> "Span":
        if self.month is None:
            return Span(year=self.year + by)
        years, month = divmod(self.month - 1 + by, 12)
        return Span(year=self.year + years, month=month + 1)


def span_of(text: str, zone: ZoneInfo, now: datetime, *, by_hour: bool) -> Span:
    """``2026`` or ``2026-03``; nothing for that of today. UsageError where it is none."""
    if not text:
        today = now.astimezone(zone)
        return Span(year=today.year, month=today.month if by_hour else None)
    year, _, month = text.partition("-")
    if not (year.isdecimal() and _FIRST_YEAR <= int(year) <= _LAST_YEAR):
        raise UsageError(f"{text!r} is no year or month; write it as 2026 or as 2026-03")
    if not month:
        return Span(year=int(year), month=1 if by_hour else None)
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        raise UsageError(f"{text!r} is no month; write it as 2026-03")
    return Span(year=int(year), month=int(month) if by_hour else None)


def zone_of(name: str) -> ZoneInfo:
    """UsageError where there is no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is no time zone; take a name such as Europe/Berlin") from None


def calendar(home: Home, dag: DagRow, span: Span, zone: ZoneInfo, now: datetime) -> Calendar:
    """One question for the runs; the schedule is asked for what it wants within the span."""
    since, until = _moment(span.first, zone), _moment(span.beside(1).first, zone)
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for found in home.reads.run_counts_by_time(
        dag.dag_id, since, until, _clocks(zone, since, until), seconds=span.seconds
    ):
        counts[found.number][found.state] = found.runs
    planned = Counter(_number(at, zone, span.seconds) for at in _planned(home, dag, now, until) if at >= since)
    numbers = sorted({*counts, *planned})
    return Calendar(
        zone=zone.key,
        seconds=span.seconds,
        title=span.title,
        first=_number(since, zone, span.seconds),
        end=_number(until, zone, span.seconds),
        today=_number(now, zone, span.seconds),
        older=span.beside(-1).title,
        newer=span.beside(1).title,
        stretches=[
            Stretch(number=number, counts=counts.get(number, {}), planned=planned[number]) for number in numbers
        ],
    )


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _ahead(at: datetime, zone: ZoneInfo) -> int:
    ahead = at.astimezone(zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


def _number(at: datetime, zone: ZoneInfo, seconds: int) -> int:
    return (int(at.timestamp()) + _ahead(at, zone)) // seconds


def _clocks(zone: ZoneInfo, since: datetime, until: datetime) -> list[Clock]:
    """What the clocks of the zone show, from change to change; those change on the quarter of an hour."""
    clocks = [Clock(since, _ahead(since, zone))]
    day = since
    while day < until:
        next_day = min(day + timedelta(days=1), until)
        if _ahead(next_day, zone) != clocks[-1].ahead:
            clocks.append(_change(zone, day, next_day))
        day = next_day
    return clocks


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> Clock:
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if _ahead(middle, zone) == _ahead(before, zone):
            before = middle
        else:
            after = middle
    return Clock(after.replace(microsecond=0), _ahead(after, zone))


def _planned(home: Home, dag: DagRow, now: datetime, until: datetime) -> list[datetime]:
    """The logical dates of the next runs, as far as there is room; no code of authors is asked."""
    if dag.is_paused or dag.is_stale or dag.header.schedule is None or until <= now:
        return []
    last = home.reads.cursors().get(dag.dag_id)
    after, found = max(now, last or now), list[datetime]()
    while len(found) < _PLANNED:
        slots = upcoming(dag.header, after=after, count=_AT_ONCE, last=last)
        found += [slot.logical_date for slot in slots if slot.logical_date < until]
        if len(slots) < _AT_ONCE or slots[-1].logical_date >= until:
            break
        after = slots[-1].fire_at
    return found
