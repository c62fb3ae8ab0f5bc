"""LocalExtensions: the macros and filters of plugins, as a version of a DAG file has them."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from orchestrator.dagbag.plugin_modules import load_plugins
from orchestrator.dagbag.roots import PLUGINS, Roots
from orchestrator.exceptions import DagImportError
from orchestrator.plugins.candidates import Candidate, in_folder, installed
from orchestrator.plugins.plugin import Plugin


class LocalExtensions:
    """Loads a plugin only when a template names something that stands in its source. Used while the version's modules
    are the ones that imports find. ``looked_in`` are the folders in which something was looked for.
    """

    def __init__(self, roots: Roots) -> None:
        self.looked_in: set[str] = set()
        self._roots = roots
        self._macros: dict[str, Any] = {}
        self._filters: dict[str, Callable[..., Any] | None] = {}
        self._loaded: dict[str, list[Plugin]] = {}

    def macros(self, plugin: str) -> Any | None:
        """See Extensions; DagImportError where the plugin is broken."""
        if plugin not in self._macros:
            self._macros[plugin] = self._find_macros(plugin)
        return self._macros[plugin]

    def filter(self, name: str) -> Callable[..., Any] | None:
        """See Extensions; DagImportError where the plugin is broken."""
        if name not in self._filters:
            self._filters[name] = self._find_filter(name)
        return self._filters[name]

    def _find_macros(self, name: str) -> Any | None:
        for plugin in self._naming(name):
            if plugin.name == name and "macros" in plugin.hooks:
                return SimpleNamespace(**plugin.mapping("macros"))
        return None

    def _find_filter(self, name: str) -> Callable[..., Any] | None:
        for plugin in self._naming(name):
            found: Callable[..., Any] | None = plugin.mapping("filters").get(name)
            if found is not None:
                return found
        return None

    def _naming(self, word: str) -> Iterator[Plugin]:
        """The plugins that are called so, and then those in whose source the word stands. One that does not work is
        passed over, unless it is the only one."""
        self.looked_in.add(f"{PLUGINS}/")
        broken: DagImportError | None = None
        for candidate in self._candidates(word):
            try:
                yield from self._load(candidate)
            except DagImportError as error:
                broken = broken or error
        if broken is not None:
            raise broken

    def _candidates(self, word: str) -> Iterator[Candidate]:
        named = re.compile(rf"\b{re.escape(word)}\b")
        found = in_folder(self._roots.plugins)
        yield from (one for one in found if one.name == word)
        for one in found:
            if one.name != word and not one.problem and named.search(self._source(one)):
                yield one
        yield from (Candidate(name=one.name, source=one.value, is_installed=True) for one in installed())

    def _source(self, candidate: Candidate) -> str:
        try:
            return (self._roots.plugins / candidate.source).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _load(self, candidate: Candidate) -> list[Plugin]:
        if candidate.name not in self._loaded:
            self._loaded[candidate.name] = load_plugins(candidate, self._roots)
        return self._loaded[candidate.name]
