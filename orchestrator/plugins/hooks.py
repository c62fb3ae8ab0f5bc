"""The hooks: every place where a plugin can add something, with what it is asked for and what it is told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pluggy

from orchestrator.core.events import Recorded
from orchestrator.plugins.happenings import HeardRun, HeardTask
from orchestrator.ports import SecretsBackend

PROJECT = "orchestrator"
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as an implementation of the hook of its name."""
_hookspec = pluggy.HookspecMarker(PROJECT)


class Hooks:
    """Each method is a hook. A plugin takes as many of a hook's arguments as it wants, by their names."""

    # ── what templates and DAG files are given ───────────────────────────────────────────────────────────

    @_hookspec
    def macros(self) -> Mapping[str, Any]:
        """What templates find below ``macros.NAME_OF_THE_PLUGIN``: functions and values, by name.

        Called in the process that renders, once for each version of a DAG file whose templates name the plugin.
        """
        raise NotImplementedError

    @_hookspec
    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """Jinja filters by name; what a DAG defines itself and what Jinja has come first.

        Called as ``macros`` is.
        """
        raise NotImplementedError

    # ── where variables and connections come from ────────────────────────────────────────────────────────

    @_hookspec
    def secrets_backends(self) -> Sequence[SecretsBackend]:
        """Asked for variables and connections before the environment and the database, in this order.

        Called once in every worker process that reads one, and in the dag processor.
        """
        raise NotImplementedError

    # ── where activities run ─────────────────────────────────────────────────────────────────────────────

    @_hookspec
    def executors(self) -> Mapping[str, type]:
        """Classes of executors, by the names that ``[core] executor`` may have; each derives from ``BaseExecutor``.

        Called when the plugin has changed, to list them, and in the process that runs the executor.
        """
        raise NotImplementedError

    # ── what is typed ────────────────────────────────────────────────────────────────────────────────────

    @_hookspec
    def commands(self) -> Sequence[Any]:
        """Commands and groups of click that stand below ``orchestrator``; none may have the name of one there is.

        Called when the plugin has changed, to list them, and when one of them is run.
        """
        raise NotImplementedError

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────

    @_hookspec
    def on_fact(self, run: HeardRun, fact: Recorded) -> None:
        """A fact was recorded. Each is told at least once, in the order in which they were committed.

        All hooks from here on are called in a process of the plugin's own, after the commit. What they raise is
        logged, and the next fact follows.
        """
        raise NotImplementedError

    @_hookspec
    def on_dag_run_running(self, dag_run: HeardRun, msg: str) -> None:
        """A run has begun."""
        raise NotImplementedError

    @_hookspec
    def on_dag_run_success(self, dag_run: HeardRun, msg: str) -> None:
        """A run has ended well."""
        raise NotImplementedError

    @_hookspec
    def on_dag_run_failed(self, dag_run: HeardRun, msg: str) -> None:
        """A run has failed; ``msg`` says why."""
        raise NotImplementedError

    @_hookspec
    def on_task_instance_running(self, previous_state: None, task_instance: HeardTask) -> None:
        """The body of an attempt has started. ``previous_state`` is None, as the history need not be read for it."""
        raise NotImplementedError

    @_hookspec
    def on_task_instance_success(self, previous_state: None, task_instance: HeardTask) -> None:
        """An attempt has ended well."""
        raise NotImplementedError

    @_hookspec
    def on_task_instance_failed(self, previous_state: None, task_instance: HeardTask, error: str | None) -> None:
        """An attempt has failed, whether or not another follows; ``error`` is the message of what it raised."""
        raise NotImplementedError

    @_hookspec
    def on_task_instance_skipped(self, previous_state: None, task_instance: HeardTask) -> None:
        """A body has ended its task as skipped."""
        raise NotImplementedError


HOOKS: Mapping[str, Callable[..., Any]] = {
    name: value for name, value in vars(Hooks).items() if not name.startswith("_")
}
LISTENING = tuple(name for name in HOOKS if name.startswith("on_"))
"""The hooks that make a plugin a listener."""
