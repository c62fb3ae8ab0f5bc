"""Enclosing: what an author makes things inside of, by its ``with`` block."""

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, ClassVar, Self


class Enclosing:
    """While its ``with`` block runs, ``innermost`` holds it. Blocks may lie in each other, and be entered again."""

    innermost: ClassVar[ContextVar[Any]]
    _tokens: list[Token[Any]]

    def __enter__(self) -> Self:
        self.__dict__.setdefault("_tokens", []).append(self.innermost.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.innermost.reset(self._tokens.pop())
