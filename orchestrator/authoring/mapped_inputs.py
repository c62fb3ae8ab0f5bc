"""What tasks and groups are mapped over: the arguments of ``expand(…)`` and ``expand_kwargs(…)``."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from orchestrator.authoring.given import Given, Positions
from orchestrator.authoring.place import Place
from orchestrator.authoring.references import Mappable, Reference, Scopes, parts, references
from orchestrator.authoring.task import Task
from orchestrator.core.spec import Fixed, Length
from orchestrator.core.spec import Mapping as TaskMapping
from orchestrator.exceptions import UsageError

Source: TypeAlias = Mappable | Sequence[Any]


class Item(NamedTuple):
    """The arguments of one instance. ``settled`` are those that come from results: no templates are rendered there."""

    arguments: Mapping[str, Any]
    settled: tuple[Any, ...] = ()


class Expansion(ABC):
    """Over what something is mapped. ``scopes`` are the mapped groups around it."""

    @property
    @abstractmethod
    def sources(self) -> Sequence[Source]:
        """One for each factor."""

    @abstractmethod
    def item(self, positions: Positions, given: Given, scopes: Scopes) -> Item:
        """The arguments at these positions, one for each factor; UsageError if they are none."""

    def mapping(self, scopes: Scopes) -> TaskMapping:
        return TaskMapping(tuple(_length(source, scopes) for source in self.sources))

    def tasks(self) -> Iterator[Task]:
        """The tasks whose results it is made of."""
        for source in self.sources:
            if isinstance(source, Mappable):
                yield from source.tasks()
            else:
                yield from (task for reference in references([source]) for task in reference.tasks())

    def taken_by(self, task: Task, scopes: Scopes) -> Iterator[Task]:
        """The tasks whose whole results are needed for an item that ``task`` takes."""
        for source in self.sources:
            if isinstance(source, Mappable):
                yield from source.taken_items(scopes)
            else:
                yield from (one for reference in references([source]) for one in reference.taken_by(task))

    def literals(self) -> Iterator[tuple[str, Any]]:
        """Arguments that stand in the file, with their names."""
        yield from ()


class ByName(Expansion):
    """``expand(a=…, b=…)``: each item of one with each of the other."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    @property
    def sources(self) -> Sequence[Source]:
        return tuple(self._sources.values())

    def item(self, positions: Positions, given: Given, scopes: Scopes) -> Item:
        arguments, settled = {}, []
        for (name, source), position in zip(self._sources.items(), positions, strict=True):
            arguments[name] = _at(source, position, given, scopes)
            if isinstance(source, Mappable):
                settled.append(arguments[name])
        return Item(arguments, tuple(settled))

    def literals(self) -> Iterator[tuple[str, Any]]:
        return ((name, source) for name, source in self._sources.items() if not isinstance(source, Mappable))


class BySet(Expansion):
    """``expand_kwargs(…)``: each item is a dict of arguments."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def sources(self) -> Sequence[Source]:
        return (self._source,)

    def item(self, positions: Positions, given: Given, scopes: Scopes) -> Item:
        found = _at(self._source, positions[0], given, scopes)
        if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
            raise UsageError(f"expand_kwargs() takes dicts of arguments, and item {positions[0]} is {found!r:.80}")
        return Item(found, (found,) if isinstance(self._source, Mappable) else ())

    def literals(self) -> Iterator[tuple[str, Any]]:
        if not isinstance(self._source, Mappable):
            for one in self._source:
                yield from one.items()


def by_name(place: Place, what: str, mapped: Mapping[str, Any]) -> ByName:
    """Of the arguments of ``expand``; DagError if one of them has no items."""
    if not mapped:
        raise place.refuse(f"{what}: expand() needs an argument to map over, such as expand(x=[1, 2, 3])")
    return ByName({name: _source(place, f"{what}: expand({name}=…)", value) for name, value in mapped.items()})


def by_set(place: Place, what: str, mapped: Any) -> BySet:
    """Of the argument of ``expand_kwargs``; DagError if it holds anything but dicts."""
    words = f"{what}: expand_kwargs()"
    if isinstance(mapped, Mapping):
        raise place.refuse(f"{words} takes a list of dicts, or the result of a task, not {mapped!r:.80}")
    source = _source(place, words, mapped)
    for one in () if isinstance(source, Mappable) else source:
        if not isinstance(one, Mapping) or not all(isinstance(name, str) for name in one):
            raise place.refuse(f"{words} takes dicts of arguments, not {one!r:.80}")
    return BySet(source)


def _source(place: Place, what: str, value: Any) -> Source:
    if isinstance(value, Mapping):
        return tuple(value.items())
    if isinstance(value, Mappable):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value
    if isinstance(value, Task):
        raise place.refuse(f"{what} maps over results, and this is a task; write {value.task_id}.output")
    hint = "" if isinstance(value, Reference) else "; put what does not vary into partial()"
    raise place.refuse(f"{what} maps over a list, a dict or the result of a task, not {value!r:.80}{hint}")


def _length(source: Source, scopes: Scopes) -> Length:
    return source.length(scopes) if isinstance(source, Mappable) else Fixed(len(source))


def _at(source: Source, position: int, given: Given, scopes: Scopes) -> Any:
    items = source.items(given, scopes, is_picked=True) if isinstance(source, Mappable) else source
    try:
        return items[position]
    except (IndexError, KeyError):
        raise UsageError(
            f"there is no item {position} of {source!r:.80}; make the file define the same lists each time it is loaded"
        ) from None


def texts_in(values: Iterable[Any]) -> dict[int, str]:
    """The texts in ``values``, at any depth, by identity."""
    return {id(part): part for value in values for part in parts(value) if isinstance(part, str)}
