"""Port: the socket on which pages and the REST API are asked for."""

import errno
import os
import socket

from orchestrator.config import Config
from orchestrator.exceptions import ConfigError, ConflictError

_BACKLOG = 512


def listen(config: Config) -> socket.socket:
    """Listen where the settings say. ConflictError where another program does already, ConfigError where nobody can."""
    host, port = config.api.host, config.api.port
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
    except OSError as error:
        raise ConfigError(f"[api] host: {host!r} is no address of this machine ({_said(error)})") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(config, error) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """What a browser on this machine opens."""
    return _url(*listener.getsockname()[:2])


def expected_url(config: Config) -> str | None:
    """The same, before there is a socket; None where the port is any that is free."""
    return _url(config.api.host, config.api.port) if config.api.port else None


def _url(host: str, port: int) -> str:
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refused(config: Config, error: OSError) -> ConflictError | ConfigError:
    where = f"port {config.api.port} of {config.api.host}"
    if error.errno == errno.EADDRINUSE:
        return ConflictError(
            f"{where} is taken by another program; end that, or set [api] port (ORCHESTRATOR__API__PORT) to another"
        )
    if error.errno == errno.EACCES:
        return ConfigError(f"[api] port: {where} is not for everybody; choose one above 1023")
    return ConfigError(f"[api] host: {where} cannot be listened on ({_said(error)})")


def _said(error: OSError) -> str:
    return error.strerror or os.strerror(error.errno or errno.EINVAL)
