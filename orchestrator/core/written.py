"""Values, moments and spans of time as lines of text have them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec


def written(value: Any) -> str:
    """A value in a line."""
    match value:
        case None:
            return ""
        case datetime():
            return moment(value)
        case timedelta():
            return duration(value.total_seconds())
        case float():
            return f"{value:.3f}"
        case msgspec.Raw():
            return bytes(value).decode("utf-8", "replace")
        case dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case list() | tuple() | set() | frozenset():
            return ", ".join(written(item) for item in value)
        case _:
            return str(value)


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'seconds')}Z"


def duration(seconds: float) -> str:
    """A time span as people read it: 0.42s, 12.3s, 3m 04s, 2h 05m, 3d 04h; none below 0, as after a clock was set."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.2f}s"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02}h"
    return f"{hours}h {minute:02}m" if hours else f"{minutes}m {second:02}s"
