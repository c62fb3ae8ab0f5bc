"""Sensors and operators are run as the tests of authoring run tasks; real servers of this host answer them."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from orchestrator.authoring.vault import EnvironmentVault, keep_vault
from tests.authoring.conftest import order, run

__all__ = ["order", "run"]

Answer = Callable[["Asked"], Any]


class Asked(BaseHTTPRequestHandler):
    """A request, as the tests see it; the server's ``answer(asked)`` gives a status and a text, or a text."""

    body = b""
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self)  # type: ignore[attr-defined]
        found = self.server.answer(self)  # type: ignore[attr-defined]
        status, text = found if isinstance(found, tuple) else (200, found)
        self.send_response(status)
        data = str(text).encode()
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *args: Any) -> None:
        pass


class Server:
    """A server on a port of this host; ``asked`` are the requests that came."""

    def __init__(self) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self.http.daemon_threads = True
        self.http.asked = []  # type: ignore[attr-defined]
        self.says(lambda asked: "ok")
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    @property
    def asked(self) -> list[Asked]:
        return self.http.asked  # type: ignore[attr-defined,no-any-return]

    def says(self, answer: Answer) -> None:
        self.http.answer = answer  # type: ignore[attr-defined]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """``connections(conn_id, URI or JSON)`` adds one."""
    given: dict[str, str] = {}
    before = keep_vault(EnvironmentVault(given))

    def add(conn_id: str, written: str) -> None:
        given[f"AIRFLOW_CONN_{conn_id.upper()}"] = written
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", written)

    yield add
    keep_vault(before)
