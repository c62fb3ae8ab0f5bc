"""Wording: how moments, durations, numbers and addresses stand in a page."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def moment(at: datetime | None) -> Markup:
    """A moment to the second; the page shows it in the time zone that its reader has chosen."""
    if at is None:
        return Markup('<span class="nothing">—</span>')
    at = at.astimezone(UTC)
    return Markup('<time datetime="{}" data-moment>{}</time>').format(_iso(at), f"{at:%Y-%m-%d %H:%M:%S}")


def ago(at: datetime | None, now: datetime | None = None) -> Markup:
    """How far away a moment is, told anew as time goes by."""
    if at is None:
        return Markup('<span class="nothing">—</span>')
    return Markup('<time datetime="{}" data-ago>{}</time>').format(_iso(at), distance(at, now or datetime.now(UTC)))


def distance(at: datetime, now: datetime) -> str:
    """``3m ago``, ``in 2h``; ``now`` within a second."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    size, unit = next((size, unit) for size, unit in _UNITS if abs(seconds) >= size)
    text = f"{int(abs(seconds) // size)}{unit}"
    return f"in {text}" if seconds > 0 else f"{text} ago"


def duration(seconds: float | timedelta | None) -> str:
    """``0.42s``, ``12s``, ``3m 05s``, ``2h 10m``, ``3d 4h``; a dash for none."""
    if seconds is None:
        return "—"
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:
        return f"{seconds:.2f}s".replace(".00s", "s")
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def count(number: int) -> str:
    """Thousands apart: ``12 345``."""
    return f"{number:,}".replace(",", "\u202f")


def size(number: float) -> str:
    """``812 B``, ``3.2 kB``, ``14 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def in_words(state: object) -> str:
    """A state's word without underscores."""
    return str(state).replace("_", " ")


def segment(text: object) -> str:
    """Text as one segment of an address; run ids hold colons and pluses, ids of others anything."""
    return quote(str(text), safe=":~")


def query(values: Mapping[str, Any], **changes: Any) -> str:
    """``?a=1&b=2`` of those that are not empty, with some changed; "" where none is left."""
    pairs: list[tuple[str, Any]] = []
    for name, value in (dict(values) | changes).items():
        many = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, one) for one in many if one not in (None, "", False)]
    return f"?{urlencode(pairs)}" if pairs else ""


def path_of_activity(dag_id: str, run_id: str, task_id: str, map_index: int) -> tuple[str, str]:
    """The address of its pages, and what follows the ``?`` there: which instance it is of a mapped task."""
    path = f"/dags/{segment(dag_id)}/runs/{segment(run_id)}/tasks/{segment(task_id)}"
    return path, query({"map_index": "" if map_index < 0 else str(map_index)})


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 run``, ``3 runs``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "ago": ago,
    "duration": duration,
    "count": count,
    "size": size,
    "in_words": in_words,
    "segment": segment,
    "query": query,
    "plural": plural,
}
