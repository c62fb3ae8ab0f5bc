"""References: values that a DAG file passes on before they exist, such as the result of a task."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NoReturn

from orchestrator.authoring.given import Given, Picks
from orchestrator.authoring.mapped_sequences import NOTHING, Chained, Mapped, Zipped
from orchestrator.authoring.place import author
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.scopes import Preparing
from orchestrator.authoring.task import Task
from orchestrator.core.spec import Length, LengthOf, Longest, Shortest, Total
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean

RETURN_VALUE = "return_value"
_NOTHING = object()


class Reference(ABC):
    """Stands for a value that is there only when a task runs."""

    @abstractmethod
    def resolve(self, context: Context, results: Mapping[str, Any], /) -> Any:
        """The value; ``results`` holds what the tasks have returned that the running one takes."""

    def tasks(self) -> Iterator[Task]:
        """The tasks that come before one that uses it."""
        yield from ()

    def taken_by(self, _task: Task, /) -> Iterator[Task]:
        """The tasks whose whole results a task takes that uses it."""
        yield from self.tasks()


Scopes = tuple[str, ...]


class Mappable(Reference, Preparing):
    """A value that has items, for tasks and groups to be mapped over. ``scopes`` are the mapped groups around such a
    mapping.
    """

    @abstractmethod
    def length(self, scopes: Scopes) -> Length:
        """How many items there will be; DagError if they cannot be counted."""

    @abstractmethod
    def items(self, given: Given, scopes: Scopes, *, is_picked: bool) -> Sequence[Any]:
        """The items; ``is_picked``: of those that are results of a mapped task only the one is there that is meant."""

    def taken_items(self, _scopes: Scopes, *, counts: bool = False) -> Iterator[Task]:
        """The tasks whose whole results are needed to pick an item; ``counts``: or to count the items as well."""
        yield from self.tasks() if counts else ()

    def map(self, function: Callable[[Any], Any]) -> "MapXComArg":
        """``function`` of each item, called where the item is used; AirflowSkipException skips that instance."""
        return MapXComArg(self, function)

    def zip(self, *others: "Mappable", fillvalue: Any = NOTHING) -> "ZipXComArg":
        """Tuples of one item of each, up to the shortest; filled up to the longest, if a fillvalue is given."""
        return ZipXComArg((self, *others), fillvalue)

    def concat(self, *others: "Mappable") -> "ConcatXComArg":
        """The items of this one, then those of the others."""
        return ConcatXComArg((self, *others))

    def resolve(self, context: Context, results: Mapping[str, Any]) -> Any:
        """All items, for a task that takes them together."""
        return self.items(Given.of(results), context["task"].mapped_groups, is_picked=False)

    def __iter__(self) -> NoReturn:
        raise author().refuse(
            f"{self!r} stands for a value that is not there while the DAG file is parsed; loop over it inside a task"
        )

    @property
    def roots(self) -> Sequence[Task]:
        return list(self.tasks())

    leaves = roots


class XComArg(Mappable):
    """What ``operator`` will have returned, or a part of it: ``extract()["rows"][0]``.

    ``key`` is the name of that part, "return_value" for all of it; ``path`` leads on from there.
    """

    def __init__(self, operator: Task, key: str = RETURN_VALUE, path: tuple[str | int, ...] = ()) -> None:
        if not isinstance(operator, Task):
            raise author().refuse(f"XComArg takes a task, not {operator!r}")
        if not isinstance(key, str):
            raise author().refuse(f"the key of an XComArg is a text, not {key!r}")
        self.operator = operator
        self.key = key
        self.path = path

    def __getitem__(self, key: str | int) -> "XComArg":
        if isinstance(key, str) and not self.steps:
            return XComArg(self.operator, key)
        return XComArg(self.operator, self.key, (*self.path, key))

    def __str__(self) -> str:
        """The same as a Jinja template, so that an f-string takes it; the key may be that of a pushed value."""
        key = "" if self.key == RETURN_VALUE else f", key={self.key!r}"
        path = "".join(f"[{step!r}]" for step in self.path)
        return f"{{{{ ti.xcom_pull(task_ids={self.operator.task_id!r}{key}){path} }}}}"

    def __repr__(self) -> str:
        return f"the result of {self.operator.task_id!r}{self._written}"

    @property
    def steps(self) -> tuple[str | int, ...]:
        """What leads from the whole result to the part that is meant."""
        return self.path if self.key == RETURN_VALUE else (self.key, *self.path)

    @property
    def _written(self) -> str:
        return "".join(f"[{step!r}]" for step in self.steps)

    def tasks(self) -> Iterator[Task]:
        yield self.operator

    def length(self, scopes: Scopes) -> Length:
        if len(self.steps) > 1 or not all(isinstance(step, str) for step in self.steps):
            raise author().refuse(f"nothing can be mapped over {self!r}; return it as a part of its own, or .map() it")
        if self.steps and are_several(self.operator, scopes):
            raise author().refuse(f"nothing can be mapped over {self!r}, which is mapped itself; .map() its results")
        return LengthOf(task_id=self.operator.task_id, key=self._part)

    def items(self, given: Given, scopes: Scopes, *, is_picked: bool) -> Sequence[Any]:
        task_id = self.operator.task_id
        if not are_several(self.operator, scopes):
            return given.items_of(task_id, self._part)
        found: Sequence[Any] = Picks(given, task_id) if is_picked else given[task_id]
        return found

    def taken_items(self, scopes: Scopes, *, counts: bool = False) -> Iterator[Task]:
        if counts or not are_several(self.operator, scopes):
            yield self.operator

    @property
    def _part(self) -> str | None:
        return str(self.steps[0]) if self.steps else None

    def resolve(self, context: Context, results: Mapping[str, Any]) -> Any:
        """The recorded result, None where the task recorded none; UsageError if it has no such part.

        What is no part of the result may have been pushed under that key. The parts of a task with multiple_outputs
        that recorded nothing, since it was skipped, are None too.
        """
        value = results[self.operator.task_id]
        if self.key != RETURN_VALUE and are_several(self.operator, context["task"].mapped_groups):
            return [one.get(self.key) if isinstance(one, Mapping) else None for one in value]
        if self.key != RETURN_VALUE and not (isinstance(value, Mapping) and self.key in value):
            pushed = context["ti"].xcom_pull(self.operator.task_id, key=self.key, default=_NOTHING)
            value = value if pushed is _NOTHING else {self.key: pushed}
        if value is None and self.operator.multiple_outputs:
            return None
        for depth, step in enumerate(self.steps):
            try:
                value = value[step]
            except (LookupError, TypeError):
                whole = XComArg(self.operator, path=self.steps[:depth])
                near = did_you_mean(str(step), [str(key) for key in value]) if isinstance(value, Mapping) else ""
                raise UsageError(f"{whole!r} is a {type(value).__name__} and has no part {step!r}{near}") from None
        return value


class MapXComArg(Mappable):
    """A function of each item of another."""

    def __init__(self, source: Mappable, function: Any) -> None:
        if not callable(function) or hasattr(function, "operator_class"):
            raise author().refuse(f"map() takes a plain function, not {function!r}")
        self.source = source
        self.function: Callable[[Any], Any] = function

    def __repr__(self) -> str:
        return f"{self.source!r}.map({getattr(self.function, '__name__', self.function)})"

    def tasks(self) -> Iterator[Task]:
        return self.source.tasks()

    def length(self, scopes: Scopes) -> Length:
        return self.source.length(scopes)

    def items(self, given: Given, scopes: Scopes, *, is_picked: bool) -> Sequence[Any]:
        return Mapped(self.function, self.source.items(given, scopes, is_picked=is_picked))

    def taken_items(self, scopes: Scopes, *, counts: bool = False) -> Iterator[Task]:
        return self.source.taken_items(scopes, counts=counts)


class _Several(Mappable):
    """Made of the items of several others."""

    _made_by: str

    def __init__(self, sources: tuple[Mappable, ...]) -> None:
        for source in sources:
            if not isinstance(source, Mappable):
                raise author().refuse(f"{self._made_by}() takes results of tasks, not {source!r}")
        self.sources = sources

    def __repr__(self) -> str:
        first, *others = self.sources
        return f"{first!r}.{self._made_by}({', '.join(map(repr, others))})"

    def tasks(self) -> Iterator[Task]:
        for source in self.sources:
            yield from source.tasks()

    def taken_items(self, scopes: Scopes, *, counts: bool = False) -> Iterator[Task]:
        for source in self.sources:
            yield from source.taken_items(scopes, counts=counts)

    def _items(self, given: Given, scopes: Scopes, *, is_picked: bool) -> list[Sequence[Any]]:
        return [source.items(given, scopes, is_picked=is_picked) for source in self.sources]


class ZipXComArg(_Several):
    """Tuples of one item of each."""

    _made_by = "zip"

    def __init__(self, sources: tuple[Mappable, ...], fillvalue: Any = NOTHING) -> None:
        super().__init__(sources)
        self.fillvalue = fillvalue

    def length(self, scopes: Scopes) -> Length:
        kind = Shortest if self.fillvalue is NOTHING else Longest
        return kind(tuple(source.length(scopes) for source in self.sources))

    def items(self, given: Given, scopes: Scopes, *, is_picked: bool) -> Sequence[Any]:
        return Zipped(self._items(given, scopes, is_picked=is_picked), self.fillvalue)


class ConcatXComArg(_Several):
    """The items of one after those of another."""

    _made_by = "concat"

    def length(self, scopes: Scopes) -> Length:
        return Total(tuple(source.length(scopes) for source in self.sources))

    def items(self, given: Given, scopes: Scopes, *, is_picked: bool) -> Sequence[Any]:
        return Chained(self._items(given, scopes, is_picked=is_picked))

    def taken_items(self, scopes: Scopes, *, counts: bool = True) -> Iterator[Task]:  # noqa: ARG002 - always counts
        return super().taken_items(scopes, counts=True)


def are_several(task: Task, scopes: Scopes) -> bool:
    """Whether one that stands in these mapped groups sees several instances of the task."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(task.mapped_groups, scopes, strict=False)))
    return len(task.mapped_groups) + task.is_mapped > shared


@dataclass(frozen=True, eq=False)
class DagParam(Reference):
    """One of the params of the run; what a function under ``@dag`` is given for its parameters."""

    name: str

    def __str__(self) -> str:
        return f"{{{{ params[{self.name!r}] }}}}"

    def resolve(self, context: Context, _results: Mapping[str, Any]) -> Any:
        return context["params"][self.name]


def parts(value: Any) -> Iterator[Any]:
    """``value`` and what it holds, at any depth of lists, tuples, sets, dicts and objects with template fields."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        inner = _inside(item)
        if inner is None:
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            waiting.extend(inner)


def _inside(value: Any) -> Sequence[Any] | None:
    if isinstance(value, (list, tuple, set)):  # the containers first: an abstract class is slow to ask, 15 times a task
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    if value is None or isinstance(value, (str, int, float, Reference, Task)):
        return None
    fields = getattr(value, "template_fields", None)
    return None if fields is None else [getattr(value, field, None) for field in fields]


def references(values: Sequence[Any]) -> Iterator[Reference]:
    """The references that stand somewhere in ``values``."""
    for value in values:
        for part in parts(value):
            if isinstance(part, Reference):
                yield part


def referred_tasks(values: Sequence[Any]) -> set[Task]:
    """The tasks whose results are used somewhere in ``values``."""
    return {task for reference in references(values) for task in reference.tasks()}
