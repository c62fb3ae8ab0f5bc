"""Running the code of plugins, in a process that is there for nothing else."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from orchestrator.config import Config
from orchestrator.dagbag.blame import blame
from orchestrator.dagbag.live_plugins import LivePlugins
from orchestrator.dagbag.roots import PLUGINS, Roots
from orchestrator.exceptions import DagImportError
from orchestrator.plugins.cards import Card


def live_plugins(config: Config) -> LivePlugins:
    """The plugins of the home as they are now."""
    return LivePlugins(Roots(config.core.dags_folder, config.core.plugins_folder))


def command_of(config: Config, card: Card, name: str) -> tuple[Any, Callable[[], AbstractContextManager[None]]]:
    """A command of a plugin, and what it has to be run in, so that imports find the modules of plugins."""
    plugins = live_plugins(config)
    plugin = plugins.load(card.name, card.source)
    return plugin.commands()[name], plugins.active


def blamed(config: Config, card: Card, error: Exception) -> DagImportError:
    """What the code of a plugin has raised, with its place in that code."""
    roots = Roots(config.core.dags_folder, config.core.plugins_folder)
    found = blame(error, f"{PLUGINS}/{card.source}", roots)
    file = (found.file or "").removeprefix(f"{PLUGINS}/")
    return DagImportError(f"the plugin {card.name!r} failed: {found.message}", file=file, line=found.line)
