"""Filters: those of Jinja and of a DAG, and after them those of plugins, which are looked for when one is named."""

from collections.abc import Callable
from typing import Any

from orchestrator.authoring.extensions import current_extensions


class Filters(dict[str, Callable[..., Any]]):
    """By name, as Jinja asks for them."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and current_extensions().filter(name) is not None)

    def __missing__(self, name: str) -> Callable[..., Any]:
        found = current_extensions().filter(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default
