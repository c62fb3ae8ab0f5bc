"""Moments as an author is given them: ``pendulum.DateTime``, which is a datetime that can do more."""

from datetime import UTC, datetime
from functools import lru_cache

import pendulum


def moment(value: datetime | None) -> pendulum.DateTime | None:
    """The same moment in UTC; None for None."""
    return None if value is None else _moment(value)


@lru_cache(maxsize=256)
def _moment(value: datetime) -> pendulum.DateTime:
    """All tasks of a run share theirs."""
    return pendulum.instance(value.astimezone(UTC))
