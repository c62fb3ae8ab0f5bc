"""What a replayer and its blue processes say to each other: frames of a length and JSON, both ways.

Facts cross as the history keeps them. A blue process answers each activation in the order in which they come, one
Answer for each time it is given facts; ``ticket`` tells answers that are still waited for from those that are not.
"""

import struct
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from orchestrator.core.activations import Activation, Advance, FactsWanted, ReplayLost, Standing
from orchestrator.core.events import Recorded
from orchestrator.core.particulars import Failure
from orchestrator.storage.codec import CODEC

W = TypeVar("W")

Fact: TypeAlias = tuple[int, datetime, str, int, msgspec.Raw]  # seq, at, wire name, version, body

_LENGTH = struct.Struct("<I")
_encode = msgspec.json.Encoder().encode


class Word(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something said between a replayer and a blue process."""


class Activate(Word, frozen=True, kw_only=True):
    """``activation`` without its facts, which stand beside it."""

    ticket: int
    activation: msgspec.Raw
    facts: list[Fact]


class Supply(Word, frozen=True, kw_only=True):
    """Facts that were wanted; ``is_all``: those of the activation follow."""

    ticket: int
    run_key: int
    facts: list[Fact]
    is_all: bool


class Forget(Word, frozen=True, kw_only=True):
    run_keys: list[int]


class Ask(Word, frozen=True, kw_only=True):
    """Put a query to a run that is held; ``payload`` is a JSON object, its arguments by name."""

    run_key: int
    name: str
    payload: msgspec.Raw


class Look(Word, frozen=True, kw_only=True):
    """Say where the code of a run that is held stands."""

    run_key: int


class Hello(Word, frozen=True, kw_only=True):
    """The process is up, in a process group of its own."""

    pid: int


class Answer(Word, frozen=True, kw_only=True):
    """What the activation or supply of that ticket led to."""

    ticket: int
    word: Advance | FactsWanted | ReplayLost


class Reply(Word, frozen=True, kw_only=True):
    """What a query gave, or why it gave nothing."""

    run_key: int
    result: msgspec.Raw = msgspec.Raw(b"null")
    failure: Failure | None = None


class Stands(Word, frozen=True, kw_only=True):
    """Where the code of a run stands."""

    run_key: int
    standing: Standing


class Remark(Word, frozen=True, kw_only=True):
    """A sentence that a person should read."""

    text: str


class Spent(Word, frozen=True, kw_only=True):
    """The process has grown too large: it is to be given nothing new, and ended."""


ToBlue: TypeAlias = Activate | Supply | Forget | Ask | Look
FromBlue: TypeAlias = Hello | Answer | Reply | Stands | Remark | Spent


def frame(word: ToBlue | FromBlue) -> bytes:
    """The word as bytes."""
    data = _encode(word)
    return _LENGTH.pack(len(data)) + data


class Frames(Generic[W]):
    """Puts words together from whatever pieces a socket delivers."""

    def __init__(self, decode: msgspec.json.Decoder[W]) -> None:
        self._decode = decode.decode
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[W]:
        """The words that are complete now."""
        self._rest += data
        start = 0
        while len(self._rest) - start >= _LENGTH.size:
            end = start + _LENGTH.size + _LENGTH.unpack_from(self._rest, start)[0]
            if len(self._rest) < end:
                break
            word = bytes(self._rest[start + _LENGTH.size : end])
            start = end
            yield self._decode(word)
        del self._rest[:start]


def to_blue() -> Frames[ToBlue]:
    """For the end of a blue process."""
    return Frames(msgspec.json.Decoder(ToBlue))


def from_blue() -> Frames[FromBlue]:
    """For the end of a replayer."""
    return Frames(msgspec.json.Decoder(FromBlue))


# ── activations and facts ────────────────────────────────────────────────────────────────────────────────

# An event bears its wire name beside it, not in it, so that JSON of an Activation can be read only without its facts.
_BARE = msgspec.json.Decoder(
    msgspec.defstruct(
        "Bare",
        [
            (field.name, field.type) if field.required else (field.name, field.type, field.default)
            for field in msgspec.structs.fields(Activation)
            if field.name != "facts" and field.default_factory is msgspec.NODEFAULT
        ]
        + [
            (field.name, field.type, msgspec.field(default_factory=field.default_factory))
            for field in msgspec.structs.fields(Activation)
            if field.default_factory is not msgspec.NODEFAULT
        ],
        kw_only=True,
    )
)


def bare(activation: Activation) -> msgspec.Raw:
    """The activation without its facts, as JSON."""
    return msgspec.Raw(_encode(msgspec.structs.replace(activation, facts=())))


def whole(raw: msgspec.Raw, facts: Iterable[Recorded]) -> Activation:
    """The activation that ``bare`` wrote, with these facts."""
    fields: dict[str, Any] = msgspec.structs.asdict(_BARE.decode(raw))
    return Activation(**fields, facts=tuple(facts))


def to_facts(records: Iterable[Recorded]) -> list[Fact]:
    """The facts as they cross."""
    return [_to_fact(record) for record in records]


def _to_fact(record: Recorded) -> Fact:
    name, version, body = CODEC.encode(record.event)
    return record.seq, record.at, name, version, msgspec.Raw(body.encode())


def to_records(facts: Iterable[Fact]) -> list[Recorded]:
    """What ``to_facts`` took apart."""
    return [
        Recorded(seq, at, CODEC.decode(name, version, str(bytes(body), "utf-8")))
        for seq, at, name, version, body in facts
    ]
