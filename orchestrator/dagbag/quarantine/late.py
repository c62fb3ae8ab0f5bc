"""Does something to a module once it has been imported, whenever that is."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TypeAlias

Amend: TypeAlias = Callable[[ModuleType], None]


class AfterImport(MetaPathFinder):
    """``amend`` by the name of the module. Stands first in ``sys.meta_path`` and lets others do the finding."""

    def __init__(self, amend: Mapping[str, Amend]) -> None:
        self._amend = dict(amend)

    def install(self) -> None:
        for name in self._amend.keys() & sys.modules.keys():
            self._amend.pop(name)(sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's protocol
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's protocol
    ) -> ModuleSpec | None:
        amend = self._amend.pop(fullname, None)  # so that the search below does not come back here
        if amend is None:
            return None
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            _extend(spec.loader.exec_module, spec, amend)
        return spec


def _extend(execute: Amend, spec: ModuleSpec, amend: Amend) -> None:
    """This one spec's loader amends the module that it has run."""

    def exec_module(module: ModuleType) -> None:
        execute(module)
        amend(module)

    # A loader belongs to one spec; its class, which resources and reloads go by, stays what it is.
    setattr(spec.loader, "exec_module", exec_module)  # noqa: B010 - mypy knows it as a method
