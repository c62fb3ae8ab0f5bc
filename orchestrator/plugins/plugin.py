"""Plugin: one module or object with hooks, checked against what hooks there are."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import pluggy

from orchestrator.exceptions import DagError
from orchestrator.nearest import did_you_mean
from orchestrator.plugins.hooks import HOOKS, LISTENING, PROJECT, Hooks
from orchestrator.ports import SecretsBackend

_MARK = f"{PROJECT}_impl"
EXECUTOR_CALLS = ("start", "submit", "go", "cancel", "take_back", "adopt", "reports", "files", "next_due", "stop")
"""What the class of an executor has to have."""


class Plugin:
    """What one plugin offers, by hook. Its objects are modules or instances whose functions are marked.

    DagError with file and line where a hook is none, takes what it is not given, or gives what nobody can use.
    """

    def __init__(self, name: str, objects: Sequence[object], *, ignored: Sequence[str] = ()) -> None:
        self.name = name
        self.ignored = tuple(ignored)
        self._hooks = pluggy.PluginManager(PROJECT)
        self._hooks.add_hookspecs(Hooks)
        for number, one in enumerate(objects):
            for function in _marked(one):
                _check(name, function)
            self._hooks.register(one, f"{name}:{number}")

    @property
    def hooks(self) -> frozenset[str]:
        """The names of the hooks that it has."""
        return frozenset(name for name in HOOKS if getattr(self._hooks.hook, name).get_hookimpls())

    @property
    def is_listening(self) -> bool:
        """Whether it wants to hear of what happens."""
        return not self.hooks.isdisjoint(LISTENING)

    def tell(self, hook: str, **what: object) -> None:
        """Call a hook of a listener."""
        getattr(self._hooks.hook, hook)(**what)

    def mapping(self, hook: str) -> dict[str, Any]:
        """What a hook that gives things by name has to offer."""
        found: dict[str, Any] = {}
        for given in self._given(hook):
            if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
                raise self._refuse(hook, f"gives a {type(given).__name__}; return a dict by name")
            found.update(given)
        return found

    def sequence(self, hook: str, kind: Callable[[object], bool], what: str) -> list[Any]:
        """What a hook that gives a list has to offer, all of it of one ``kind``, which is ``what``."""
        found: list[Any] = []
        for given in self._given(hook):
            if not isinstance(given, (list, tuple)):
                raise self._refuse(hook, f"gives a {type(given).__name__}; return a list of {what}")
            for one in given:
                if not kind(one):
                    raise self._refuse(hook, f"gives {one!r}, which is no {what}")
            found.extend(given)
        return found

    def backends(self) -> list[SecretsBackend]:
        """Its secrets backends, made."""
        return self.sequence("secrets_backends", _is_backend, "object with get_variable and get_conn_value")

    def executors(self) -> dict[str, Any]:
        """Classes of executors, by name."""
        found = self.mapping("executors")
        for name, one in found.items():
            if not _is_executor(one):
                raise self._refuse("executors", f"gives {one!r} as {name!r}, which is no class of an executor")
            if not name.isidentifier():
                raise self._refuse("executors", f"gives the name {name!r}; use letters, digits and underscores")
        return found

    def commands(self) -> dict[str, Any]:
        """Its commands, by name."""
        found = self.sequence("commands", _is_command, "command of click whose name is one word")
        return {str(one.name): one for one in found}

    def commands_with_help(self) -> dict[str, str]:
        """A line of help for each of its commands."""
        return {name: str(command.get_short_help_str(80)) for name, command in self.commands().items()}

    def _given(self, hook: str) -> list[Any]:
        implementations = getattr(self._hooks.hook, hook).get_hookimpls()
        return [one.function() for one in implementations]

    def _refuse(self, hook: str, what: str) -> DagError:
        [first, *_] = getattr(self._hooks.hook, hook).get_hookimpls()
        return _refusal(first.function, f"the hook {hook}() of the plugin {self.name!r} {what}")


def _is_backend(one: object) -> bool:
    return hasattr(one, "get_variable") and hasattr(one, "get_conn_value") and not isinstance(one, type)


def _is_executor(one: object) -> bool:
    return isinstance(one, type) and all(callable(getattr(one, call, None)) for call in EXECUTOR_CALLS)


def _is_command(one: object) -> bool:
    name = str(getattr(one, "name", None) or "")
    return (
        name.isprintable()
        and len(name.split()) == 1
        and not name.startswith("-")
        and hasattr(one, "get_short_help_str")
        and hasattr(one, "main")
    )


def _marked(one: object) -> Iterator[Callable[..., Any]]:
    names = vars(one) if isinstance(one, ModuleType) else dir(one)
    for name in list(names):
        function = getattr(one, name, None)
        if inspect.isroutine(function) and getattr(function, _MARK, None):
            yield function


def _check(plugin: str, function: Callable[..., Any]) -> None:
    name = function.__name__
    hook = HOOKS.get(name)
    if hook is None:
        known = ", ".join(HOOKS)
        near = did_you_mean(name, HOOKS) or f"; there are {known}"
        raise _refusal(function, f"the plugin {plugin!r} has the hook {name}(), and there is none of that name{near}")
    allowed = list(inspect.signature(hook).parameters)[1:]
    for word in inspect.signature(function).parameters.values():
        if word.name not in allowed and word.default is word.empty:
            given = f"({', '.join(allowed)})"
            raise _refusal(
                function, f"the hook {name}() of the plugin {plugin!r} takes {word.name!r}; it is given {given}"
            )


def _refusal(function: Callable[..., Any], message: str) -> DagError:
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return DagError(message)
    return DagError(message, file=code.co_filename, line=code.co_firstlineno)
