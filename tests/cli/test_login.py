"""Logging in to a server, and the sentence for each way in which it may not answer."""

import json
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestrator.assembly import line as lines
from orchestrator.assembly.line import Line
from orchestrator.exceptions import RemoteError, StorageUnavailableError, UnreachableError
from tests.cli.homes import Said, run_command

TOKEN = "orc_" + "t" * 43


class Told(BaseHTTPRequestHandler):
    """A server that knows one token, and answers what a test says."""

    status, body, kind = 200, b"7", "application/json"
    headers_more: dict[str, str] = {}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            problem = {"title": "Unauthorized", "status": 401, "detail": "this token is unknown"}
            self._send(401, json.dumps(problem).encode(), "application/problem+json", {})
        else:
            self._send(self.status, self.body, self.kind, self.headers_more)

    def _send(self, status: int, body: bytes, kind: str, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"content-type": kind, "content-length": str(len(body))} | more).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(trust: ssl.SSLContext | None = None, handler: type[Told] = Told, **answer: object) -> Iterator[str]:
    kind = type("Answers", (handler,), answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        server.daemon_threads = True
        if trust is not None:
            server.socket = trust.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"{'http' if trust is None else 'https'}://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose configuration is empty, on a machine without a home."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(tmp_path / "no_home"))
    for name in ("ORCHESTRATOR_URL", "ORCHESTRATOR_TOKEN", "ORCHESTRATOR_CA", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "config" / "orchestrator" / "servers.json"


@pytest.fixture
def log_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    def typed(*words: str, token: str = TOKEN) -> Said:
        class Typed:
            def readline(self, _: int) -> str:
                return f"{token}\n"

        monkeypatch.setattr("sys.stdin", Typed())
        return run_command(*words[:-1], "login", words[-1], "--token-stdin")

    return typed


def test_a_login_is_kept_for_its_owner_only_and_commands_go_there(log_in, own: Path) -> None:
    with served(body=b"[]") as url:
        said = log_in(url)
        assert (said.status, said.err) == (0, "")
        assert stat.S_IMODE(own.stat().st_mode) == 0o600
        assert stat.S_IMODE(own.parent.stat().st_mode) == 0o700
        host = url.removeprefix("http://")
        assert TOKEN not in said.out
        assert run_command("logins", "-o", "json").json == [{"name": host, "url": url, "ca": None, "is_default": True}]
        for words in ((), ("--url", url), ("--url", host), ("--url", f"{url}/")):
            assert run_command(*words, "dags", "list", "-o", "json").json == []


def test_whoever_logs_out_is_not_let_in_any_longer(log_in, own: Path) -> None:
    with served(body=b"[]") as url:
        log_in(url)
        assert run_command("logout").status == 0
        assert TOKEN not in own.read_text()
        said = run_command("--url", url, "dags", "list")
        assert (said.status, f"orchestrator login {url}" in said.err) == (2, True)
        assert run_command("logout").err.startswith("Error: there is no server to log out of")


def test_a_home_of_this_machine_goes_before_a_login(log_in, own: Path) -> None:
    with served(body=b"[]") as url:
        log_in(url)
        assert run_command("db", "migrate").status == 0
        assert run_command("pools", "list", "-o", "json").json[0]["pool"] == "default_pool"
        assert run_command("--url", url, "dags", "list", "-o", "json").json == []


def test_a_token_that_the_server_does_not_know_is_not_kept(log_in, own: Path) -> None:
    with served() as url:
        said = log_in(url, token="orc_wrong")
        assert (said.status, "does not let this in: this token is unknown" in said.err) == (1, True)
    assert not own.exists()
    for wrong in ("", "two\x1blines", "tökén"):
        assert "this is no token" in log_in("http://127.0.0.1:1", token=wrong).err


def test_a_file_that_others_can_read_or_nobody_understands_is_refused(log_in, own: Path) -> None:
    with served(body=b"[]") as url:
        log_in(url)
        own.chmod(0o644)
        assert "others can read it" in run_command("logins").err
        own.chmod(0o600)
        own.write_text("{")
        assert "cannot be understood" in run_command("--url", url, "dags", "list").err


PROBLEM = "application/problem+json"
ANSWERS = {
    "redirects": (
        {"status": 302, "headers_more": {"location": "https://sso.example/"}},
        "sends elsewhere, to 'https://sso",
    ),
    "another program": ({"body": b"<html>", "kind": "text/html"}, "not as a server of this program does"),
    "another program's JSON": ({"body": b'{"a":1}'}, "different versions"),
    "no page": ({"status": 404, "body": b"nginx", "kind": "text/html"}, "answers with status 404, and not as"),
    "no question": (
        {"status": 404, "body": b'{"detail":"there is no question","type":"NotFoundError"}', "kind": PROBLEM},
        "Error: there is no question",
    ),
    "forbidden": ({"status": 403, "body": b'{"detail":"not you","type":"ForbiddenError"}', "kind": PROBLEM}, "not you"),
    "broken": (
        {"status": 500, "body": b'{"detail":"this went wrong in the server; its log says more"}', "kind": PROBLEM},
        "its log says more",
    ),
    "a proxy": ({"status": 502, "body": b"bad gateway", "kind": "text/plain"}, "answers with status 502"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_none_is_one_sentence(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, sentence = ANSWERS[case]
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", TOKEN)
    with served(**answer) as url:
        said = run_command("--url", url, "dags", "list")
    assert said.status == 1
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:1", "nothing listens there"),
        ("http://no-such-host.invalid", "there is no host 'no-such-host.invalid'"),
        ("https://user:secret@example.com", "has no name and password in it"),
        ("http://[", "is no URL"),
        ("http://x:99999", "is no URL"),
        ("http://\x1b", "is no URL"),
    ],
)
def test_a_server_that_is_not_there_is_one_sentence(url: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", TOKEN)
    said = run_command("--url", url, "dags", "list")
    assert (said.status != 0, sentence in said.err, "secret" in said.err) == (True, True, False)


def test_a_server_that_hangs_or_hangs_up_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(RemoteError, match=r"has not answered within 0.05 seconds"):
            Line(url, TOKEN, seconds=0.05).ask("reads", "dags", b"{}")
        threading.Thread(target=lambda: [listener.accept()[0].close() for _ in range(2)], daemon=True).start()
        with pytest.raises(RemoteError, match=r"does not answer .*stopped just now"):
            Line(url, TOKEN, seconds=5).ask("reads", "dags", b"{}")


AWAY = {
    "a proxy whose server is away": (502, b"bad gateway", "text/plain", UnreachableError),
    "a proxy that waits no longer": (504, b"<html>", "text/html", UnreachableError),
    "a database that is away": (
        503,
        b'{"detail":"the database is locked","type":"StorageUnavailableError"}',
        PROBLEM,
        StorageUnavailableError,
    ),
}


@pytest.mark.parametrize("case", AWAY)
def test_only_who_is_patient_waits_for_a_server_to_come_back(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, body, kind, error = AWAY[case]
    monkeypatch.setattr(lines, "_AGAIN_SECONDS", 0.01)
    told: list[str] = []

    class Returns(Told):
        away = 3

        def _send(self, *answer: object) -> None:
            Returns.away -= 1
            super()._send(*((status, body, kind, {}) if Returns.away >= 0 else answer))

    with served(handler=Returns) as url:
        line = Line(url, TOKEN)
        with pytest.raises(error):
            line.ask("reads", "dags", b"{}")
        line.be_patient(told.append)
        assert line.ask("reads", "dags", b"{}") == b"7"
        assert (Returns.away, len(told), "asked again, for 10 minutes at most" in told[0]) == (-1, 1, True)


def test_patience_ends_and_is_not_for_what_stays_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_AGAIN_SECONDS", 0.01)
    told: list[str] = []
    gone = Line("http://127.0.0.1:1", TOKEN)
    gone.be_patient(told.append, minutes=0)
    with pytest.raises(UnreachableError, match="nothing listens there"):
        gone.ask("reads", "dags", b"{}")
    with served() as url:
        refused = Line(url, "orc_wrong")
        refused.be_patient(told.append)
        with pytest.raises(RemoteError, match="does not let this in"):
            refused.ask("reads", "dags", b"{}")
    assert told == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


def test_a_certificate_is_checked_and_ones_own_is_given_by_ca(log_in, certificate: Path, monkeypatch) -> None:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate)
    with served(trust, body=b"[]") as url:
        refused = log_in(url)
        assert (refused.status, "certificate that is not trusted" in refused.err) == (1, True)
        assert "--ca" in refused.err
        assert log_in("--ca", str(certificate), url).status == 0
        assert run_command("--url", url, "dags", "list", "-o", "json").json == []
        run_command("logout")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert log_in(url).status == 0
        monkeypatch.setenv("ORCHESTRATOR_TOKEN", TOKEN)
        assert "does not answer" in run_command("--url", url.replace("https", "http"), "dags", "list").err
    with served() as url:
        assert "does not speak TLS" in run_command("--url", url.replace("http:", "https:"), "dags", "list").err
        wrong = run_command("--ca", "/no/such.pem", "--url", url.replace("http:", "https:"), "dags", "list")
        assert "--ca: /no/such.pem cannot be used: No such file" in wrong.err
