"""Events to and from the history's rows: a wire name, a version and a JSON body.

An event's wire name is its class's name, for ever. When an event changes in a way that old bodies cannot be read by,
its number in ``VERSIONS`` rises and a lifter says how a body of the version before becomes one of the next.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from orchestrator.core.events import EVENT_TYPES, AnyEvent
from orchestrator.exceptions import SchemaVersionError, StorageCorruptError

Body: TypeAlias = dict[str, Any]
Lifter: TypeAlias = Callable[[Body], Body]

VERSIONS: Mapping[str, int] = {}
LIFTERS: Mapping[tuple[str, int], Lifter] = {}


class Encoded(NamedTuple):
    """An event as the history keeps it."""

    type: str
    version: int
    body: str


class Codec:
    """Writes today's versions, reads every version there ever was."""

    def __init__(
        self,
        types: tuple[type[AnyEvent], ...] = EVENT_TYPES,
        versions: Mapping[str, int] = VERSIONS,
        lifters: Mapping[tuple[str, int], Lifter] = LIFTERS,
    ) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._wire = {kind: (kind.__name__, versions.get(kind.__name__, 1)) for kind in types}
        self._decoders = {
            (name, version): msgspec.json.Decoder(kind).decode for kind, (name, version) in self._wire.items()
        }
        self._types = {name: (kind, version) for kind, (name, version) in self._wire.items()}
        self._lifters = lifters

    def encode(self, event: AnyEvent) -> Encoded:
        """The event in the version of today."""
        name, version = self._wire[type(event)]
        return Encoded(name, version, self._encode(event).decode())

    def decode(self, name: str, version: int, body: str) -> AnyEvent:
        """The event; SchemaVersionError if it was written by a newer program, StorageCorruptError if it is no JSON."""
        decoder = self._decoders.get((name, version))
        try:
            return self._lift(name, version, body) if decoder is None else decoder(body)
        except msgspec.DecodeError as error:
            raise StorageCorruptError(
                f"the history holds a {name} that cannot be read ({error}); restore the database from a backup"
            ) from error

    def _lift(self, name: str, version: int, body: str) -> AnyEvent:
        known = self._types.get(name)
        if known is None or version > known[1]:
            raise SchemaVersionError(
                f"the history holds {name} version {version}, which this program does not know; upgrade the program"
            )
        kind, today = known
        value: Body = msgspec.json.decode(body)
        for step in range(version, today):
            value = self._lifters[name, step](value)
        return msgspec.json.decode(self._encode(value), type=kind)


CODEC = Codec()
