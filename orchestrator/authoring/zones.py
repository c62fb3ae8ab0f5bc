"""Names of time zones: a DagSpec holds the name, since a tzinfo is no data."""

from datetime import timedelta, tzinfo

_HOUR = timedelta(hours=1)


def zone_name(zone: tzinfo) -> str | None:
    """The IANA name; None for a fixed offset that has none, such as +05:30."""
    name = getattr(zone, "key", None) or getattr(zone, "name", None) or getattr(zone, "zone", None)
    if isinstance(name, str) and not name.startswith(("+", "-")):
        return name
    offset = zone.utcoffset(None)
    if offset is None or offset % _HOUR:
        return None
    hours = offset // _HOUR
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"  # the names of fixed zones count westwards
