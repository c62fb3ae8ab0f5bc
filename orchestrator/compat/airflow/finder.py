"""Serves ``import airflow…`` from the tables, in the processes that run authors' code."""

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from orchestrator.compat.airflow.catalog import ROOT, Missing, Served, find, find_module, served_names


class ServedModule(ModuleType):
    """One of Airflow's modules: each name is looked up when it is first asked for."""

    __all__: list[str]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = find(self.__name__, name)
        if isinstance(found, Missing):
            raise AttributeError(found.sentence)
        value = self.__dict__[name] = _load(found)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__all__})


class _ServedLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ServedModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__all__ = list(served_names(module.__name__))  # type: ignore[attr-defined]


class AirflowFinder(MetaPathFinder):
    """Every module is a package, so that ``from airflow.x import y`` comes here for a ``y`` that is not there."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's protocol
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's protocol
    ) -> ModuleSpec | None:
        """ImportError, with one sentence, for what is not served."""
        if fullname != ROOT and not fullname.startswith(f"{ROOT}."):
            return None
        missing = find_module(fullname)
        if missing is not None:
            raise ImportError(_sentence(fullname, missing), name=fullname)
        return ModuleSpec(fullname, _ServedLoader(), is_package=True)


def serve_airflow() -> None:
    """From now on imports of ``airflow`` in this process mean this program, unless the real one is installed."""
    if not is_airflow_installed() and not any(isinstance(one, AirflowFinder) for one in sys.meta_path):
        sys.meta_path.insert(0, AirflowFinder())


@cache
def is_airflow_installed() -> bool:
    """Whether Airflow itself is installed, and not only packages that put something below its name; then it is what
    its imports mean.
    """
    found = PathFinder.find_spec(ROOT)
    return found is not None and found.loader is not None


def _load(served: Served) -> Any:
    module, _, name = served.target.partition(":")
    found = import_module(module)
    return getattr(found, name) if name else found


def _sentence(fullname: str, missing: Missing) -> str:
    """``from airflow.x import y`` has asked for a module ``airflow.x.y``; where there is a module ``airflow.x``, its
    author has meant a name.
    """
    parent, _, name = fullname.rpartition(".")
    if find_module(parent) is not None:
        return missing.sentence
    found = find(parent, name)
    return found.sentence if isinstance(found, Missing) else missing.sentence
