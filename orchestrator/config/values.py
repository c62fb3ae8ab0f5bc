"""Between a setting's text and its value."""

import re
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from orchestrator.config.settings import Addresses, Dotted, ExecutorName, Patterns, Secret, Setting, Url, Words, Zone
from orchestrator.nearest import did_you_mean

_BOOLEANS = {"true": True, "t": True, "yes": True, "on": True, "1": True}
_BOOLEANS |= {"false": False, "f": False, "no": False, "off": False, "0": False}
_SQLITE = "sqlite:///"


def read(text: str, setting: Setting, home: Path) -> Any:
    """The value that ``text`` stands for; ValueError says what is expected instead.

    Relative paths start at ``home``.
    """
    kind = _bare(setting.type)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(text, home)
    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return _choice(text, kind)
    return _number(text, setting)


def settle(default: Any, setting: Setting, home: Path) -> Any:
    """A default as a value: the paths in it start at ``home`` too."""
    return read(write(default), setting, home)


def write(value: Any) -> str:
    """The text that stands for ``value`` in airflow_like.cfg."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.15g}"
    return str(value)


def censor(text: str) -> str:
    """The same text without the password of a URL."""
    return re.sub(r"(://[^:/@]*:)[^@]*(@)", r"\1***\2", text)


def is_secret(setting: Setting) -> bool:
    """Whether its value is shown to nobody."""
    return _bare(setting.type) is Secret


def describe(setting: Setting) -> str:
    """What values a setting takes, for its documentation."""
    kind = _bare(setting.type)
    if kind in _NAMES:
        return _NAMES[kind]
    if kind is int:
        return f"integer, {_range(setting, 'at least {}', '{} to {}')}"
    return "one of " + ", ".join(_choices(kind))


def _bare(annotation: Any) -> Any:
    return annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation


def _boolean(text: str, home: Path) -> bool:  # noqa: ARG001 - every reader takes the home
    if text.lower() not in _BOOLEANS:
        raise ValueError("expected True or False")
    return _BOOLEANS[text.lower()]


def _path(text: str, home: Path) -> Path:
    if not text:
        raise ValueError("expected a path")
    return home / Path(text).expanduser()


def _seconds(text: str, home: Path) -> timedelta:  # noqa: ARG001
    try:
        value = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        value = timedelta(seconds=-1)
    if value < timedelta(0):
        raise ValueError("expected a number of seconds, 0 or more")
    return value


def _url(text: str, home: Path) -> Url:
    """Absolute: a plain path or a SQLite file is looked for below ``home``."""
    if text.startswith(_SQLITE) and text != f"{_SQLITE}:memory:":
        return Url(_SQLITE + str(home / Path(text.removeprefix(_SQLITE)).expanduser()))
    return Url(text) if "://" in text else Url(str(_path(text, home)))


def _secret(text: str, home: Path) -> Secret:  # noqa: ARG001
    return Secret(text.strip())


def _words(text: str, home: Path) -> Words:  # noqa: ARG001
    return Words(text.strip())


def _patterns(text: str, home: Path) -> Patterns:  # noqa: ARG001
    return Patterns(" ".join(text.replace(",", " ").split()))


def _addresses(text: str, home: Path) -> Addresses:  # noqa: ARG001
    return Addresses(",".join(part.strip() for part in text.split(",")))


def _dotted(text: str, home: Path) -> Dotted:  # noqa: ARG001
    if text and not all(part.isidentifier() for part in text.split(".")):
        raise ValueError("expected a name, or a dotted path such as package.module.Class")
    return Dotted(text)


def _executor(text: str, home: Path) -> ExecutorName:
    if "," in text:
        raise ValueError("expected one executor: several at once are not served")
    if not text:
        raise ValueError("expected LocalExecutor, a name that a plugin gives, or a dotted path")
    return ExecutorName(_dotted(text, home))


def _zone(text: str, home: Path) -> Zone:  # noqa: ARG001
    name = "UTC" if text.lower() == "utc" else text
    try:
        return Zone(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected utc or an IANA time zone such as Europe/Berlin") from None


def _choice(text: str, kind: Any) -> Any:
    for value in _choices(kind):
        if text.casefold() == value.casefold():
            return kind(value) if isinstance(kind, type) else value
    raise ValueError(f"expected one of {', '.join(_choices(kind))}{did_you_mean(text, _choices(kind))}")


def _choices(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(member.value for member in kind)
    return get_args(kind)


def _number(text: str, setting: Setting) -> int:
    try:
        number: int = msgspec.convert(text, setting.type, strict=False)
    except msgspec.ValidationError:
        raise ValueError(f"expected a whole number, {_range(setting, '{} or more', '{} to {}')}") from None
    return number


def _range(setting: Setting, open_end: str, both: str) -> str:
    metas = setting.type.__metadata__
    least = next(int(meta.ge) for meta in metas if meta.ge is not None)
    most = next((int(meta.le) for meta in metas if meta.le is not None), None)
    return open_end.format(least) if most is None else both.format(least, most)


_READERS: dict[Any, Callable[[str, Path], Any]] = {
    bool: _boolean,
    Path: _path,
    timedelta: _seconds,
    Url: _url,
    Zone: _zone,
    Secret: _secret,
    Words: _words,
    Patterns: _patterns,
    Dotted: _dotted,
    ExecutorName: _executor,
    Addresses: _addresses,
}
_NAMES = {
    bool: "True or False",
    Path: "path",
    timedelta: "seconds",
    Url: "URL",
    Zone: "time zone",
    Secret: "secret",
    Words: "text",
    Patterns: "patterns",
    Dotted: "name",
    ExecutorName: "name",
    Addresses: "address",
}
