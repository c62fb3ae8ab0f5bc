"""AirflowPlugin: Airflow's way to write a plugin, taken for what there is of it here."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from orchestrator.exceptions import DagError, OrchestratorError
from orchestrator.plugins.hooks import hookimpl
from orchestrator.plugins.plugin import Plugin

IGNORED = (
    "admin_views",
    "appbuilder_menu_items",
    "appbuilder_views",
    "external_views",
    "fastapi_apps",
    "fastapi_root_middlewares",
    "flask_blueprints",
    "global_operator_extra_links",
    "hook_lineage_readers",
    "menu_links",
    "on_load",
    "operator_extra_links",
    "partition_mappers",
    "priority_weight_strategies",
    "react_apps",
    "ti_deps",
    "windows",
)
"""What an AirflowPlugin can have and nothing here takes: pages, links and the inner workings of Airflow."""


class AirflowPluginException(OrchestratorError):  # noqa: N818 - the field's own name
    """A plugin cannot be taken."""


class AirflowPlugin:
    """Derive from it, and give what the plugin has as attributes of the class."""

    name: ClassVar[str | None] = None
    macros: ClassVar[Sequence[Any]] = []
    listeners: ClassVar[Sequence[Any]] = []

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Airflow calls it after loading; here nobody does."""


class _Taken:
    """An AirflowPlugin as this program sees it."""

    def __init__(self, plugin: type[AirflowPlugin]) -> None:
        self._plugin = plugin

    @hookimpl
    def macros(self) -> Mapping[str, Any]:
        return {one.__name__: one for one in self._plugin.macros}


def airflow_plugins(module: ModuleType) -> list[type[AirflowPlugin]]:
    """Those that a module defines itself."""
    classes = [one for one in vars(module).values() if inspect.isclass(one) and issubclass(one, AirflowPlugin)]
    return [one for one in classes if one is not AirflowPlugin and one.__module__ == module.__name__]


def taken(plugin: type[AirflowPlugin]) -> Plugin:
    """The plugin; DagError where it has no name, or lists that are none."""
    if not isinstance(plugin.name, str) or not plugin.name:
        raise DagError(f"the AirflowPlugin {plugin.__name__} has no name; give its class one")
    for attribute in ("macros", "listeners"):
        if not isinstance(getattr(plugin, attribute), (list, tuple)):
            raise DagError(f"{attribute} of the AirflowPlugin {plugin.name!r} is no list")
    for macro in plugin.macros:
        if not hasattr(macro, "__name__"):
            raise DagError(f"the AirflowPlugin {plugin.name!r} has the macro {macro!r}, which has no name")
    return Plugin(plugin.name, [_Taken(plugin), *plugin.listeners], ignored=_ignored(plugin))


def _ignored(plugin: type[AirflowPlugin]) -> Sequence[str]:
    own: Iterable[type] = (one for one in plugin.__mro__ if one not in (AirflowPlugin, object))
    given: dict[str, Any] = {}
    for one in own:
        given = {**vars(one), **given}
    return [name for name in IGNORED if _is_something(given.get(name))]


def _is_something(value: Any) -> bool:
    return isinstance(value, (Callable, classmethod)) or bool(value)  # type: ignore[arg-type]
