"""A small provider of identities on this machine: real HTTP, real signatures, and every lie that a test asks for."""

import base64
import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "orchestrator", "the client's secret"


class SmallProvider:
    """``claims`` is what it says of whoever signs in; ``lies`` override what is in the ID token."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "1"})
        self.signs_with: Any = self.key
        self.claims: dict[str, Any] = {"sub": "00u1", "preferred_username": "Ada", "groups": ["etl-team"]}
        self.lies: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.token_answer: tuple[int, dict[str, Any]] | None = None
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.issuer = ""

    def sign_in(self, url: str) -> dict[str, str]:
        """What a browser does that is sent there and signs in: the parameters that it comes back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        self.codes["c0de"] = asked
        return {"code": "c0de", "state": asked["state"]}

    def answer(self, path: str) -> tuple[int, Any]:
        self.asked.append(path)
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._metadata() | self.metadata
            case "/jwks":
                return 200, {"keys": [self.key.as_dict(private=False)]}
            case "/userinfo":
                return 200, self.userinfo
            case _:
                return 404, {}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if self.token_answer is not None:
            return self.token_answer
        asked = self.codes.pop(form.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or authorization != f"Basic {expected}":
            return 400, {"error": "invalid_grant", "error_description": "the code is unknown"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "the verifier is wrong"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        said = {name: value for name, value in (claims | self.claims | self.lies).items() if value is not None}
        header = {"alg": "ES256", "kid": self.signs_with.kid}
        signed = jwt.encode(header, said, self.signs_with, algorithms=["ES256"])
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": signed}

    def _metadata(self) -> dict[str, str]:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        ends["userinfo_endpoint"] = "userinfo"
        return {"issuer": self.issuer} | {name: f"{self.issuer}/{end}" for name, end in ends.items()}


@contextmanager
def running_provider() -> Iterator[SmallProvider]:
    provider = SmallProvider()

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*provider.answer(urlsplit(self.path).path))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            given = {name: values[0] for name, values in form.items()}
            self._send(*provider.token(given, self.headers.get("authorization", "")))

        def _send(self, status: int, answer: Any) -> None:
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        yield provider
        server.shutdown()
