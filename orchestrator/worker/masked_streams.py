"""What a body prints where the process's own output is its log: without the secrets that it has read."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from orchestrator.authoring.masking import masked


class MaskedStream:
    """A text stream in front of another one; each piece of text is masked by itself."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(masked(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def masked_streams() -> Iterator[None]:
    """``sys.stdout`` and ``sys.stderr`` are masked inside; what a body puts in their place goes with it."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = MaskedStream(sys.stdout), MaskedStream(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
