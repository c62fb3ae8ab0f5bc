"""Finds and loads the modules below the roots, always from their source."""

import site
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import decode_source, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import TypeAlias

from orchestrator.authoring.collecting import collecting
from orchestrator.compat.airflow.catalog import ROOT as AIRFLOW
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagImportError

Read: TypeAlias = Callable[[str, bytes], None]
"""Told of each file that is run: its relative name and its bytes."""

_INSTALLED = [*site.getsitepackages(), site.getusersitepackages()]


class SourceLoader(SourceFileLoader):
    """Loads one file from its source; bytecode is neither read nor written."""

    def __init__(self, module: str, path: str, name: str, read: Read) -> None:
        super().__init__(module, path)
        self._name = name
        self._tell = read

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - importlib's protocol
        data = self.get_data(self.path)
        self._tell(self._name, data)
        return compile(_text(data, self.path), self.path, "exec", dont_inherit=True)


class _LocalLoader(SourceLoader):
    """Loads a module beside the DAG file; the DAGs that it makes as it is imported are not the importer's."""

    def exec_module(self, module: ModuleType) -> None:
        with collecting():
            super().exec_module(module)


class LocalFinder(MetaPathFinder):
    """Stands first in ``sys.meta_path`` while a version is active. ``modules`` are the names that it found."""

    def __init__(self, roots: Roots, read: Read) -> None:
        self.modules: set[str] = set()
        self._roots = {str(folder): prefix for folder, prefix in roots}
        self._packages = {"dags": str(roots.folder), "plugins": str(roots.plugins)}
        self._prefixes = dict(self._roots)
        self._read = read

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's protocol
    ) -> ModuleSpec | None:
        spec = self._search(fullname, path) if path is not None else self._top(fullname)
        if spec is not None:
            self.modules.add(fullname)
        return spec

    def names(self, fullname: str, path: Iterable[str] | None) -> Iterator[str]:
        """The relative names of the files that would be that module."""
        stem = fullname.rpartition(".")[2]
        for folder in self._roots if path is None else path:
            prefix = self._prefixes.get(folder)
            if prefix is not None:
                yield f"{prefix}{stem}.py"
                yield f"{prefix}{stem}/__init__.py"

    def _top(self, name: str) -> ModuleSpec | None:
        spec = self._search(name, self._roots) or self._root_package(name)
        return None if spec is None or _is_installed(name, spec) else spec

    def _search(self, fullname: str, path: Iterable[str]) -> ModuleSpec | None:
        stem = fullname.rpartition(".")[2]
        portions: list[str] = []
        for folder in path:
            prefix = self._prefixes.get(folder)
            if prefix is None:
                continue
            base = f"{folder}/{stem}"
            spec = self._module(fullname, base, prefix + stem)
            if spec is not None:
                return spec
            if Path(base).is_dir():
                portions.append(base)
                self._prefixes[base] = f"{prefix}{stem}/"
        return _namespace(fullname, portions) if portions else None

    def _module(self, fullname: str, base: str, name: str) -> ModuleSpec | None:
        """A package, an extension module or a source file, in Python's own order."""
        if Path(base, "__init__.py").is_file():
            return self._package(fullname, base, f"{name}/")
        for suffix in EXTENSION_SUFFIXES:
            path = Path(base + suffix)
            if path.is_file():
                self._read(name + suffix, path.read_bytes())
                return spec_from_file_location(fullname, loader=ExtensionFileLoader(fullname, str(path)))
        if Path(f"{base}.py").is_file():
            loader = _LocalLoader(fullname, f"{base}.py", f"{name}.py", self._read)
            return spec_from_file_location(fullname, loader=loader)
        return None

    def _package(self, fullname: str, base: str, prefix: str) -> ModuleSpec | None:
        self._prefixes[base] = prefix
        loader = _LocalLoader(fullname, f"{base}/__init__.py", f"{prefix}__init__.py", self._read)
        return spec_from_file_location(fullname, loader=loader, submodule_search_locations=[base])

    def _root_package(self, name: str) -> ModuleSpec | None:
        """``dags`` and ``plugins`` as packages, whatever the folders are called and wherever they lie."""
        folder = self._packages.get(name)
        if folder is None or not Path(folder).is_dir():
            return None
        if Path(folder, "__init__.py").is_file():
            return self._package(name, folder, self._roots[folder])
        return _namespace(name, [folder])


def _namespace(fullname: str, folders: list[str]) -> ModuleSpec:
    spec = ModuleSpec(fullname, None, is_package=True)
    spec.submodule_search_locations = folders
    return spec


def _is_installed(name: str, local: ModuleSpec) -> bool:
    """Whether Python or an installed package has a module of that name; a bare folder gives way to a real module."""
    if name in sys.stdlib_module_names or name == AIRFLOW:  # which is served where it is not installed
        return True
    found = PathFinder.find_spec(name, _INSTALLED)
    return found is not None and (found.loader is not None or local.loader is None)


def _text(data: bytes, path: str) -> str:
    """The source as text; DagImportError if it is none."""
    try:
        text = decode_source(data)
    except UnicodeDecodeError as error:
        what = f"byte 0x{data[error.start]:02x} is no {error.encoding.upper()} text; save the file as UTF-8"
        raise DagImportError(what, file=path, line=data.count(b"\n", 0, error.start) + 1) from error
    except SyntaxError as error:
        raise DagImportError(
            f"the first lines declare an {error.msg}; save the file as UTF-8", file=path, line=1
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DagImportError("there are null bytes in the text; save the file as UTF-8", file=path, line=line)
    return text
