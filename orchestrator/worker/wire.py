"""What an executor and its worker processes say to each other.

Each worker has two sockets. ``orders`` carries datagrams, one order each: a number of four bytes and the order's JSON,
or nothing after the number where the order is too large and follows as a Parcel. Reading a datagram is claiming the
order, and the kernel gives each to one reader: the executor holds the reading end as well, and takes back what has not
begun by reading it first. ``link`` carries words both ways: to the worker frames of a length and JSON, from it lines
of JSON. The zygote is told of births, with the descriptors that the worker is to have, and tells of deaths.
"""

import struct
from collections.abc import Iterator
from datetime import timedelta
from typing import TypeAlias

import msgspec

from orchestrator.core.orders import Completed, Deferred, Failed, Lost, Order, Skipped, Started, TakenBack
from orchestrator.names import AttemptKey, FailureKind

MAX_DATAGRAM = 128 * 1024
NUMBER_BYTES = 4

BIRTH = struct.Struct("<I?")  # the worker's number; whether it lives for one order only
BIRTH_FILES = 4  # orders, link, raw output for writing and for reading
DEATH = struct.Struct("<IIi")  # the worker's number, its pid, its wait status; number 0: the zygote is up
BUG_STATUS = 70  # EX_SOFTWARE: a worker ends so after a defect of this program

_HELD_BACK = 0.1  # of its heartbeat_timeout: how long a worker keeps to itself that a body is alive

_LENGTH = struct.Struct("<I")


class Word(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something said about one attempt or worker."""


class Go(Word, frozen=True, kw_only=True):
    """The start of this at_most_once attempt is committed; its body may begin."""

    key: AttemptKey


class Release(Word, frozen=True, kw_only=True):
    """Give this attempt back, if it still waits for its Go."""

    key: AttemptKey


class Cancel(Word, frozen=True, kw_only=True):
    """Cut this attempt short; it has failed as ``kind``, for the reason in ``message``."""

    key: AttemptKey
    kind: FailureKind
    message: str


def time_is_up(key: AttemptKey, limit: float) -> Cancel:
    """What an attempt is told that has run for ``limit`` seconds, its execution_timeout."""
    which = "its execution_timeout" if key.callback is None else "[callbacks] timeout"
    message = f"it ran longer than {which} of {timedelta(seconds=limit)} and was ended"
    return Cancel(key=key, kind=FailureKind.TIMEOUT, message=message)


def gone_silent(key: AttemptKey, limit: float, progress: str) -> Cancel:
    """What an attempt is told that has said nothing for ``limit`` seconds, its heartbeat_timeout."""
    last = f"its last progress was {progress}" if progress else "it has given no progress"
    message = f"it gave no heartbeat for {timedelta(seconds=limit)}, its heartbeat_timeout, and was ended; {last}"
    return Cancel(key=key, kind=FailureKind.TIMEOUT, message=message)


def beat_pause(limit: float) -> float:
    """Seconds between two words about the beats of an attempt with that heartbeat_timeout, however often it beats."""
    return limit * _HELD_BACK


def patience(limit: float) -> float:
    """Seconds without a word after which such an attempt has been silent for too long, whatever was held back."""
    return limit * (1 + _HELD_BACK)


class Parcel(Word, frozen=True, kw_only=True):
    """An order that is too large for a datagram."""

    number: int
    order: Order


class Hello(Word, frozen=True, kw_only=True):
    """The worker is up, in a process group of its own."""

    pid: int


class Beat(Word, frozen=True, kw_only=True):
    """The body of this attempt is alive, and there is something in its progress file."""

    key: AttemptKey


ToWorker: TypeAlias = Go | Release | Cancel | Parcel
FromWorker: TypeAlias = Started | Completed | Failed | Skipped | Deferred | Lost | TakenBack | Hello | Beat

encode = msgspec.json.Encoder().encode
decode_order = msgspec.json.Decoder(Order).decode
decode_lines = msgspec.json.Decoder(FromWorker).decode_lines
decode_word = msgspec.json.Decoder(ToWorker).decode


def frame(word: msgspec.Struct) -> bytes:
    """The word as bytes for the worker's end of the link."""
    data = encode(word)
    return _LENGTH.pack(len(data)) + data


class Pieces:
    """Puts what was framed together from whatever a link delivers; nothing in it is looked at."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Those that are complete now."""
        self._rest += data
        while len(self._rest) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._rest)[0]
            if len(self._rest) < end:
                return
            piece = bytes(self._rest[_LENGTH.size : end])
            del self._rest[:end]
            yield piece


class Frames:
    """Puts words together from whatever pieces the link delivers."""

    def __init__(self) -> None:
        self._pieces = Pieces()

    def feed(self, data: bytes) -> Iterator[ToWorker]:
        """The words that are complete now."""
        return map(decode_word, self._pieces.feed(data))


class Lines:
    """Puts a worker's words together from whatever pieces the link delivers."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, data: bytes) -> list[FromWorker]:
        """The words that are complete now."""
        end = data.rfind(b"\n") + 1
        if end == len(data) and not self._rest:
            return decode_lines(data)
        if end == 0:
            self._rest.append(data)
            return []
        whole = b"".join((*self._rest, data[:end]))
        self._rest = [data[end:]] if end < len(data) else []
        return decode_lines(whole)
