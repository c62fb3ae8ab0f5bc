"""``airflow.utils.timezone``."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator.compat.airflow import timezone

BRUSSELS = ZoneInfo("Europe/Brussels")
NOON = datetime(2026, 7, 1, 12, tzinfo=BRUSSELS)
NAIVE = NOON.replace(tzinfo=None)


def test_moments_are_aware() -> None:
    assert timezone.utcnow().utcoffset() == timedelta()
    assert timezone.datetime(2026, 1, 1) == datetime(2026, 1, 1, tzinfo=UTC)
    assert timezone.datetime(2026, 7, 1, 12, tzinfo=BRUSSELS) == NOON
    assert timezone.from_timestamp(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert timezone.is_localized(NOON)
    assert timezone.is_naive(NAIVE)


def test_a_moment_is_taken_to_another_zone_and_stays_the_same_moment() -> None:
    assert timezone.convert_to_utc(NOON) == NOON
    assert timezone.convert_to_utc(NOON).utcoffset() == timedelta()
    assert timezone.coerce_datetime(NOON, BRUSSELS).hour == 12
    assert timezone.convert_to_utc(NAIVE) == NAIVE.replace(tzinfo=UTC)
    assert timezone.convert_to_utc(None) is None
    assert timezone.coerce_datetime(None) is None


def test_a_zone_is_put_on_and_taken_off() -> None:
    assert timezone.make_aware(NAIVE, BRUSSELS) == NOON
    assert timezone.make_naive(NOON, BRUSSELS) == NAIVE
    assert timezone.make_aware(None) is None
    with pytest.raises(ValueError, match="has a time zone already"):
        timezone.make_aware(NOON)
    with pytest.raises(ValueError, match="has no time zone"):
        timezone.make_naive(NAIVE)


def test_a_text_is_read_as_a_moment_in_utc_unless_it_says_otherwise() -> None:
    assert timezone.parse("2026-07-01T10:00:00") == NOON
    assert timezone.parse("2026-07-01T12:00:00+02:00") == NOON
    assert timezone.parse("2026-07-01T12:00:00", BRUSSELS) == NOON
    with pytest.raises(ValueError, match="is no date and time"):
        timezone.parse("P1D")
