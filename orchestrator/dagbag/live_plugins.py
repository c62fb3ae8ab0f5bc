"""Live plugins: those of a home as they are now, loaded in a process that is theirs."""

from contextlib import AbstractContextManager

from orchestrator.dagbag.importing import LocalModules
from orchestrator.dagbag.plugin_modules import load_plugins
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import NotFoundError
from orchestrator.plugins.candidates import Candidate, candidates
from orchestrator.plugins.plugin import Plugin


class LivePlugins:
    """Loads plugins by name, from the folder as it is and from installed packages."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._modules = LocalModules(roots)

    def active(self) -> AbstractContextManager[None]:
        """Imports inside, also late ones, find the modules of the plugins."""
        return self._modules.active()

    def load(self, name: str, source: str) -> Plugin:
        """The plugin of that name; DagImportError where it is broken, NotFoundError where it is gone."""
        with self.active():
            for plugin in load_plugins(self._candidate(source), self._roots):
                if plugin.name == name:
                    return plugin
        raise NotFoundError(f"{source} has no plugin {name!r} any more; see `orchestrator plugins list`")

    def _candidate(self, source: str) -> Candidate:
        for candidate in candidates(self._roots.plugins):
            if candidate.source == source:
                return candidate
        raise NotFoundError(f"the plugin {source} is gone; see `orchestrator plugins list`")
