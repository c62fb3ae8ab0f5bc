"""On demand: the process that serves pages, which is there while somebody looks at them.

This process only holds the socket. At the first connection the server is started, which takes that connection and all
that follow; when it has been idle for a while it ends, and the socket is watched here again.
"""

import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator

from orchestrator.assembly.port import listen, url_of
from orchestrator.config import HOME_VARIABLE, Config
from orchestrator.exceptions import ConflictError
from orchestrator.processes.entry import Entry, Origin, Process

_ENTRY = "orchestrator.cli.api_server:serve_on"
_RETRY_SECONDS = 1.0
_END_SECONDS = 5.0


@contextlib.contextmanager
def served_on_demand(config: Config, origin: Origin, notice: Callable[[str], None]) -> Iterator[None]:
    """Pages for as long as the block. Where the port is taken, ``notice`` says so, and it is tried again and again: an
    occupied port is no reason not to schedule."""
    watch = _Watch(config, origin, notice)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


class _Watch(threading.Thread):
    """Waits for connections while there is no server, and for the end of the server while there is one."""

    def __init__(self, config: Config, origin: Origin, notice: Callable[[str], None]) -> None:
        super().__init__(name="watch of the port", daemon=True)
        self._config = config
        self._origin = origin
        self._notice = notice
        self._stopping = threading.Event()
        self._hung_up, self._line = os.pipe()
        self._lock = threading.Lock()
        self._child: Process | None = None
        self._leash: int | None = None

    def run(self) -> None:
        listener = self._listen()
        if listener is None:
            return
        with listener:
            while self._is_asked_for(listener) and self._start_child(listener):
                self._see_it_end()

    def stop(self) -> None:
        """End the server by closing the input that it listens to; by force if it does not heed that."""
        with self._lock:
            self._stopping.set()
            os.close(self._line)
            self._let_go()
        self.join(_END_SECONDS)
        if self.is_alive() and self._child is not None:
            self._child.kill()
            self.join()
        os.close(self._hung_up)

    def _listen(self) -> socket.socket | None:
        """None where this has ended before the port was free."""
        is_first = True
        while not self._stopping.is_set():
            try:
                listener = listen(self._config)
            except ConflictError as error:
                if is_first:
                    self._notice(f"no pages are served as yet: {error}")
                is_first = False
                self._stopping.wait(_RETRY_SECONDS)
            else:
                if self._config.api.port == 0 or not is_first:
                    self._notice(f"pages are at {url_of(listener)}")
                return listener
        return None

    def _is_asked_for(self, listener: socket.socket) -> bool:
        """Wait for a connection; False when this ends."""
        look = select.poll()
        look.register(listener, select.POLLIN)
        look.register(self._hung_up, select.POLLHUP)
        look.poll()
        return not self._stopping.is_set()

    def _start_child(self, listener: socket.socket) -> bool:
        with self._lock:
            if self._stopping.is_set():
                return False
            stdin, self._leash = os.pipe()
            try:
                entry = Entry(_ENTRY, (), {HOME_VARIABLE: str(self._config.home)})
                self._child = self._origin.start(entry, stdin=stdin, files=[listener.fileno()])
            finally:
                os.close(stdin)
        return True

    def _see_it_end(self) -> None:
        assert self._child is not None
        status = self._child.wait()
        with self._lock:
            self._let_go()
        if status and not self._stopping.is_set():
            self._notice(f"the server of the pages ended with status {status} and is started again when it is needed")
            self._stopping.wait(_RETRY_SECONDS)

    def _let_go(self) -> None:
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None
