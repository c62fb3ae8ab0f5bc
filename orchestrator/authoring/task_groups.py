"""``@task_group``: groups of tasks made of functions."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, ParamSpec, overload

from orchestrator.authoring.checks import check_all, refuse_unknown
from orchestrator.authoring.dag import current_dag
from orchestrator.authoring.groups import GROUP_CHECKS, TaskGroup
from orchestrator.authoring.mapped import Partial
from orchestrator.authoring.mapped_groups import GroupItem
from orchestrator.authoring.mapped_inputs import Expansion, by_name, by_set
from orchestrator.authoring.place import Place, author

_Params = ParamSpec("_Params")


class TaskGroupFunction(Generic[_Params]):
    """A function under ``@task_group``: a call inside a DAG makes a group of the tasks that its body makes.

    The call gives back what the function returns, such as the result of its last task; the group if that is None.
    """

    def __init__(
        self,
        function: Callable[_Params, Any],
        settings: dict[str, Any],
        bound: Mapping[str, Any] | None = None,
        waiting: Partial | None = None,
    ) -> None:
        self.function = function
        self.settings = settings
        self.bound = dict(bound or {})
        self._waiting = waiting
        functools.update_wrapper(self, function)

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> Any:
        self._check(args, kwargs)
        return self._fill(self._group(), args, {**self.bound, **kwargs})

    def _group(self) -> TaskGroup:
        self._go_on()
        settings = {"group_id": self.function.__name__, "add_suffix_on_collision": True, **self.settings}
        return TaskGroup(**settings)

    def _fill(self, group: TaskGroup, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        with group:
            group.tooltip = group.tooltip or inspect.getdoc(self.function) or ""
            made = self.function(*args, **kwargs)
        return group if made is None else made

    def _check(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """DagError if the function cannot be called so, before a group is made for it."""
        try:
            inspect.signature(self.function).bind(*args, **{**self.bound, **kwargs})
        except TypeError as error:
            raise author().refuse(f"group function {self.function.__name__!r}: {error}") from None

    def override(self, **settings: Any) -> "TaskGroupFunction[_Params]":
        """The same function with other settings of its group: ``section.override(group_id="second")(rows)``."""
        return TaskGroupFunction(self.function, {**self.settings, **_checked(settings)}, self.bound, self._waiting)

    def partial(self, **kwargs: Any) -> "TaskGroupFunction[_Params]":
        """The same function with these arguments given; a DAG refuses it if no group is made of it."""
        parameters = inspect.signature(self.function).parameters
        if not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
            refuse_unknown(author(), f"partial() of group function {self.function.__name__!r}", kwargs, parameters)
        for name in kwargs:
            if name in self.bound:
                raise author().refuse(
                    f"group function {self.function.__name__!r} was given {name!r} by partial() twice"
                )
        self._go_on()
        waiting = Partial(self._name, author(), current_dag())
        return TaskGroupFunction(self.function, self.settings, {**self.bound, **kwargs}, waiting)

    def _go_on(self) -> None:
        """What partial() has given is made use of."""
        if self._waiting is not None:
            self._waiting.is_expanded = True

    def expand(self, **mapped: Any) -> Any:
        """A group with one instance for each combination of the items of these arguments."""
        place = author()
        expansion = by_name(place, self._name, mapped)
        return self._expand(place, expansion, mapped)

    def expand_kwargs(self, mapped: Any) -> Any:
        """A group with one instance for each dict of arguments: of those that the function needs besides partial()."""
        place = author()
        expansion = by_set(place, self._name, mapped)
        names = dict(expansion.literals()) or [name for name in self._required() if name not in self.bound]
        return self._expand(place, expansion, names)

    def _expand(self, place: Place, expansion: Expansion, names: Iterable[str]) -> Any:
        for name in names:
            if name in self.bound:
                raise place.refuse(f"{self._name}: {name!r} stands in partial() and in expand(); name it once")
        self._check((), {**self.bound, **dict.fromkeys(names)})
        group = self._group()
        group.expansion = expansion
        made = self._fill(group, (), {**self.bound, **{name: GroupItem(group, expansion, name) for name in names}})
        for task in expansion.tasks():
            group.set_upstream(task)
        return made

    def _required(self) -> list[str]:
        parameters = inspect.signature(self.function).parameters.values()
        return [one.name for one in parameters if one.default is one.empty and one.kind in _NAMED]

    @property
    def _name(self) -> str:
        return f"group function {self.function.__name__!r}"


_NAMED = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    place = author()
    refuse_unknown(place, "@task_group", settings, {*GROUP_CHECKS, "group_id"})
    own = {name: value for name, value in settings.items() if name in GROUP_CHECKS}
    check_all(place, "@task_group", own, GROUP_CHECKS)
    return settings


@overload
def task_group(python_callable: Callable[_Params, Any]) -> TaskGroupFunction[_Params]: ...
@overload
def task_group(
    python_callable: str | None = None, **settings: Any
) -> Callable[[Callable[_Params, Any]], TaskGroupFunction[_Params]]: ...
def task_group(python_callable: Callable[..., Any] | str | None = None, **settings: Any) -> Any:
    """Make groups of a function's tasks: with or without parentheses, with any setting of TaskGroup.

    The group_id is the function's name unless given, numbered where it is taken; its docstring becomes the tooltip.
    """
    if isinstance(python_callable, str):
        settings["group_id"], python_callable = python_callable, None
    given = {name: value for name, value in _checked(settings).items() if value is not None}
    if python_callable is None:
        return functools.partial(_decorate, settings=given)
    return _decorate(python_callable, settings=given)


def _decorate(function: Any, *, settings: dict[str, Any]) -> TaskGroupFunction[...]:
    if not callable(function) or not hasattr(function, "__name__"):
        raise author().refuse(f"@task_group decorates a function, not {function!r}")
    return TaskGroupFunction(function, settings)
