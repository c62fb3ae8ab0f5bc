"""Frames: two byte strings at a time, over a socket."""

import socket
import struct
from typing import TypeAlias

_LENGTHS = struct.Struct("!II")

Frame: TypeAlias = tuple[bytes, bytes]


def send(connection: socket.socket, head: bytes, body: bytes = b"") -> None:
    connection.sendall(_LENGTHS.pack(len(head), len(body)) + head + body)


def receive(connection: socket.socket) -> Frame | None:
    """The next frame; None when the other side has gone."""
    lengths = _exactly(connection, _LENGTHS.size)
    if lengths is None:
        return None
    head, body = (_exactly(connection, length) for length in _LENGTHS.unpack(lengths))
    return None if head is None or body is None else (head, body)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    found = bytearray()
    while len(found) < size:
        try:
            data = connection.recv(size - len(found))
        except ConnectionError:
            return None
        if not data:
            return None
        found += data
    return bytes(found)
