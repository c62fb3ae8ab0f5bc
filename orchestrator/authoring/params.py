"""ParamsDict: the params of a DAG or task, each a plain value or a declaration of what it may be."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final


class NotSet:
    """What NOTSET is of: nothing was given, not even None."""

    def __repr__(self) -> str:
        return "NOTSET"

    def __bool__(self) -> bool:
        return False


NOTSET: Final[Any] = NotSet()


class Declared(ABC):
    """A param with a schema; ``authoring.param.Param`` is it."""

    value: Any
    schema: dict[str, Any]
    description: str | None

    @property
    @abstractmethod
    def has_value(self) -> bool:
        """Whether a run may leave it out."""

    @abstractmethod
    def resolve(self, value: Any = NOTSET) -> Any:
        """``value``, or its default; UsageError if that is not what the schema asks for."""


class ParamsDict(MutableMapping[str, Any]):
    """Values by name. A plain value that is set in the place of a declared one takes on its schema."""

    def __init__(self, dict_obj: Mapping[str, Any] | None = None) -> None:
        self._params: dict[str, Any] = dict(
            {name: dict_obj.get_param(name) for name in dict_obj}
            if isinstance(dict_obj, ParamsDict)
            else dict_obj or {}
        )

    def __getitem__(self, key: str) -> Any:
        found = self._params[key]
        return found.value if isinstance(found, Declared) else found

    def __setitem__(self, key: str, value: Any) -> None:
        before = self._params.get(key)
        if isinstance(before, Declared) and not isinstance(value, Declared):
            before.value = value
        else:
            self._params[key] = value

    def __delitem__(self, key: str) -> None:
        del self._params[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def __repr__(self) -> str:
        return repr(self.dump())

    @property
    def declared(self) -> dict[str, Declared]:
        """Those that have a schema, by name."""
        return {name: one for name, one in self._params.items() if isinstance(one, Declared)}

    def get_param(self, key: str) -> Any:
        """The declaration, where there is one, else the value."""
        return self._params[key]

    def dump(self) -> dict[str, Any]:
        """The values; of a declared one without any it is None."""
        return {name: None if self[name] is NOTSET else self[name] for name in self}

    def given(self) -> dict[str, Any]:
        """The values of those that a run may leave out."""
        declared = self.declared
        return {name: self[name] for name in self if name not in declared or declared[name].has_value}

    def validate(self) -> dict[str, Any]:
        """The values; UsageError for the first that does not fit its schema."""
        return {name: one.resolve() if isinstance(one, Declared) else one for name, one in self._params.items()}


def checked_params(value: Any) -> Mapping[str, Any]:
    """``value``, if it may be somebody's params."""
    if not isinstance(value, (dict, ParamsDict)):
        raise ValueError("a dict")
    return value
