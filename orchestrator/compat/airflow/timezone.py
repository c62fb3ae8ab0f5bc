"""``airflow.utils.timezone``: aware moments. A naive one is of [core] default_timezone."""

import datetime as dt
from typing import Any, overload

import pendulum

from orchestrator.compat.airflow.configuration import default_timezone

__all__ = [
    "coerce_datetime",
    "convert_to_utc",
    "datetime",
    "from_timestamp",
    "is_localized",
    "is_naive",
    "local_timezone",
    "make_aware",
    "make_naive",
    "parse",
    "parse_timezone",
    "utc",
    "utc_epoch",
    "utcnow",
]

utc = pendulum.UTC


def utcnow() -> dt.datetime:
    """This moment, in UTC."""
    return dt.datetime.now(tz=utc)


def is_localized(value: dt.datetime) -> bool:
    """Whether it has a time zone."""
    return value.utcoffset() is not None


def is_naive(value: dt.datetime) -> bool:
    """Whether it has no time zone."""
    return value.utcoffset() is None


def datetime(*args: Any, **kwargs: Any) -> dt.datetime:
    """``datetime.datetime``, in the default time zone unless ``tzinfo`` says otherwise."""
    return dt.datetime(*args, **{"tzinfo": default_timezone(), **kwargs})  # noqa: DTZ001 - it is among the keywords


@overload
def convert_to_utc(value: None) -> None: ...
@overload
def convert_to_utc(value: dt.datetime) -> pendulum.DateTime: ...
def convert_to_utc(value: dt.datetime | None) -> pendulum.DateTime | None:
    """The same moment in UTC."""
    return None if value is None else pendulum.instance(_aware(value).astimezone(utc))


@overload
def coerce_datetime(v: None, tz: dt.tzinfo | None = None) -> None: ...
@overload
def coerce_datetime(v: dt.datetime, tz: dt.tzinfo | None = None) -> pendulum.DateTime: ...
def coerce_datetime(v: dt.datetime | None, tz: dt.tzinfo | None = None) -> pendulum.DateTime | None:
    """The same moment as a pendulum.DateTime, in ``tz`` if that is given."""
    if v is None:
        return None
    found = pendulum.instance(_aware(v))
    return found if tz is None else pendulum.instance(found.astimezone(tz))


@overload
def make_aware(value: None, timezone: dt.tzinfo | None = None) -> None: ...
@overload
def make_aware(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime: ...
def make_aware(value: dt.datetime | None, timezone: dt.tzinfo | None = None) -> dt.datetime | None:
    """A naive moment in that time zone; ValueError if it has one already."""
    if value is None:
        return None
    if is_localized(value):
        raise ValueError(f"{value} has a time zone already; give a naive datetime")
    return value.replace(tzinfo=timezone or default_timezone())


def make_naive(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """What the clocks of that time zone show at that moment; ValueError if it has no time zone."""
    if is_naive(value):
        raise ValueError(f"{value} has no time zone; give an aware datetime")
    return dt.datetime.fromisoformat(value.astimezone(timezone or default_timezone()).replace(tzinfo=None).isoformat())


def parse(string: str, timezone: dt.tzinfo | None = None, *, strict: bool = False) -> pendulum.DateTime:
    """The moment that a text names; ValueError if it names none."""
    found = pendulum.parse(string, tz=timezone or default_timezone(), strict=strict)
    if not isinstance(found, pendulum.DateTime):
        raise ValueError(f"{string!r} is no date and time")
    return found


def from_timestamp(timestamp: float, tz: str | dt.tzinfo = utc) -> pendulum.DateTime:
    """The moment so many seconds after 1970."""
    return pendulum.from_timestamp(timestamp, tz=tz)  # type: ignore[arg-type]


def parse_timezone(name: str | int) -> pendulum.Timezone | pendulum.FixedTimezone:
    """The time zone of that name, or so many seconds east of Greenwich."""
    return pendulum.timezone(name)


def local_timezone() -> pendulum.Timezone | pendulum.FixedTimezone:
    """That of this machine."""
    return pendulum.tz.local_timezone()


def utc_epoch() -> dt.datetime:
    """The first moment of 1970."""
    return dt.datetime.fromtimestamp(0, tz=utc)


def _aware(value: dt.datetime) -> dt.datetime:
    return value if is_localized(value) else value.replace(tzinfo=default_timezone())
