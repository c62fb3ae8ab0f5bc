"""VersionClasses: the classes that a recorded value may name, in the version of the code that is active.

A recorded name is text from a database: it never makes anything be imported but the author's own modules, and never
leads to a class that the author's code does not name.
"""

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from orchestrator.core.typed import UnrecordableError
from orchestrator.dagbag.finder import LocalFinder
from orchestrator.exceptions import ValueDecodingError

_SCRIPT = "__main__"
SETTING = "[core] allowed_deserialization_classes"


class VersionClasses:
    """Classes are named ``module:Qualified.Name``. Those may be restored that local modules define, that one of these
    has at its top (by an import), or that match one of the patterns ``allowed`` (``package.module.*``). Local is what
    lies in the folders of the version, and the script that this process runs.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed = tuple(allowed)
        self._found: WeakKeyDictionary[LocalFinder, dict[str, Any]] = WeakKeyDictionary()

    def name_of(self, kind: type) -> str:
        name = f"{kind.__module__}:{kind.__qualname__}"
        if "<locals>" in name:
            raise UnrecordableError("its class is defined inside of a function; define it at the top of a module")
        try:
            found = self.find(name)
        except ValueDecodingError as error:
            raise UnrecordableError(f"it could not be read back, since {error}") from None
        if found is not kind:
            raise UnrecordableError(f"{name} is another class now; give classes names of their own")
        return name

    def find(self, name: str) -> Any:
        finder = next((one for one in sys.meta_path if isinstance(one, LocalFinder)), None)
        if finder is None:
            return self._looked_up(name, None)
        known = self._found.setdefault(finder, {})
        if name not in known:
            known[name] = self._looked_up(name, finder)
        return known[name]

    def _looked_up(self, name: str, finder: LocalFinder | None) -> Any:
        module, _, path = name.partition(":")
        if _is_local(module, finder) or self._is_allowed(module, path):
            return _imported(name, module, path)
        found = _part(sys.modules.get(module), path)
        if found is None or not _is_named(found, finder):
            raise ValueDecodingError(
                f"the class {name} is not of the DAGs folder; import it at the top of the DAG file, or name it in "
                f"{SETTING}"
            )
        return found

    def _is_allowed(self, module: str, path: str) -> bool:
        return any(fnmatchcase(f"{module}.{path}", pattern) for pattern in self._allowed)


def _is_local(module: str, finder: LocalFinder | None) -> bool:
    if module == _SCRIPT or finder is None:
        return module == _SCRIPT
    return module in finder.modules or finder.find_spec(module.partition(".")[0], None) is not None


def _is_named(found: object, finder: LocalFinder | None) -> bool:
    """Whether a local module has it at its top."""
    local = (sys.modules.get(name) for name in (_SCRIPT, *(() if finder is None else finder.modules)))
    return any(found is value for module in local if module is not None for value in tuple(vars(module).values()))


def _imported(name: str, module: str, path: str) -> Any:
    try:
        found = _part(sys.modules.get(module) or import_module(module), path)
    except ImportError as error:
        raise ValueDecodingError(f"the class {name} cannot be imported in this version of the code: {error}") from None
    if found is None:
        raise ValueDecodingError(f"there is no class {name} in this version of the code")
    return found


def _part(owner: Any, path: str) -> Any:
    """What the dotted path leads to inside of it; None if nothing."""
    for step in path.split("."):
        owner = getattr(owner, step, None)
    return owner
