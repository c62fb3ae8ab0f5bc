"""Line: a connection to a server, by which a command asks from afar."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

import msgspec

from orchestrator import exceptions
from orchestrator.exceptions import (
    OrchestratorError,
    RemoteError,
    StorageUnavailableError,
    UnreachableError,
    UsageError,
)

SECONDS = 30.0
_PATH = "/api/v2/rpc"
_AGAIN_SECONDS = 1.0
_AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""How a proxy answers while the server behind it is started again."""
_KEPT_SECONDS = 3.0
"""A server closes a connection that is not used for five: ours is given up before that, so nothing is asked in vain."""


class _Problem(msgspec.Struct):
    detail: str = ""
    type: str = ""


class Line:
    """Opened when it is needed and kept; ``ca`` is a file of certificates to trust in place of the system's."""

    def __init__(self, url: str, token: str, ca: str | None = None, seconds: float = SECONDS) -> None:
        parts = _split(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        self._host = parts.hostname or ""
        self._path = f"{parts.path.rstrip('/')}{_PATH}"
        self._token = token
        self._seconds = seconds
        self._used_at = 0.0
        self._patience = 0.0
        self._remark: Callable[[str], object] = str
        self._connection = _connection(self._host, parts.port, seconds, None if parts.scheme == "http" else _trust(ca))

    def be_patient(self, remark: Callable[[str], None], minutes: int = 10) -> None:
        """From now on ask again where the server is not there, and ``remark`` so once: for who only asks questions."""
        self._patience, self._remark = minutes * 60.0, remark

    def ask(self, part: str, name: str, body: bytes) -> bytes:
        """The answer; the error that the server raised, or RemoteError where it cannot be reached or understood."""
        since: float | None = None
        while True:
            try:
                return self._ask_once(part, name, body)
            except (UnreachableError, StorageUnavailableError) as error:
                now = time.monotonic()
                if since is None and self._patience:
                    self._remark(f"{error} (asked again, for {self._patience / 60:g} minutes at most)")
                since = now if since is None else since
                if now - since >= self._patience:
                    raise
                time.sleep(_AGAIN_SECONDS)

    def _ask_once(self, part: str, name: str, body: bytes) -> bytes:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if time.monotonic() - self._used_at > _KEPT_SECONDS:
            self._connection.close()
        try:
            self._connection.request("POST", f"{self._path}/{part}/{name}", body, headers)
            answer = self._connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._fail(error)
        self._used_at = time.monotonic()
        is_json = answer.headers.get_content_type() == "application/json"
        if answer.status == HTTPStatus.OK and is_json:
            return data
        raise self._error(answer.status, data, answer.headers.get("Location"))

    def close(self) -> None:
        self._connection.close()

    def _fail(self, error: Exception) -> NoReturn:
        # What is wrong with certificates stays wrong; a server that ends in the middle of a greeting comes back.
        is_lasting = isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
        kind = RemoteError if is_lasting else UnreachableError
        raise kind(f"{self.url} {_told(error, self._host, self._seconds)}") from None

    def _error(self, status: int, data: bytes, location: str | None) -> OrchestratorError:
        if location is not None:
            return RemoteError(f"{self.url} sends elsewhere, to {location[:200]!r}; give --url that address")
        try:
            problem = msgspec.json.decode(data, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = f"{self.url} answers with status {status}, and not as a server of this program does; is it one?"
            return UnreachableError(said) if status in _AWAY else RemoteError(said)
        if status == HTTPStatus.UNAUTHORIZED:
            return RemoteError(f"{self.url} does not let this in: {problem.detail}")
        kind = getattr(exceptions, problem.type, None)
        is_ours = isinstance(kind, type) and issubclass(kind, OrchestratorError)
        return kind(problem.detail) if is_ours and kind is not None else RemoteError(f"{self.url}: {problem.detail}")


def checked_url(url: str) -> str:
    """The URL of a server as it is kept; UsageError where it is none."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _split(url: str) -> SplitResult:
    refusal = UsageError(f"{url!r} is no URL of a server; write it like https://orchestrator.example.com")
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        port = parts.port
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not url.isprintable():
        raise refusal
    if parts.username is not None:
        raise UsageError("a URL of a server has no name and password in it; a token lets you in")
    return parts


def _trust(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it holds no certificate"
        raise UsageError(f"--ca: {ca} cannot be used: {said}") from None


def _connection(
    host: str, port: int | None, seconds: float, trust: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    if trust is None:
        return http.client.HTTPConnection(host, port, timeout=seconds)
    return http.client.HTTPSConnection(host, port, timeout=seconds, context=trust)


def _told(error: Exception, host: str, seconds: float) -> str:
    """What is the matter with a server, and what to do."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"shows a certificate that is not trusted ({error.verify_message}); where it is your own, give --ca "
                "the file of who signed it, or set SSL_CERT_FILE"
            )
        case ssl.SSLError():
            return f"does not speak TLS ({error.reason or 'no reason given'}); write http:// where it should not"
        case socket.gaierror():
            return f"cannot be reached: there is no host {host!r}"
        case ConnectionRefusedError():
            return "cannot be reached: nothing listens there; is the server running?"
        case TimeoutError():
            return f"cannot be reached: it has not answered within {seconds:g} seconds"
        case http.client.HTTPException() | ConnectionError():
            return f"does not answer ({type(error).__name__}): it was stopped just now, or is another program's address"
        case _:
            return f"cannot be reached ({getattr(error, 'strerror', None) or type(error).__name__}); is it there?"
