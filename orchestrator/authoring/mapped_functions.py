"""Mapped task functions: ``function.partial(…).expand(…)``."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orchestrator.authoring.callables import checked_arguments, parameters_of
from orchestrator.authoring.construction import Making
from orchestrator.authoring.mapped import Partial, make_mapped
from orchestrator.authoring.mapped_inputs import Expansion, by_name, by_set
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.references import XComArg
from orchestrator.nearest import did_you_mean


class FunctionPartial(Partial):
    """Arguments that all instances have in common. ``settings`` gives those of the next task, ``finish`` makes it what
    the function's tasks are.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        kind: type[BaseOperator],
        arguments: Mapping[str, Any],
        settings: Callable[[], dict[str, Any]],
        finish: Callable[[XComArg], Any],
    ) -> None:
        place = author()
        super().__init__(f"task function {function.__name__!r}", place, Making({}).dag if arguments else None)
        self._function = function
        self._kind = kind
        self._arguments = dict(arguments)
        self._settings = settings
        self._finish = finish
        self._check(place, "partial()", arguments)

    def expand(self, **mapped: Any) -> Any:
        """A task with one instance for each combination of the items of these arguments; gives their results."""
        place = author()
        self._check(place, "expand()", mapped, self._arguments)
        expansion = by_name(place, self.what, mapped)
        checked_arguments(place, self.what, self._function, (), {**self._arguments, **mapped})
        return self._make(expansion)

    def expand_kwargs(self, mapped: Any, *, strict: bool = True) -> Any:
        """A task with one instance for each dict of arguments. ``strict`` False: they go before those of partial()."""
        place = author()
        expansion = by_set(place, self.what, mapped)
        names = dict(expansion.literals())
        self._check(place, "expand_kwargs()", names, self._arguments if strict else ())
        return self._make(expansion, strict=strict)

    def _make(self, expansion: Expansion, *, strict: bool = True) -> Any:
        self.is_expanded = True
        arguments = {**self._settings(), "python_callable": self._function, "op_kwargs": self._arguments}
        return self._finish(XComArg(make_mapped(self._kind, arguments, expansion, into="op_kwargs", strict=strict)))

    def _check(self, place: Place, method: str, names: Iterable[str], taken: Iterable[str] = ()) -> None:
        parameters = parameters_of(self._function)
        known = frozenset() if parameters is None else frozenset(parameters.signature.parameters)
        takes_all = parameters is None or parameters.takes_all
        for name in names:
            if name not in known and not takes_all:
                raise place.refuse(
                    f"{self.what}: {method} has {name!r}, which it does not take{did_you_mean(name, known)}"
                )
            if name in taken:
                raise place.refuse(f"{self.what}: {name!r} stands in partial() and in {method}; name it once")
