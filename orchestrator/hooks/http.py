"""HttpHook: requests to the server that a connection names."""

import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.hook import BaseHook
from orchestrator.authoring.masking import mask_secret
from orchestrator.exceptions import HttpErrorException, UsageError
from orchestrator.nearest import did_you_mean

try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.auth import HTTPBasicAuth
    from urllib3.connection import HTTPConnection
except ImportError as error:
    raise ImportError(
        "what calls HTTP servers needs the package requests; install it with `pip install 'orchestrator[http]'`",
        name="requests",
    ) from error

DEFAULT_TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and to wait for the next bytes of the answer."""

_TRANSPORT = {"allow_redirects", "cert", "max_redirects", "proxies", "stream", "timeout", "trust_env", "verify"}
_SPELLINGS = {"proxy": "proxies", "verify_ssl": "verify"}
OPTIONS = frozenset({*_TRANSPORT, *_SPELLINGS, "check_response"})
"""What ``extra_options``, and the extra of a connection, may set; all else in the latter is a header."""

_SHOWN = 300  # characters of a bad answer that the error repeats; the log has more
_LOGGED = 10_000


class HttpHook(BaseHook):
    """Sends requests with the library requests; under Airflow's names.

    The connection's host, port and schema (``http`` or ``https``) are where they go, its login and password what
    ``auth_type`` is made of, its extra the headers and, under the names of OPTIONS, how they are sent.
    """

    conn_name_attr = "http_conn_id"
    default_conn_name = "http_default"
    conn_type = "http"

    def __init__(
        self,
        method: str = "POST",
        http_conn_id: str = default_conn_name,
        auth_type: Any = None,
        tcp_keep_alive: bool = True,
        tcp_keep_alive_idle: int = 120,
        tcp_keep_alive_count: int = 20,
        tcp_keep_alive_interval: int = 30,
        adapter: HTTPAdapter | None = None,
    ) -> None:
        super().__init__()
        self.http_conn_id = http_conn_id
        self.method = method.upper()
        self.auth_type = auth_type
        self.base_url = ""
        keep_alive = (tcp_keep_alive_idle, tcp_keep_alive_count, tcp_keep_alive_interval)
        self.adapter = adapter or (KeepAliveAdapter(*keep_alive) if tcp_keep_alive else HTTPAdapter())

    def get_conn(
        self, headers: Mapping[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """A session with the connection's login and headers; ``extra_options`` is given what its extra says besides."""
        connection = self.get_connection(self.http_conn_id)
        self.base_url = base_url(connection)
        options = {} if extra_options is None else extra_options
        session = requests.Session()
        session.auth = self._auth(connection)
        for name, value in connection.extra_dejson.items():
            if name in OPTIONS:
                options.setdefault(_SPELLINGS.get(name, name), value)
            else:
                session.headers[name] = str(value)
        session.headers.update({name: value for name, value in (headers or {}).items() if value is not None})
        session.trust_env = options.get("trust_env", True)
        session.max_redirects = options.get("max_redirects", session.max_redirects)
        for scheme in ("http://", "https://"):
            session.mount(scheme, self.adapter)
        return session

    def run(
        self,
        endpoint: str | None = None,
        data: Any = None,
        headers: Mapping[str, Any] | None = None,
        extra_options: Mapping[str, Any] | None = None,
        **request_kwargs: Any,
    ) -> requests.Response:
        """The server's answer. ``data`` is the query of a GET, nothing of a HEAD, else the body.

        HttpErrorException for a status of 400 and more, unless ``check_response`` is False among the options, and for
        a server that cannot be reached or says nothing within ``timeout``.
        """
        mask_secret(dict(headers or {}))
        options = known_options(extra_options or {})
        with self.get_conn(headers, options) as session:
            url = self.url_from_endpoint(endpoint)
            payload = {} if self.method == "HEAD" else {"params" if self.method == "GET" else "data": data}
            try:
                request = session.prepare_request(requests.Request(self.method, url, **{**payload, **request_kwargs}))
                response = self._send(session, request, options)
            except requests.RequestException as error:
                raise HttpErrorException(self._failure(error, url, options)) from error
        if options.get("check_response", True):
            self.check_response(response)
        return response

    def check_response(self, response: requests.Response) -> None:
        """HttpErrorException for a status of 400 and more; what the server said of it is in the log."""
        if response.status_code < requests.codes.bad_request:
            return
        text = response.text
        self.log.error("HTTP error: %s\n%s", response.reason, text[:_LOGGED])
        shown = " ".join(text.split())
        begin = f"; it said: {shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''}" if shown else ""
        raise HttpErrorException(
            f"{response.status_code}:{response.reason} from {self.method} {bare(response.url)}{begin}",
            status_code=response.status_code,
        )

    def url_from_endpoint(self, endpoint: str | None) -> str:
        """The connection's address and, below it, the endpoint; a whole URL stands for itself on the same server only,
        as the login and headers of the connection are sent there.
        """
        endpoint = endpoint or ""
        if endpoint.startswith(("http://", "https://")):
            if urlsplit(endpoint)[:2] == urlsplit(self.base_url)[:2]:
                return endpoint
            raise UsageError(
                f"endpoint {bare(endpoint)} is not on {self.base_url}, the server of connection "
                f"{self.http_conn_id!r}, whose login would be sent there; give it a connection of its own"
            )
        joint = "" if self.base_url.endswith("/") or endpoint.startswith("/") or not endpoint else "/"
        return f"{self.base_url}{joint}{endpoint}"

    def test_connection(self) -> tuple[bool, str]:
        """Whether the server answers, and what went wrong if not."""
        try:
            self.run()
        except Exception as error:
            return False, str(error)
        return True, "Connection successfully tested"

    def _auth(self, connection: Connection) -> Any:
        kind = self.auth_type or HTTPBasicAuth
        if connection.login:
            return kind(connection.login, connection.password or "")
        return self.auth_type() if self.auth_type else None

    def _send(
        self, session: requests.Session, request: requests.PreparedRequest, options: Mapping[str, Any]
    ) -> requests.Response:
        began = time.monotonic()
        around = session.merge_environment_settings(
            request.url or "",
            options.get("proxies") or {},
            options.get("stream", False),
            options.get("verify"),
            options.get("cert"),
        )
        response = session.send(
            request,
            timeout=options.get("timeout", DEFAULT_TIMEOUT),
            allow_redirects=options.get("allow_redirects", True),
            **around,
        )
        took = time.monotonic() - began
        self.log.info("%s %s: %d after %.2f s", self.method, bare(response.url), response.status_code, took)
        return response

    def _failure(self, error: requests.RequestException, url: str, options: Mapping[str, Any]) -> str:
        where = f"{self.method} {bare(url)} (connection {self.http_conn_id!r})"
        if isinstance(error, requests.Timeout):
            limit = options.get("timeout", DEFAULT_TIMEOUT)
            return f"{where}: no answer within the timeout of {limit} s; extra_options={{'timeout': …}} sets another"
        if isinstance(error, requests.ConnectionError):
            return f"{where}: the server cannot be reached: {_cause(error)}"
        return f"{where}: {error}"


class KeepAliveAdapter(HTTPAdapter):
    """Sockets that notice when the other side is gone; all in seconds but ``count``."""

    def __init__(self, idle: int, count: int, interval: int) -> None:
        self._options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        for name, value in (("TCP_KEEPIDLE", idle), ("TCP_KEEPCNT", count), ("TCP_KEEPINTVL", interval)):
            if hasattr(socket, name):
                self._options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, socket_options=self._options)


def known_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """``extra_options`` under one spelling each; UsageError for one that there is not."""
    for name in options:
        if name not in OPTIONS:
            raise UsageError(f"extra_options has no option {name!r}{did_you_mean(name, OPTIONS)}")
    return {_SPELLINGS.get(name, name): value for name, value in options.items()}


def base_url(connection: Connection) -> str:
    """``http://host:port`` of a connection, https where its schema or its type says so."""
    host = (connection.host or "").rstrip("/") if "://" not in (connection.host or "") else connection.host or ""
    if not host:
        raise UsageError(f"connection {connection.conn_id!r} has no host; add one, such as http://api.example.com")
    if "://" not in host:
        scheme = connection.schema or ("https" if connection.conn_type == "https" else "http")
        host = f"{scheme}://{host}{f':{connection.port}' if connection.port else ''}"
    if urlsplit(host).scheme not in ("http", "https"):
        raise UsageError(
            f"connection {connection.conn_id!r} has the schema {urlsplit(host).scheme!r}, which is neither http nor "
            f"https; a path belongs into the endpoint"
        )
    return host


def bare(url: str) -> str:
    """A URL as messages show it: without login, query and fragment, where secrets may stand."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _cause(error: BaseException) -> str:
    """What the operating system, or TLS, said at the bottom of it."""
    found = [one for one in _chain(error) if isinstance(one, OSError) and one.strerror]
    return str(found[-1].strerror if found else error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
