"""Outputs: what the bodies of a play print and log, by task, besides where it goes anyway."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from typing import Any

from orchestrator.authoring.masking import masked
from orchestrator.core.orders import Order


class Outputs:
    """``texts`` by (task_id, map_index); ``notices`` are what the engine would tell a person."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, int], io.StringIO] = {}
        self.notices: list[str] = []

    def note(self, sentence: str) -> None:
        self.notices.append(sentence)

    @contextlib.contextmanager
    def around(self, order: Order) -> Iterator[None]:
        """What is printed and logged inside is that activity's."""
        text = self.texts.setdefault((order.key.task_id, order.key.map_index), io.StringIO())
        copy = logging.StreamHandler(text)
        copy.setFormatter(_Lines("%(levelname)s %(name)s: %(message)s"))
        root, level = logging.getLogger(), logging.getLogger().level
        root.addHandler(copy)
        root.setLevel(min(level, logging.INFO) or logging.INFO)
        try:
            with (
                contextlib.redirect_stdout(_Both(sys.stdout, text)),
                contextlib.redirect_stderr(_Both(sys.stderr, text)),
            ):
                yield
        finally:
            root.removeHandler(copy)
            root.setLevel(level)


class _Lines(logging.Formatter):
    """Lines without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class _Both(io.TextIOBase):
    """A stream, with a copy."""

    def __init__(self, stream: Any, copy: io.StringIO) -> None:
        self._stream = stream
        self._copy = copy

    def write(self, text: str) -> int:
        self._copy.write(text)
        return int(self._stream.write(text))

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def isatty(self) -> bool:
        return bool(self._stream.isatty())
