"""A home that lies elsewhere: the same questions, asked of a server by a token."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

from orchestrator.assembly.calls import PARTS, call_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.line import Line
from orchestrator.config import Config
from orchestrator.core.rights import LOCAL
from orchestrator.exceptions import RemoteError
from orchestrator.storage.facts import Facts
from orchestrator.storage.reads import Reads

P = TypeVar("P")


def open_remote(config: Config, url: str, token: str, ca: str | None = None) -> "RemoteHome":
    """The home of the server at ``url``; nothing is asked yet."""
    return RemoteHome(config, Line(url, token, ca))


class _Part:
    """A part of the home, each of whose questions goes over the line."""

    def __init__(self, line: Line, name: str) -> None:
        self._line = line
        self._name = name

    def __getattr__(self, question: str) -> Any:
        line, name = self._line, self._name

        def ask(*words: Any, **named: Any) -> Any:
            call = call_of(name, question)
            answer = line.ask(name, question, call.write_arguments(words, named))
            try:
                return call.read_answer(answer)
            except (msgspec.DecodeError, UnicodeDecodeError):
                said = "gives an answer that cannot be read; the two programs may be of different versions"
                raise RemoteError(f"{line.url} {said}") from None

        return ask


class _RemoteReads(_Part, Facts):
    """Facts are told here from what is stored there."""

    def stored(self, *words: Any, **named: Any) -> Any:
        return self.__getattr__("stored")(*words, **named)

    def stored_at(self, *words: Any, **named: Any) -> Any:
        return self.__getattr__("stored_at")(*words, **named)

    def stored_of_tasks(self, *words: Any, **named: Any) -> Any:
        return self.__getattr__("stored_of_tasks")(*words, **named)

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
        name = next(name for name, (_, made) in PARTS.items() if made is kind)
        return _Part(self._line, name)

    def be_patient(self, remark: Callable[[str], None]) -> None:
        self._line.be_patient(remark)

    def ring(self) -> bool:
        """Whoever takes requests there rings by itself."""
        return False

    def close(self) -> None:
        self._line.close()
