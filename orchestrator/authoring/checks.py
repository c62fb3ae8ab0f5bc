"""What the settings of DAGs and tasks may be: each check returns the value, made uniform, or says what it must be."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestrator.authoring.place import Place
from orchestrator.nearest import did_you_mean

Check: TypeAlias = Callable[[Any], Any]
_Kind = TypeVar("_Kind")


def refuse_unknown(place: Place, what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """DagError about the first of ``given`` that is not among ``known``; it names the nearest of them."""
    known = frozenset(known)
    for name in given:
        if name not in known:
            raise place.refuse(f"{what} has no setting {name!r}{did_you_mean(name, known)}")


def check_all(place: Place, what: str, values: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """``values`` made uniform; DagError about the first that is not what it must be."""
    return {name: checked(place, what, name, value, checks[name]) for name, value in values.items()}


def checked(place: Place, what: str, name: str, value: Any, check: Check) -> Any:
    try:
        return check(value)
    except (ValueError, OverflowError) as error:
        raise place.refuse(f"{what}: {name} must be {error}, not {value!r}") from None


# ── the checks ───────────────────────────────────────────────────────────────────────────────────────────


def anything(value: Any) -> Any:
    return value


def optional(check: Check) -> Check:
    """None, or what ``check`` allows."""
    return lambda value: None if value is None else check(value)


def instance(kind: type[_Kind], words: str) -> Callable[[Any], _Kind]:
    def check(value: Any) -> _Kind:
        if not isinstance(value, kind):
            raise ValueError(words)
        return value

    return check


def subclass(kind: type[_Kind], words: str) -> Callable[[Any], type[_Kind]]:
    def check(value: Any) -> type[_Kind]:
        if not isinstance(value, type) or not issubclass(value, kind):
            raise ValueError(words)
        return value

    return check


flag = instance(bool, "True or False")
moment = instance(datetime, "a datetime")
mapping = instance(dict, "a dict")


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value


def whole(minimum: int | None = None) -> Check:
    """An int, of at least ``minimum``."""
    words = "a whole number" if minimum is None else f"a whole number of at least {minimum}"

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or (minimum is not None and value < minimum):
            raise ValueError(words)
        return value

    return check


def number(minimum: float, maximum: float) -> Check:
    """A number from ``minimum`` to ``maximum``."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not minimum <= value <= maximum:
            raise ValueError(f"a number from {minimum:g} to {maximum:g}")
        return float(value)

    return check


def plain_duration(value: timedelta) -> timedelta:
    """The same as a timedelta and not a class of its own, as pendulum's is."""
    return value if type(value) is timedelta else timedelta(seconds=value.total_seconds())


def duration(*, zero: bool) -> Check:
    """A timedelta, or seconds as a number; more than nothing, unless ``zero`` is allowed."""
    words = f"a timedelta or seconds, {'not negative' if zero else 'more than 0'}"

    def check(value: Any) -> timedelta:
        if isinstance(value, bool) or not isinstance(value, timedelta | int | float):
            raise ValueError(words)
        try:
            found = plain_duration(value) if isinstance(value, timedelta) else timedelta(seconds=value)
        except (ValueError, OverflowError):
            raise ValueError(words) from None
        if found < timedelta() or (not zero and not found):
            raise ValueError(words)
        return found

    return check


def backoff(value: Any) -> float:
    """Airflow's retry_exponential_backoff: False or 0 for a fixed delay, True for doubling, or the factor itself."""
    if isinstance(value, bool):
        return 2.0 if value else 1.0
    if isinstance(value, int | float) and (value == 0 or 1 <= value <= 100):
        return float(value) or 1.0
    raise ValueError("True, False, or a factor from 1 to 100")


def choice(kind: type[StrEnum]) -> Check:
    """A member of ``kind``, or its word."""
    words = f"one of {', '.join(kind)}"

    def check(value: Any) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            raise ValueError(words) from None

    return check


def several(kind: type[StrEnum]) -> Check:
    """Members of ``kind``, or their words, in the order of ``kind`` and without repeats; not none at all."""
    words = f"a list of at least one of {', '.join(kind)}"

    def check(value: Any) -> tuple[StrEnum, ...]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise ValueError(words)
        try:
            found = {kind(one) for one in value}
        except ValueError:
            raise ValueError(words) from None
        if not found:
            raise ValueError(words)
        return tuple(one for one in kind if one in found)

    return check


def names(value: Any) -> tuple[str, ...]:
    """Several texts, each of 1 to 100 characters, sorted and without repeats."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError("a list of texts")
    found = list(value)
    if not all(isinstance(item, str) and 0 < len(item) <= 100 for item in found):
        raise ValueError("a list of texts of 1 to 100 characters")
    return tuple(sorted(set(found)))


def folders(value: Any) -> tuple[str, ...]:
    """One path or several, as texts."""
    several = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    return tuple(str(item) for item in several)


def zone(value: Any) -> tzinfo:
    """A tzinfo, or an IANA name."""
    if isinstance(value, tzinfo):
        return value
    try:
        return ZoneInfo("UTC" if str(value).lower() == "utc" else value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError("a time zone such as 'Europe/Brussels'") from None
