"""Callbacks: functions that are called when a task or a run has ended in some way."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from orchestrator.authoring.alerts import MAIL_SETTINGS, alerts_of
from orchestrator.authoring.place import Place
from orchestrator.authoring.runtime import Context
from orchestrator.names import CallbackKind

Callback: TypeAlias = Callable[[Context], Any]

CALLBACK_SETTINGS = frozenset({"on_execute_callback", *(f"{kind}_callback" for kind in CallbackKind), *MAIL_SETTINGS})
_WORDS = "a function that takes the context, a notifier, or a list of them"


def callbacks(value: Any) -> tuple[Callback, ...]:
    """One or several, as they are called; ValueError says what they must be."""
    if value is None:
        return ()
    several = tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
    for one in several:
        if not callable(one) or not _takes_context(one):
            raise ValueError(_WORDS)
    return several


def _takes_context(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind({})
    except TypeError:
        return False
    except ValueError:  # a builtin that does not say what it takes
        return True
    return True


def refuse_callbacks(place: Place, what: str, given: Iterable[str]) -> None:
    """DagError where a workflow or an activity is given callbacks: its code can do the same."""
    for name in given:
        if name in CALLBACK_SETTINGS:
            raise place.refuse(
                f"{what}: {name} is a setting of DAGs and their tasks; catch the exception in the workflow's code, and "
                f"call an activity that tells of it"
            )


def callbacks_of(owner: object, kind: CallbackKind) -> Sequence[Callback]:
    """Those of a task or DAG, and the mail that ``email=`` asks for."""
    found: Sequence[Callback] = getattr(owner, f"{kind}_callback", ())
    return (*found, *alerts_of(owner, kind))


def kinds_of(owner: object) -> tuple[CallbackKind, ...]:
    """For what a task or DAG has callbacks."""
    return tuple(kind for kind in CallbackKind if callbacks_of(owner, kind))
