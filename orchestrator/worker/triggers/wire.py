"""What a triggerer and its processes say to each other: frames of a length and JSON, both ways."""

import struct
from typing import TypeAlias

import msgspec

from orchestrator.core.orders import Fired
from orchestrator.core.waits import Ticket, Wait
from orchestrator.worker.blue.wire import Frames

_LENGTH = struct.Struct("<I")
_encode = msgspec.json.Encoder().encode


class Word(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something said between a triggerer and one of its processes."""


class Begin(Word, frozen=True, kw_only=True):
    """Run these triggers; ``code`` is the folder of the version that their classes are in, the same in each word."""

    code: str = ""
    waits: tuple[Wait, ...]


class End(Word, frozen=True, kw_only=True):
    """End these, and say nothing of them; it is answered by Ended."""

    number: int
    tickets: tuple[Ticket, ...]


class Hello(Word, frozen=True, kw_only=True):
    """The process is up, in a process group of its own."""

    pid: int


class Told(Word, frozen=True, kw_only=True):
    """What a trigger has come to; it is not held any more."""

    report: Fired


class Ended(Word, frozen=True, kw_only=True):
    """The End of that number was taken in."""

    number: int


ToTriggers: TypeAlias = Begin | End
FromTriggers: TypeAlias = Hello | Told | Ended


def frame(word: ToTriggers | FromTriggers) -> bytes:
    """The word as bytes."""
    data = _encode(word)
    return _LENGTH.pack(len(data)) + data


def to_triggers() -> Frames[ToTriggers]:
    """For the end of a process."""
    return Frames(msgspec.json.Decoder(ToTriggers))


def from_triggers() -> Frames[FromTriggers]:
    """For the end of the triggerer."""
    return Frames(msgspec.json.Decoder(FromTriggers))
