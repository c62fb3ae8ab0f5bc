"""Trying a DAG out from the file that makes it: ``dag.test()``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from importlib import import_module
from re import Pattern
from typing import Any, NamedTuple

from orchestrator.authoring.place import Place

# Running a DAG takes the whole program, which this layer knows nothing of and a DAG file does not load.
_DOOR = ("orchestrator.cli.script", "try_out")

_tried: ContextVar[list[Any] | None] = ContextVar("orchestrator_tried", default=None)
_reading: ContextVar[bool] = ContextVar("orchestrator_reading", default=False)


@contextmanager
def reading_file() -> Iterator[None]:
    """Inside, a DAG file is read by a program that wants its DAGs, and no run of them."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def noting_trials() -> Iterator[list[Any]]:
    """A list that takes in every DAG that is tried out inside."""
    found: list[Any] = []
    token = _tried.set(found)
    try:
        yield found
    finally:
        _tried.reset(token)


class Wishes(NamedTuple):
    """What the author asks of the run."""

    run_after: datetime | None = None
    logical_date: datetime | None = None
    run_conf: dict[str, Any] | None = None
    conn_file_path: str | None = None
    variable_file_path: str | None = None
    use_executor: bool = False
    mark_success_pattern: Pattern[str] | str | None = None
    ends_program: bool = False


def try_out(dag: Any, place: Place, wishes: Wishes) -> Any:
    """Run ``dag`` once in this process; the run that has ended. UsageError where that is not the place to."""
    if _reading.get():
        raise place.refuse(
            f"{dag!r} would be run each time that this file is read; put the call of test() below "
            f'`if __name__ == "__main__":`'
        )
    tried = _tried.get()
    if tried is not None:
        tried.append(dag)
    module, name = _DOOR
    return getattr(import_module(module), name)(dag, wishes)


def calls_from_script(depth: int = 2) -> bool:
    """Whether the caller's caller is a program that Python was started with, and no session that goes on."""
    frame = sys._getframe(depth)  # noqa: SLF001 - inspect.stack() reads every file
    return frame.f_globals.get("__name__") == "__main__" and not (hasattr(sys, "ps1") or sys.flags.interactive)
