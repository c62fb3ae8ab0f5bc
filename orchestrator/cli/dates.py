"""Reading dates that a person typed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from orchestrator.config import Config
from orchestrator.exceptions import UsageError


def read_date(text: str, config: Config) -> datetime:
    """An ISO date or date and time, in UTC; without a zone it is in [core] default_timezone."""
    at = date_or_none(text, config)
    if at is None:
        raise UsageError(f"{text!r} is no date; write it like 2026-01-31 or 2026-01-31T06:00:00+00:00")
    return at


def date_or_none(text: str, config: Config) -> datetime | None:
    """The same, or None if it is no date."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=ZoneInfo(config.core.default_timezone))
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_seq(text: str) -> bool:
    """Whether it is a whole number, and so a place in a history, not a date."""
    return text.removeprefix("-").isdecimal()
