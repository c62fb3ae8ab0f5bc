"""From a recorded Failure back to an exception, for callbacks: the process that raised it may be gone."""

import ast
import builtins
import sys

from orchestrator.core.particulars import Failure
from orchestrator.exceptions import AirflowException


def error_of(failure: Failure) -> Exception:
    """One of the class that was raised, where that is loaded here and made of a text alone, with the text that was
    recorded; else an AirflowException. The author's lines of the traceback are its notes.
    """
    error = _of_class(failure) or AirflowException(failure.message)
    for line in failure.frames:
        error.add_note(line)
    return error


def _of_class(failure: Failure) -> Exception | None:
    kind = _class_named(failure.types[0]) if failure.types else None
    if kind is None:
        return None
    text = failure.message.removeprefix(kind.__name__).removeprefix(": ")
    return _made_of(kind, text, text) or _made_of(kind, _literal(text), text)


def _made_of(kind: type[Exception], argument: object, text: str) -> Exception | None:
    try:
        made = kind(argument)
        return made if str(made) == text else None
    except Exception:  # one that takes something else
        return None


def _literal(text: str) -> object:
    """What a KeyError says is the key as it is written in Python."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _class_named(name: str) -> type[Exception] | None:
    module, _, short = name.rpartition(".")
    found = getattr(sys.modules.get(module, None) if module else builtins, short, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else None
