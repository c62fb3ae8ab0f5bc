"""What is made while a file is loaded that its workflows can use: activities and signals."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from orchestrator.authoring.place import Place


class Made(Protocol):
    """Something that a file of workflows offers to them."""

    @property
    def place(self) -> Place: ...


_made: ContextVar[list[Made] | None] = ContextVar("orchestrator_inventory", default=None)


@contextmanager
def inventory() -> Iterator[list[Made]]:
    """A list that takes in everything made inside, also by the modules that are imported meanwhile, in order."""
    found: list[Made] = []
    token = _made.set(found)
    try:
        yield found
    finally:
        _made.reset(token)


def note(made: Made) -> None:
    """Put it on the list that is open, if there is one."""
    found = _made.get()
    if found is not None:
        found.append(made)
