"""Dates as Airflow writes them: ds, ds_nodash, ts, ts_nodash, ts_nodash_with_tz."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any


def plain_utc(value: datetime) -> datetime:
    """The same moment in UTC, where one without a zone is already; of no class of its own, as pendulum's are."""
    utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return datetime.combine(utc.date(), utc.time(), UTC)


def ds(value: date) -> str:
    """``2026-01-31``"""
    return value.strftime("%Y-%m-%d")


def ds_nodash(value: date) -> str:
    """``20260131``"""
    return value.strftime("%Y%m%d")


def ts(value: date) -> str:
    """``2026-01-31T12:00:00+00:00``"""
    return value.isoformat()


def ts_nodash(value: date) -> str:
    """``20260131T120000``"""
    return value.strftime("%Y%m%dT%H%M%S")


def ts_nodash_with_tz(value: date) -> str:
    """``20260131T120000+0000``"""
    return value.isoformat().replace("-", "").replace(":", "")


FORMATS: Mapping[str, Callable[[date], str]] = MappingProxyType(
    {"ds": ds, "ds_nodash": ds_nodash, "ts": ts, "ts_nodash": ts_nodash, "ts_nodash_with_tz": ts_nodash_with_tz}
)
DATE_KEYS = frozenset({"logical_date", "data_interval_start", "data_interval_end", *FORMATS})


def as_filter(format_date: Callable[[date], str]) -> Callable[[date | None], str | None]:
    """A Jinja filter that lets None through."""
    return lambda value: None if value is None else format_date(value)


@lru_cache(maxsize=64)
def date_words(logical_date: datetime) -> Mapping[str, Any]:
    """The context's words for a logical date; all tasks of a run share them."""
    return MappingProxyType(
        {"logical_date": logical_date, **{name: write(logical_date) for name, write in FORMATS.items()}}
    )
