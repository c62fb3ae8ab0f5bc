"""Particulars: what several events and reports tell of: a failure, a large value, another run."""

from datetime import datetime

import msgspec

NULL = msgspec.Raw(b"null")


class PayloadRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value too large for the history lies: SHA-256 (hex) and size in bytes."""

    sha256: str
    size: int


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an attempt said when it failed.

    ``types`` are the dotted names of the exception's class and its bases; ``where`` is the author's file:line;
    ``frames`` are the author's own traceback lines.
    """

    message: str
    types: tuple[str, ...] = ()
    where: str | None = None
    frames: tuple[str, ...] = ()


class XCom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a body pushed under a key: its JSON, or where that lies; never both. ``length`` as in ActivityCompleted."""

    value: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    length: int | None = None


class RunLink(msgspec.Struct, frozen=True, kw_only=True):
    """Another run, at a place in its history: what it was asked for by, or taken over from, with which ``run_key``."""

    run_key: int
    dag_id: str
    run_id: str
    seq: int = 0


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What a forked workflow's code goes on seeing: the root of its random numbers, and when its run began."""

    run_uid: str
    at: datetime
