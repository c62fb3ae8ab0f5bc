"""Transcript: an exported run as lines of JSON, format version 1 (docs/reference/transcripts.md).

First a Head, last an End. Between them each version of the DAG stands before the fact that goes over to it, each
payload before the first fact that refers to it, and the facts stand in order of seq. Versions are counted from 1 in
that order, so that the same run is the same bytes, whatever home it lies in.
"""

from datetime import datetime
from typing import TypeAlias

import msgspec

from orchestrator.exceptions import TranscriptError
from orchestrator.names import DagKind

FORMAT = "orchestrator-run"
VERSION = 1


class Head(msgspec.Struct, frozen=True, kw_only=True, tag="head", tag_field="line"):
    """What the file is, and of which run."""

    format: str = FORMAT
    version: int = VERSION
    dag_id: str
    run_id: str
    run_uid: str
    kind: DagKind


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Bytes: as ``text`` where they are UTF-8, else as ``base64``."""

    text: str | None = None
    base64: bytes | None = None

    @classmethod
    def of(cls, data: bytes) -> "Content":
        try:
            return cls(text=data.decode())
        except UnicodeDecodeError:
            return cls(base64=data)

    @property
    def data(self) -> bytes:
        return (self.text or "").encode() if self.base64 is None else self.base64


class Version(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="version", tag_field="line"):
    """A version of the DAG: its spec and, unless the code was left out, its files by path in the snapshot."""

    version_id: int
    code_fingerprint: str
    spec: msgspec.Raw
    files: dict[str, Content] | None = None


class Payload(msgspec.Struct, frozen=True, kw_only=True, tag="payload", tag_field="line"):
    """A value that was too large for the history."""

    sha256: str
    content: Content


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag="fact", tag_field="line"):
    """A fact as the history keeps it: its wire name, the version of its body, and that."""

    seq: int
    at: datetime
    type: str
    version: int
    body: msgspec.Raw


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="line"):
    """How many facts there are, and the SHA-256 (hex) of every byte before this line."""

    facts: int
    sha256: str


Line: TypeAlias = Head | Version | Payload | Fact | End

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class _Kind(msgspec.Struct):
    """What every version of the format begins with."""

    format: str
    version: int


def encode(line: Line) -> bytes:
    """One line, with its line break."""
    return _encoder.encode(line) + b"\n"


def decode(data: bytes) -> Line:
    """The line; msgspec.DecodeError or UnicodeDecodeError if it is none."""
    return _decoder.decode(data)


def decode_head(data: bytes, name: str) -> Head:
    """The first line of the file ``name``; TranscriptError if that is no export, or of a newer format."""
    try:
        kind = msgspec.json.decode(data, type=_Kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        kind = _Kind("", 0)
    if kind.format != FORMAT:
        raise TranscriptError(f"{name} is no exported run; write one with `orchestrator runs export`")
    if kind.version > VERSION:
        raise TranscriptError(
            f"{name} is of format version {kind.version}, and this program reads {VERSION}; upgrade the program"
        )
    try:
        head = decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(name, 1, str(error)) from error
    if not isinstance(head, Head):
        raise damaged(name, 1, "it is no head")
    return head


def damaged(name: str, number: int, reason: str) -> TranscriptError:
    """The error of a file that is not what the export wrote."""
    return TranscriptError(f"{name}, line {number}: the exported run is damaged: {reason}; export it again")
