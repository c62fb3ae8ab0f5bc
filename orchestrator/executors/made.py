"""Making an author's executor, in the process that is there for it."""

from importlib import import_module
from inspect import isabstract
from typing import Any

from orchestrator.dagbag.live_plugins import LivePlugins
from orchestrator.exceptions import ConfigError, OrchestratorError
from orchestrator.executors.base import ExecutorSettings
from orchestrator.executors.host_wire import Maker
from orchestrator.nearest import did_you_mean
from orchestrator.plugins.plugin import EXECUTOR_CALLS
from orchestrator.ports import Executor


def made(maker: Maker, settings: ExecutorSettings, plugins: LivePlugins) -> Executor:
    """The executor; ConfigError where there is no such class, or it is none. What its making raises goes through."""
    found = _by_path(maker.named) if maker.plugin is None else _by_name(maker, plugins)
    _check(maker.named, found)
    executor: Executor = found(settings)
    return executor


def _by_path(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        home = import_module(module)
    except Exception as error:  # the module's code is the author's
        said = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise ConfigError(f"[core] executor is {path!r}, and its module cannot be imported: {said}") from error
    if not hasattr(home, name):
        near = did_you_mean(name, vars(home))
        raise ConfigError(f"[core] executor is {path!r}, and the module {module} has no {name!r}{near}")
    return getattr(home, name)


def _by_name(maker: Maker, plugins: LivePlugins) -> Any:
    assert maker.plugin is not None
    name, source = maker.plugin
    try:
        return plugins.load(name, source).executors()[maker.named]
    except (OrchestratorError, KeyError) as error:
        raise ConfigError(
            f"[core] executor is {maker.named!r}, which the plugin {name!r} does not give: {error}"
        ) from error


def _check(named: str, found: Any) -> None:
    lacks = [one for one in EXECUTOR_CALLS if not callable(getattr(found, one, None))]
    if not isinstance(found, type) or lacks:
        has_not = f"it has no {', '.join(lacks)}; " if lacks and isinstance(found, type) else ""
        raise ConfigError(f"[core] executor is {named!r}, which is no executor: {has_not}derive it from BaseExecutor")
    if isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise ConfigError(f"[core] executor is {named!r}, which lacks {missing}")
