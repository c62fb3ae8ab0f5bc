"""Types beyond those of core.values, in processes that have the libraries and the author's code they are made of."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

TAGS = frozenset(
    {"arrow", "dataclass", "dataframe", "enum", "model", "namedtuple", "ndarray", "path", "serialized", "series"}
)
"""What such values are tagged with in JSON: names for ever."""

BINARY = frozenset({"arrow", "dataframe", "ndarray", "series"})
"""Those whose ``value`` is Base64."""

Plain: TypeAlias = Callable[[object, str], object]
"""A part of a value in JSON's own types and tags; the text leads to it, such as ``.name`` or ``[3]``."""


class UnrecordableError(Exception):
    """A value of a known type cannot be recorded; the text says why and what to do."""


class Types(Protocol):
    """Between such values and tagged JSON."""

    def to_plain(self, value: object, plain: Plain) -> dict[str, object] | None:
        """What is recorded beside the tag, and the tag as ``__type__``; None for a value of another type.

        UnrecordableError where it is of one of these types, and cannot be recorded.
        """

    def read(self, tag: str, fields: Mapping[str, Any]) -> Any:
        """The value for what was recorded beside the tag, its parts restored; ValueDecodingError if it cannot be."""


class _Kept:
    """Those of this process."""

    types: ClassVar[Types | None] = None


def keep_types(types: Types | None) -> Types | None:
    """Let this process record and read these types from now on; which it did before."""
    before, _Kept.types = _Kept.types, types
    return before


def kept_types() -> Types | None:
    """None in a process that needs none, such as a server."""
    return _Kept.types
