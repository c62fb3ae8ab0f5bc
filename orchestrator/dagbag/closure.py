"""The closure of a DAG file: every file that it needs, now or later in a task.

That is what was run as it was parsed, what its sources import anywhere (also inside functions), what the parse opened
(templates with all that they include, for one), and the files that its sources name in a string, such as a query
that a task reads: found beside the source or in the DAGs folder.
"""

import ast
import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import PathFinder
from importlib.util import resolve_name
from pathlib import Path

from orchestrator.dagbag.contents import LARGEST
from orchestrator.dagbag.finder import LocalFinder
from orchestrator.dagbag.roots import PLUGINS, Roots
from orchestrator.exceptions import DagError

_LONGEST_NAME = 255


class Closure:
    """``files`` by relative name, with ``trees`` of those that are Python.

    ``missing`` are the names of the files that would be a module that a source imports and nobody has.
    """

    def __init__(self, roots: Roots) -> None:
        self.files: dict[str, bytes] = {}
        self.trees: dict[str, ast.Module] = {}
        self.missing: set[str] = set()
        self._roots = roots
        self._finder = LocalFinder(roots, self._add)

    def add(self, sources: Mapping[str, bytes]) -> None:
        """Take in what was run, as it was read."""
        for name, data in sources.items():
            self._add(name, data)

    def open(self, names: Iterable[str]) -> None:
        """Take in the files that were opened; DagError if one is too large to be part of a version."""
        for name in names:
            path = self._roots.path(name)
            if name in self.files or not path.is_file():
                continue
            if path.stat().st_size > LARGEST:
                raise DagError(
                    f"{name} is read while the file is parsed and has more than {LARGEST // 1024**2} MiB; "
                    f"read it in a task, and keep it outside of the DAGs folder"
                )
            self._read(name, path)

    def complete(self) -> None:
        """Take in what the sources import and name, and what those do in turn; DagError if that is too much."""
        looked_at: set[str] = set()
        while waiting := self.files.keys() - looked_at:
            for name in sorted(waiting):
                looked_at.add(name)
                self._follow(name)
        if sum(map(len, self.files.values())) > LARGEST:
            raise DagError(
                f"the {len(self.files)} files that it needs have more than {LARGEST // 1024**2} MiB together; "
                f"keep data outside of the DAGs folder"
            )

    def _add(self, name: str, data: bytes) -> None:
        self.files[name] = data
        if name.endswith(".py"):
            # What is no Python counts as its bytes, and whoever imports it is told.
            with contextlib.suppress(SyntaxError, ValueError, RecursionError):
                self.trees[name] = ast.parse(data)

    def _follow(self, name: str) -> None:
        tree = self.trees.get(name)
        if tree is None:
            return
        for path in self._imported(name, tree):
            self._take(path)
        for text in _named_files(tree):
            for folder in (self._roots.path(name).parent, self._roots.folder):
                self._take(folder / text)

    def _take(self, path: Path) -> None:
        name = self._roots.name(str(path))
        if name is not None and name not in self.files and path.is_file() and path.stat().st_size <= LARGEST:
            self._read(name, path)

    def _read(self, name: str, path: Path) -> None:
        with contextlib.suppress(OSError):  # whoever needs it is told
            self._add(name, path.read_bytes())

    def _imported(self, name: str, tree: ast.Module) -> Iterator[Path]:
        for module, is_certain in _modules(tree, _package(name)):
            yield from self._files_of(module, is_certain)

    def _files_of(self, module: str, is_certain: bool) -> Iterator[Path]:
        """The file of each package on the way to the module, and its own; nothing of one that is not local."""
        path: list[str] | None = None
        name = ""
        for part in module.split("."):
            name = f"{name}.{part}" if name else part
            spec = self._finder.find_spec(name, path)
            if spec is None:
                if is_certain and (path is not None or not _is_elsewhere(name)):
                    self.missing.update(self._finder.names(name, path))
                return
            if spec.origin:
                yield Path(spec.origin)
            if spec.submodule_search_locations is None:
                return
            path = list(spec.submodule_search_locations)


def _is_elsewhere(top: str) -> bool:
    """Whether Python or an installed package has it."""
    return top in sys.stdlib_module_names or top in sys.modules or PathFinder.find_spec(top) is not None


def _package(name: str) -> str:
    """The package that the source file of that name is in, as its relative imports see it."""
    return name.removeprefix(f"{PLUGINS}/").rpartition("/")[0].replace("/", ".")


def _modules(tree: ast.Module, package: str) -> Iterator[tuple[str, bool]]:
    """What the source imports, wherever it does, and whether that is certainly a module: ``from a import b`` may
    mean the module ``a.b`` or a name in ``a``.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _resolved("." * node.level + (node.module or ""), package)
            yield from [(base, True), *((f"{base}.{alias.name}", False) for alias in node.names)] if base else ()
        elif isinstance(node, ast.Call) and _called(node) == "import_module" and node.args:
            yield from ((name, True) for name in [_resolved(_text(node.args[0]) or "", package)] if name)


def _resolved(name: str, package: str) -> str:
    try:
        return resolve_name(name, package)
    except ImportError:
        return ""


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _named_files(tree: ast.Module) -> set[str]:
    """The strings in the source that could be a file's name; ``a / "b" / "c.sql"`` and ``join(a, "b", "c.sql")`` are
    one each.
    """
    found = {_name_at(node) for node in ast.walk(tree)}
    return {name for name in found if _is_file_name(name)}


def _name_at(node: ast.AST) -> str:
    parts: list[str | None] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        parts.append(_text(node.right))
        node = node.left
    if isinstance(node, ast.Call) and _called(node) == "join":
        parts += map(_text, reversed(node.args))
    else:
        parts.append(_text(node))
    return "/".join(part for part in reversed(parts) if part)


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_file_name(text: str) -> bool:
    return "." in text and len(text) <= _LONGEST_NAME and text.isprintable() and not text.endswith((".", "/"))
