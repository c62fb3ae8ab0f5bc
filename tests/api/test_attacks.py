"""A real server, spoken to byte by byte, as somebody does who means no good."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

pytestmark = pytest.mark.slow

ADDRESS = re.compile(r"pages are at http://127\.0\.0\.1:(\d+)")
PASSWORD = re.compile(r"sign in as admin with the password ([A-Za-z0-9-]+)")
SAFE = ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "cache-control")


class Server:
    """Where it listens; ``say`` is one connection, and all that it is answered, or as far as an ``end``."""

    def __init__(self, home: LiveHome, port: int) -> None:
        self.home = home
        self.port = port

    def say(self, *pieces: bytes, end: bytes | None = None) -> bytes:
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=10)) as line:
            answer = b""
            try:
                for piece in pieces:
                    line.sendall(piece)
                while (end is None or end not in answer) and (more := line.recv(65_536)):
                    answer += more
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                pass  # it has heard enough, or waits for more
            return answer

    def ask(self, head: str, body: bytes = b"", **headers: str) -> bytes:
        lines = [head, f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return self.say("\r\n".join([*lines, "", ""]).encode() + body)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with LiveHome(tmp_path_factory.mktemp("attacked")) as home:
        home.start()
        port = home.wait_for("its port is told", lambda: ADDRESS.search(home.log.read_text()))[1]
        home.wait_for("the password is told", lambda: PASSWORD.search(home.log.read_text()))
        yield Server(home, int(port))


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def headers(answer: bytes) -> dict[str, str]:
    lines = answer.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@pytest.mark.parametrize(
    "heads",
    [
        ["Content-Length: 4", "Content-Length: 40"],
        ["Content-Length: -1"],
        ["Content-Length: 1e3"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
        ["X: a\rb"],
        ["X\0: a"],
        ["Host: elsewhere.example"],
        [f"X: {'y' * 200_000}"],
    ],
    ids=lambda heads: heads[0][:24],
)
def test_two_readers_of_a_request_can_never_differ(server: Server, heads: list[str]) -> None:
    text = "\r\n".join(["POST /sign-in HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *heads, "", ""])
    answer = server.say(text.encode("latin-1") + b"GET /health HTTP/1.1\r\n\r\n")
    assert status(answer) in (400, 421, 431, 501), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_length_and_chunks_at_once_are_read_in_one_way_and_end_the_connection(server: Server) -> None:
    head = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    lengths = "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = server.say((head + lengths).encode() + b"0\r\n\r\nGET /static/x HTTP/1.1\r\n\r\n")
    assert b"/static/x" not in answer
    assert answer.count(b"HTTP/1.1 2") == 0


def test_a_body_without_a_length_is_cut_off(server: Server) -> None:
    head = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = server.say(head.encode(), *[b"100000\r\n" + b"x" * 2**20 + b"\r\n"] * 24, end=b"\r\n\r\n")
    assert status(answer) == 413


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/x/..%2f..%2f..%2fetc%2fpasswd",
        "/static/x/%00",
        "//etc/passwd",
        "/dags/..%2f..%2fetc/code",
        "/dags/%00",
        "/logs/..%2f..%2f1/lines?parts=1",
        "/logs/1/lines?parts=../../etc/passwd",
        "/%ff%fe",
        "/" + "a" * 60_000,
    ],
    ids=lambda path: path[:40],
)
def test_no_path_leads_out(server: Server, path: str) -> None:
    answer = server.ask(f"GET {path} HTTP/1.1")
    assert status(answer) in (303, 307, 400, 401, 404, 422, 431), answer[:200]
    assert b"root:" not in answer


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("GET / HTTP/1.1", 303),
        ("GET /nothing HTTP/1.1", 404),
        ("GET /sign-in HTTP/1.1", 200),
        ("DELETE /sign-in HTTP/1.1", 405),
        ("TRACE / HTTP/1.1", 405),
        ("GET /api/v2/dags HTTP/1.1", 401),
        ("GET /api/v2/nothing HTTP/1.1", 404),
        ("GET /static/x/main.js HTTP/1.1", 404),
        ("GET /api/v2/version HTTP/1.1", 200),
    ],
)
def test_whatever_is_answered_has_the_headers_of_safety_and_no_name_of_a_program(
    server: Server, head: str, expected: int
) -> None:
    answer = server.ask(head, Origin="https://elsewhere.example")
    found = headers(answer)
    assert status(answer) == expected or (expected == 303 and status(answer) == 401), answer[:200]
    assert set(SAFE) <= set(found)
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & set(found)


def test_a_cookie_that_was_brought_along_is_not_the_one_of_the_session(server: Server) -> None:
    password = PASSWORD.search(server.home.log.read_text())
    assert password is not None
    body = f"name=admin&password={password[1]}&next=//elsewhere.example/".encode()
    answer = server.ask(
        "POST /sign-in HTTP/1.1",
        body,
        Content_Type="application/x-www-form-urlencoded",
        Content_Length=str(len(body)),
        Cookie="orchestrator_session=chosen-by-somebody-else",
    )
    found = headers(answer)
    assert (status(answer), found["location"]) == (303, "/")
    cookie = found["set-cookie"]
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    secret = cookie.split(";")[0].partition("=")[2]
    assert "chosen" not in secret
    assert len(secret) >= 32
    assert status(server.ask("GET /account HTTP/1.1", Cookie=f"orchestrator_session={secret}")) == 200
    for other in (secret[:-1], secret + "a", secret.swapcase(), "a" * 100_000):
        assert status(server.ask("GET /account HTTP/1.1", Cookie=f"orchestrator_session={other}")) != 200
    for origin in ("https://elsewhere.example", "null"):
        answer = server.ask(
            "POST /sign-out HTTP/1.1", Origin=origin, Cookie=f"orchestrator_session={secret}", Content_Length="0"
        )
        assert status(answer) == 403
    assert status(server.ask("GET /account HTTP/1.1", Cookie=f"orchestrator_session={secret}")) == 200


def test_nothing_of_it_is_in_the_logs_as_lines_of_their_own(server: Server) -> None:
    server.ask("GET /dags/x%0d%0aERROR%20forged%1b[31m HTTP/1.1")
    lines = Path(server.home.log).read_bytes().splitlines()
    assert not [line for line in lines if line.startswith(b"ERROR forged") or b"\x1b[31m" in line]
