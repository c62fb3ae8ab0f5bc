"""A home that lies elsewhere: the same questions, asked of a server by a token."""

import http.client
import ssl
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import msgspec

from orchestrator import exceptions
from orchestrator.assembly.calls import PARTS, call_of
from orchestrator.assembly.home import Home
from orchestrator.config import Config
from orchestrator.core.rights import LOCAL
from orchestrator.exceptions import OrchestratorError, RemoteError, UsageError
from orchestrator.storage.facts import Facts
from orchestrator.storage.reads import Reads

P = TypeVar("P")

_SECONDS = 30.0
_PATH = "/api/v2/rpc"


class _Problem(msgspec.Struct):
    detail: str = ""
    type: str = ""


def open_remote(config: Config, url: str, token: str) -> "RemoteHome":
    """The home of the server at ``url``; nothing is asked yet."""
    return RemoteHome(config, Line(url, token))


class Line:
    """A connection to a server, opened when it is needed and kept."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no URL of a server; write it like https://orchestrator.example.com")
        self.url = parts.geturl().rstrip("/")
        self._path = f"{parts.path.rstrip('/')}{_PATH}"
        self._token = token
        self._connection = _connection(parts.scheme, parts.hostname, parts.port)

    def ask(self, part: str, name: str, body: bytes) -> bytes:
        """The answer; the error that the server raised, or RemoteError where it cannot be reached or understood."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            self._connection.request("POST", f"{self._path}/{part}/{name}", body, headers)
            answer = self._connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise RemoteError(
                f"{self.url} cannot be reached ({str(error) or type(error).__name__}); is it there?"
            ) from None
        if answer.status == HTTPStatus.OK:
            return data
        raise self._error(answer.status, data)

    def close(self) -> None:
        self._connection.close()

    def _error(self, status: int, data: bytes) -> OrchestratorError:
        try:
            problem = msgspec.json.decode(data, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return RemoteError(f"{self.url} answers with status {status}, and not as a server of this program does")
        if status == HTTPStatus.UNAUTHORIZED:
            return RemoteError(f"{self.url} does not let this in: {problem.detail}")
        kind = getattr(exceptions, problem.type, None)
        is_ours = isinstance(kind, type) and issubclass(kind, OrchestratorError)
        return kind(problem.detail) if is_ours and kind is not None else RemoteError(f"{self.url}: {problem.detail}")


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)
    return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context())


class _Part:
    """A part of the home, each of whose questions goes over the line."""

    def __init__(self, line: Line, name: str) -> None:
        self._line = line
        self._name = name

    def __getattr__(self, question: str) -> Any:
        line, name = self._line, self._name

        def ask(*words: Any, **named: Any) -> Any:
            call = call_of(name, question)
            return call.read_answer(line.ask(name, question, call.write_arguments(words, named)))

        return ask


class _RemoteReads(_Part, Facts):
    """Facts are told here from what is stored there."""

    def stored(self, *words: Any, **named: Any) -> Any:
        return self.__getattr__("stored")(*words, **named)

    def stored_at(self, *words: Any, **named: Any) -> Any:
        return self.__getattr__("stored_at")(*words, **named)

    def last_seq_of(self, *words: Any, **named: Any) -> Any:
        return self.__getattr__("last_seq_of")(*words, **named)


class RemoteHome(Home):
    """For commands that ask and request. What needs the machine itself raises RemoteError."""

    def __init__(self, config: Config, line: Line) -> None:
        self.who = LOCAL
        self.config = config
        self._line = line
        self.reads = cast(Reads, _RemoteReads(line, "reads"))
        for name in ("xcoms", "requests", "records"):
            setattr(self, name, _Part(line, name))

    @property
    def engine(self) -> Any:
        """There is none."""
        raise RemoteError(f"this needs the database and the code themselves: run it on the machine of {self._line.url}")

    def part(self, kind: Any) -> Any:
        name = next(name for name, (known, _) in PARTS.items() if known is kind)
        return _Part(self._line, name)

    def ring(self) -> bool:
        """Whoever takes requests there rings by itself."""
        return False

    def close(self) -> None:
        self._line.close()
