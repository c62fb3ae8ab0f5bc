"""What a scheduler and the host of a plugin's executor say to each other: lines of JSON over one socket."""

from typing import TypeAlias

import msgspec

from orchestrator.core.orders import Order, Report
from orchestrator.names import AttemptKey
from orchestrator.ports import Adoption
from orchestrator.worker.settings import WorkerSettings


class Said(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One call of the port, or one answer."""


class Open(Said, frozen=True, kw_only=True):
    """The first word: make ``classpath`` with these, and start it. ``folder`` is its own."""

    classpath: str
    settings: WorkerSettings
    folder: str


class Submit(Said, frozen=True, kw_only=True):
    orders: tuple[Order, ...]


class About(Said, frozen=True, kw_only=True):
    """``call`` is go, cancel, take_back or adopt."""

    call: str
    keys: tuple[AttemptKey, ...]


class Ready(Said, frozen=True, kw_only=True):
    """It has started; or ``trouble`` says in one sentence why it has not."""

    trouble: str = ""


class Reported(Said, frozen=True, kw_only=True):
    report: Report


class Adopted(Said, frozen=True, kw_only=True):
    found: tuple[tuple[AttemptKey, Adoption], ...]


class Broken(Said, frozen=True, kw_only=True):
    """A call raised, or gave what is no report; the executor goes on."""

    message: str


ToHost: TypeAlias = Open | Submit | About
FromHost: TypeAlias = Ready | Reported | Adopted | Broken

encode = msgspec.json.Encoder().encode
decode_to_host = msgspec.json.Decoder(ToHost).decode
decode_from_host = msgspec.json.Decoder(FromHost).decode


def line(word: Said) -> bytes:
    return encode(word) + b"\n"


class Pieces:
    """Puts lines together from whatever pieces the socket delivers."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        return whole
