"""Calling an author's function: parameters named like keys of the context are filled from it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from orchestrator.authoring.checks import checked
from orchestrator.authoring.context import CONTEXT_KEYS
from orchestrator.authoring.place import Place
from orchestrator.authoring.references import Reference
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import UsageError

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Parameters:
    """What a function takes: its positional names in order, the keys of the context, and whether ``**kwargs``."""

    def __init__(self, signature: inspect.Signature) -> None:
        parameters = signature.parameters.values()
        self.signature = signature
        self.positional = tuple(p.name for p in parameters if p.kind in _POSITIONAL)
        self.from_context = tuple(p.name for p in parameters if p.name in CONTEXT_KEYS and _has_name(p))
        self.takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.required = tuple(
            p.name for p in parameters if p.default is p.empty and _has_name(p) and p.name not in CONTEXT_KEYS
        )


def _has_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


@lru_cache(maxsize=1024)
def parameters_of(function: Callable[..., Any]) -> Parameters | None:
    """None for a builtin that does not say what it takes."""
    try:
        return Parameters(inspect.signature(function))
    except (ValueError, TypeError):
        return None


def checked_arguments(place: Place, what: str, function: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """``op_args`` and ``op_kwargs`` as a task keeps them; DagError if ``function`` cannot be called with them.

    A reference in place of the list or the dict stands for one, and is checked when the task runs.
    """
    if not callable(function):
        raise place.refuse(f"{what}: python_callable must be a function, not {function!r}")
    later = isinstance(args, Reference) or isinstance(kwargs, Reference)
    args = args if isinstance(args, Reference) else checked(place, what, "op_args", args, _as_tuple)
    kwargs = kwargs if isinstance(kwargs, Reference) else checked(place, what, "op_kwargs", kwargs, _as_dict)
    if not later:
        _check_call(place, what, function, args, kwargs)
    return args, kwargs


def _as_tuple(value: Any) -> tuple[Any, ...]:
    if value is None or isinstance(value, list | tuple):
        return tuple(value or ())
    raise ValueError("a list")


def _as_dict(value: Any) -> dict[str, Any]:
    if value is None or isinstance(value, Mapping):
        return dict(value or {})
    raise ValueError("a dict")


def _check_call(
    place: Place, what: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """DagError if ``function`` cannot be called so, once the context has been added."""
    parameters = parameters_of(function)
    if parameters is None:
        return
    for name in parameters.from_context:
        if parameters.signature.parameters[name].default not in (inspect.Parameter.empty, None):
            raise place.refuse(f"{what}: parameter {name!r} is filled from the context; its default can only be None")
    try:
        bound = parameters.signature.bind_partial(*args, **kwargs)
    except TypeError as error:
        raise place.refuse(f"{what}: {error}") from None
    for name in parameters.required:
        if name not in bound.arguments:
            raise place.refuse(f"{what}: missing a required argument: {name!r}")


def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], context: Context) -> Any:
    """What ``function`` returns; an argument that is given goes before the context's."""
    injected = from_context(function, args, kwargs, context)
    return function(*args, **{**injected, **kwargs})


def from_context(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters of ``function`` that the context fills, beside those that are given; UsageError if ``args`` is no
    list or ``kwargs`` no dict.
    """
    if not isinstance(args, list | tuple) or not isinstance(kwargs, Mapping):
        raise UsageError(f"op_args must be a list and op_kwargs a dict, not {args!r} and {kwargs!r}")
    parameters = parameters_of(function)
    if parameters is None:
        return {}
    taken = (*parameters.positional[: len(args)], *kwargs)
    names = context.keys() if parameters.takes_all else parameters.from_context
    return {name: context[name] for name in names if name in context and name not in taken}
