"""What would differ from one replay to the next, made the same: randomness, outside values, changes of the code."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeVar, cast, overload
from uuid import UUID

from orchestrator.authoring.blue import Fenced, RunView, current_blue
from orchestrator.authoring.vault import reading_meant
from orchestrator.exceptions import UsageError

_Value = TypeVar("_Value")


def random() -> Random:
    """The run's own random numbers: ``random().choice(…)``."""
    return current_blue().random()


def uuid4() -> UUID:
    """A random UUID that is the same at every replay."""
    return UUID(int=random().getrandbits(128), version=4)


@overload
def side_effect(name: str, function: Callable[[], _Value]) -> _Value: ...
@overload
def side_effect(name: Callable[[], _Value]) -> _Value: ...
def side_effect(name: str | Callable[[], _Value], function: Callable[[], _Value] | None = None) -> _Value:
    """What ``function`` gave the first time, recorded; for something quick and local, such as reading a setting.

    It may be called again if everything dies before its value is recorded. What fails, or must not happen twice,
    belongs into an activity.
    """
    if callable(name):
        return side_effect(getattr(name, "__name__", "side_effect"), name)
    if function is None:
        raise UsageError(f"side_effect({name!r}, …) needs a function that gives the value")
    return cast(_Value, current_blue().value(name, partial(_unfenced, function)))


def _unfenced(function: Callable[[], _Value]) -> _Value:
    with Fenced.lifted(), reading_meant():
        return function()


def patched(name: str) -> bool:
    """Whether this run takes the new path of the change ``name``: False where its history went the old one already."""
    return current_blue().patched(name)


def this_run() -> RunView:
    """The run that this code is: its ids and dates."""
    return current_blue().run
