"""Hosts: by which names this server may be asked for.

A page of another site can have its own name lead here (DNS rebinding), and then ask as if it were ours. It cannot have
an address do so, only a name: so addresses are let through, and names that are ours.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.api.problems import Problem
from orchestrator.api.safety import HEADERS, KEPT_NOWHERE
from orchestrator.config import Config
from orchestrator.exceptions import ConfigError

_MISDIRECTED = 421


class Hosts:
    """ASGI middleware. ``names`` are those that are ours; None lets every name through."""

    def __init__(self, app: ASGIApp, names: frozenset[str] | None) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_ours(dict(scope["headers"]).get(b"host", b"").decode("latin-1")):
            await self._app(scope, receive, send)
            return
        said = "this server is not called that; set [api] base_url to the address that people write"
        problem = Problem(title="Misdirected Request", status=_MISDIRECTED, detail=said)
        fields = HEADERS | KEPT_NOWHERE | {"Content-Type": "application/problem+json"}
        headers = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": _MISDIRECTED, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(problem)})

    def _is_ours(self, host: str) -> bool:
        if self._names is None or not host:  # HTTP/1.0 may leave it out, and no browser speaks that
            return True
        name = _name(f"//{host}")
        return name in self._names or name.endswith(".localhost") or _is_address(name)


def names_of(config: Config) -> frozenset[str] | None:
    """What a home's server may be called; None where it listens to other machines and nobody has said."""
    base = base_url(config)
    if not base and not _is_loopback(config.api.host):
        return None
    return frozenset({"localhost", config.api.host.lower(), _name(base)} - {""})


def base_url(config: Config) -> str:
    """What people write to reach the pages, without a slash at the end; "" where nobody has said. ConfigError where
    it is no URL.
    """
    text = config.api.base_url.strip().rstrip("/")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ConfigError(f"[api] base_url is {text!r}; write it like https://orchestrator.example.com, without a path")
    return text


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return "?"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
