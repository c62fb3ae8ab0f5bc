"""Values: what a task returns, as JSON that gives back an equal value.

JSON's own types stand as they are. What JSON lacks is tagged: ``{"__type__": "date", "value": "2026-01-31"}``, for
datetime, date, time, timedelta, Decimal, UUID, bytes, tuple, set, frozenset, and the floats NaN and Infinity; a dict
with a key ``__type__`` is tagged too, so that it comes back unharmed. Scalars of array libraries become Python's.
Subclasses of str, int, float, list and dict (StrEnum, Counter, …) are recorded as what they derive from. Dict keys
that are numbers or None come back as text, as in Airflow; others that are no strings are not taken. The order of keys
is kept. Classes of an author's, arrays and tables are taken and read where the process keeps their types (core.typed);
elsewhere nothing that needs more than Python itself is.
"""

import base64
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from orchestrator.core.typed import BINARY, TAGS, UnrecordableError, kept_types
from orchestrator.exceptions import ValueDecodingError, ValueEncodingError

MAX_DEPTH = 100
TAG = "__type__"

_MAX_BITS = 10_000  # far below the length of number that Python refuses to print

_TAG_IN_JSON = f'"{TAG}"'.encode()
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_json = msgspec.json.Encoder().encode
_parse = msgspec.json.Decoder().decode


def encode(value: object, path: str = "result") -> bytes:
    """``value`` as JSON; ValueEncodingError names the part that cannot be recorded, starting from ``path``.

    Containers may be nested 100 deep; NaN is recorded as NaN. A datetime keeps its instant and the key of its zone.
    """
    data = _encode_plain(value)
    if data is not None:
        return data
    try:
        return _json(_to_plain(value, MAX_DEPTH))
    except _Misfit as misfit:
        raise ValueEncodingError(path + misfit.place, misfit.what, misfit.advice) from None


def decode(data: bytes | str | msgspec.Raw) -> Any:
    """The value that ``encode`` recorded; ValueDecodingError if it is no such JSON."""
    raw = data.encode() if isinstance(data, str) else bytes(data)
    try:
        plain = _parse(raw)
        return _from_plain(plain) if _TAG_IN_JSON in raw else plain
    except ValueDecodingError:
        raise
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
        raise ValueDecodingError(f"a recorded value cannot be read: {error}") from error


def readable(data: bytes) -> bytes:
    """Recorded JSON for people: the bytes of arrays and tables are counted, and not shown."""
    return _json(_readable(_parse(data))) if _TAG_IN_JSON in data else data


def _readable(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_readable(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if plain.get(TAG) in BINARY and isinstance(plain.get("value"), str):
        size = len(plain["value"]) * 3 // 4
        return {**plain, "value": f"({size} bytes)"}
    return {key: _readable(item) for key, item in plain.items()}


# ── plain JSON, at full speed ────────────────────────────────────────────────────────────────────────────


def _encode_plain(value: object) -> bytes | None:
    """The JSON of a value that needs no tags, or None: it has come back equal, so nothing of it was lost."""
    try:
        data = _json(value)
        if _TAG_IN_JSON in data or _may_be_deep(data) or _parse(data) != value:
            return None
    except Exception:  # whatever an author's __eq__ or a subclass may raise: the careful way names the part at fault
        return None
    return data


def _may_be_deep(data: bytes) -> bool:
    """Whether brackets are nested beyond MAX_DEPTH; may say so wrongly where text holds brackets."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    brackets = data.translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        peeled = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(peeled) == len(brackets):
            break
        brackets = peeled
    return bool(brackets)


# ── the careful way ──────────────────────────────────────────────────────────────────────────────────────


class _Misfit(Exception):  # noqa: N818 - a signal inside this module, never an error that anybody sees
    """This part cannot be recorded; ``steps`` lead to it, innermost first."""

    def __init__(self, what: str, advice: str = "") -> None:
        self.what = what
        self.advice = advice
        self.steps: list[str] = []

    @property
    def place(self) -> str:
        steps = self.steps[::-1]
        return "".join(steps if len(steps) <= 20 else [*steps[:10], "…", *steps[-3:]])


def _to_plain(value: object, depth: int) -> object:
    """``value`` in JSON's own types and tags; ``depth`` levels of containers are left."""
    kind = type(value)
    if kind in _ATOMS:
        return _ATOMS[kind](value)
    if not isinstance(value, (dict, list, tuple, set, frozenset)):
        return _derived_to_plain(value, depth)
    if depth == 0:
        raise _Misfit(f"{kind.__name__} nested more than {MAX_DEPTH} levels deep or in a circle")
    if isinstance(value, dict):
        return _dict_to_plain(value, depth - 1)
    if isinstance(value, list):
        return _list_to_plain(value, depth - 1)
    if kind is tuple:
        return _tagged("tuple", _list_to_plain(value, depth - 1))
    if kind in _SETS:
        return _tagged(kind.__name__, _set_to_plain(value, depth - 1))
    return _typed_to_plain(value, depth)


def _dict_to_plain(value: dict[Any, Any], depth: int) -> object:
    plain = {}
    for key, item in value.items():
        name = _key(key)
        if name in plain:
            raise _Misfit(f"dict with two keys that are recorded as {name!r}")
        try:
            plain[name] = _to_plain(item, depth)
        except _Misfit as misfit:
            misfit.steps.append(f"[{key!r}]")
            raise
    return _tagged("dict", list(plain.items())) if TAG in plain else plain


def _key(key: object) -> str:
    """A dict's key as text: JSON has no other, and Airflow records numbers, True, False and None as what str() says."""
    if isinstance(key, str):
        return _text(key)
    if key is None or isinstance(key, int | float):
        return str(key)
    raise _Misfit(f"dict with the key {key!r} (no string)")


def _list_to_plain(value: Iterable[Any], depth: int) -> list[object]:
    plain = []
    for index, item in enumerate(value):
        try:
            plain.append(_to_plain(item, depth))
        except _Misfit as misfit:
            misfit.steps.append(f"[{index}]")
            raise
    return plain


def _set_to_plain(value: Iterable[Any], depth: int) -> list[object]:
    """Its items in the order of their JSON, so that equal sets are recorded alike."""
    plain = []
    for item in value:
        try:
            plain.append(_to_plain(item, depth))
        except _Misfit as misfit:
            misfit.steps.append("{…}")
            raise
    return sorted(plain, key=_json)


def _derived_to_plain(value: object, depth: int) -> object:
    """An instance of a subclass of a known type, or a scalar of an array library, if nothing of it gets lost."""
    for known in _BASES:
        if isinstance(value, known):
            plain = _ATOMS[known](value)
            if known is float or _from_plain(plain) == value:
                return plain
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        scalar = item()
        if type(scalar) in (bool, int, float) and (scalar == value or scalar != scalar):
            return _ATOMS[type(scalar)](scalar)
    return _typed_to_plain(value, depth)


def _typed_to_plain(value: object, depth: int) -> object:
    """A value of a type that this process keeps beside those of Python itself."""

    def plain(part: object, step: str) -> object:
        try:
            return _to_plain(part, depth - 1)
        except _Misfit as misfit:
            misfit.steps.append(step)
            raise

    types, kind = kept_types(), type(value).__name__
    if types is not None:
        if depth == 0:
            raise _Misfit(f"{kind} nested more than {MAX_DEPTH} levels deep or in a circle")
        try:
            found = types.to_plain(value, plain)
        except UnrecordableError as error:
            raise _Misfit(kind, str(error)) from None
        if found is not None:
            return found
    raise _Misfit(kind)


def _tagged(name: str, value: object) -> dict[str, object]:
    return {TAG: name, "value": value}


def _text(value: str) -> str:
    text = str.__str__(value)
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        raise _Misfit("str with half a surrogate pair in it") from None
    return text


def _whole(value: int) -> int:
    if value.bit_length() > _MAX_BITS:
        raise _Misfit(f"int of more than {_MAX_BITS} bits")
    return int.__int__(value)


def _real(value: float) -> object:
    number = float.__float__(value)
    return number if isfinite(number) else _tagged("float", repr(number))


def _zoned(text: str, zone: tzinfo | None) -> str:
    """RFC 9557's way to keep a zone: ``2026-07-01T12:00:00+02:00[Europe/Brussels]``."""
    key = getattr(zone, "key", None)
    return text if key is None else f"{text}[{key}]"


def _read_datetime(text: str) -> datetime:
    moment, _, zone = text.rstrip("]").partition("[")
    found = datetime.fromisoformat(moment)
    return found.astimezone(ZoneInfo(zone)) if zone else found


def _read_time(text: str) -> time:
    clock, _, zone = text.rstrip("]").partition("[")
    found = time.fromisoformat(clock)
    return found.replace(tzinfo=ZoneInfo(zone)) if zone else found


def _duration(value: timedelta) -> object:
    return msgspec.to_builtins(timedelta(value.days, value.seconds, value.microseconds))


_ATOMS: dict[type, Callable[[Any], object]] = {
    type(None): lambda value: value,
    bool: lambda value: value,
    int: _whole,
    float: _real,
    str: _text,
    datetime: lambda value: _tagged("datetime", _zoned(datetime.isoformat(value), value.tzinfo)),
    date: lambda value: _tagged("date", date.isoformat(value)),
    time: lambda value: _tagged("time", _zoned(time.isoformat(value), value.tzinfo)),
    timedelta: lambda value: _tagged("timedelta", _duration(value)),
    Decimal: lambda value: _tagged("decimal", Decimal.__str__(value)),
    UUID: lambda value: _tagged("uuid", UUID.__str__(value)),
    bytes: lambda value: _tagged("bytes", base64.b64encode(value).decode()),
    bytearray: lambda value: _tagged("bytes", base64.b64encode(value).decode()),
}
_BASES = (int, float, str, datetime, date, time, timedelta, Decimal, UUID, bytes, bytearray)
_SETS = (set, frozenset)


# ── back ─────────────────────────────────────────────────────────────────────────────────────────────────


def _from_plain(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_from_plain(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if TAG not in plain:
        return {key: _from_plain(item) for key, item in plain.items()}
    read = _READERS.get(plain[TAG])
    return _typed_from_plain(plain) if read is None else read(_from_plain(plain["value"]))


def _typed_from_plain(plain: dict[str, Any]) -> Any:
    tag, types = plain[TAG], kept_types()
    if tag not in TAGS:
        raise ValueDecodingError(f"a recorded value has the type {tag!r}; a newer version of this program wrote it")
    if types is None:
        raise ValueDecodingError(f"a recorded value has the type {tag!r}, which only workers read")
    return types.read(tag, {key: _from_plain(part) for key, part in plain.items() if key != TAG})


_READERS: dict[str, Callable[[Any], Any]] = {
    "datetime": _read_datetime,
    "date": date.fromisoformat,
    "time": _read_time,
    "timedelta": lambda value: msgspec.convert(value, timedelta),
    "decimal": Decimal,
    "uuid": UUID,
    "bytes": lambda value: base64.b64decode(value, validate=True),
    "float": float,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
}
