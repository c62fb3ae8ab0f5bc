"""Channel: a socket to a process of ours, on which nothing waits."""

import selectors
import socket
from typing import Final

_READ = 256 * 1024


class Channel:
    """Sends as fast as the other side listens. ``owner`` is what the selector names where there is something to hear.

    ``has_ended``: the other side is gone.
    """

    def __init__(self, selector: selectors.BaseSelector, owner: object) -> None:
        self._selector: Final = selector
        self._owner: Final = owner
        self._unsent = bytearray()
        self._wants_room = False
        self._near, self.far = socket.socketpair()
        self._near.setblocking(False)
        self.has_ended = False
        selector.register(self._near, selectors.EVENT_READ, owner)

    def send(self, data: bytes) -> None:
        """Send it, or keep it until it can be."""
        self._unsent += data
        self._flush()

    def receive(self) -> bytes:
        """What there is to read; empty where that is nothing, or where it ``has_ended``."""
        if self.has_ended:
            return b""
        if self._unsent:
            self._flush()
        try:
            data = self._near.recv(_READ)
        except BlockingIOError:
            return b""
        except ConnectionError:
            data = b""
        if not data:
            self.hang_up()
        return data

    def hang_up(self) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._selector.unregister(self._near)
            self._near.close()

    def _flush(self) -> None:
        if self.has_ended:
            return
        try:
            while self._unsent:
                del self._unsent[: self._near.send(self._unsent[:_READ])]
        except BlockingIOError:
            self._listen_for_room(True)
            return
        except ConnectionError:
            self._unsent.clear()  # it has died; reading tells so as well
        self._listen_for_room(False)

    def _listen_for_room(self, wanted: bool) -> None:
        if wanted is not self._wants_room:
            self._wants_room = wanted
            more = selectors.EVENT_WRITE if wanted else 0
            self._selector.modify(self._near, selectors.EVENT_READ | more, self._owner)
