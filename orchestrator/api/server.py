"""Server: serves the REST API and the pages in the process that calls, until it is told to stop or nobody asks."""

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import uvicorn
from fastapi import FastAPI

from orchestrator.api.hosts import Hosts, names_of
from orchestrator.assembly.home import Home, open_home
from orchestrator.config import Config

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE_SECONDS = 5


def run_api_server(
    config: Config,
    listener: socket.socket,
    make: Callable[[Home], FastAPI],
    *,
    stop: threading.Event,
    idle: timedelta = timedelta(0),
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve what ``make`` makes of the home, until SIGTERM, SIGINT or ``stop``, or until nobody has been connected for
    ``idle`` (0: for ever). Requests under way have some seconds to end; open streams end at once.

    SchemaVersionError or StorageUnavailableError where the database is not there.
    """
    with open_home(config) as home:
        app = make(home)
        server = _Server(_settings(config, app), stop, idle, on_ready, on_end=app.state.live.close)
        with server.stopped_by_signals():
            server.run(sockets=[listener])


def _settings(config: Config, app: FastAPI) -> uvicorn.Config:
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").setLevel(logging.INFO)
    return uvicorn.Config(
        Hosts(app, names_of(config)),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=config.api.access_log,
        proxy_headers=bool(config.api.trusted_proxies),
        forwarded_allow_ips=config.api.trusted_proxies or None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


class _Server(uvicorn.Server):
    """uvicorn's, which leaves signals to whoever runs it, and ends when nobody needs it."""

    def __init__(
        self,
        config: uvicorn.Config,
        stop: threading.Event,
        idle: timedelta,
        on_ready: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._stop = stop
        self._idle = idle.total_seconds()
        self._on_ready = on_ready
        self._on_end = on_end
        self._busy_until = time.monotonic()
        self._served = 0

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @contextlib.contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Where this is the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = [(number, signal.signal(number, self.handle_exit)) for number in _SIGNALS]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stop.is_set() or self._is_idle()

    def _is_idle(self) -> bool:
        state = self.server_state
        if state.connections or state.total_requests != self._served:
            self._served = state.total_requests
            self._busy_until = time.monotonic()
        return bool(self._idle) and time.monotonic() - self._busy_until > self._idle
