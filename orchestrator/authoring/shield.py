"""shield: a stretch of code that a cancellation does not reach."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.authoring.blue import current_blue


@contextmanager
def shield() -> Iterator[None]:
    """A cancellation waits until the block is left; calls that were open before it are ended all the same."""
    blue = current_blue()
    before = blue.shielded(True)
    try:
        yield
    finally:
        blue.shielded(before)
