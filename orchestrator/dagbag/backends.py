"""Backends: the secrets backends of a home, from its settings and its plugins, loaded when something is looked up."""

import json
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.authoring.connection import Connection
from orchestrator.dagbag.live_plugins import LivePlugins
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import ConfigError, OrchestratorError
from orchestrator.ports import SecretsBackend

_SETTING = "[secrets] backend"


class Backing(msgspec.Struct, frozen=True, kw_only=True):
    """Where secrets backends come from: ``backend`` is a dotted path and ``kwargs`` a JSON object as text, ``plugins``
    are pairs of name and source. The backend of the settings is asked first.
    """

    dags_folder: str = ""
    plugins_folder: str = ""
    backend: str = ""
    kwargs: str = ""
    plugins: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.backend or self.plugins)


class Backends:
    """All of them as one: the first that has an answer gives it.

    OrchestratorError names the one that cannot be loaded, or that fails: nobody is asked in its place.
    """

    def __init__(self, backing: Callable[[], Backing]) -> None:
        self._backing = backing

    def get_variable(self, key: str) -> str | None:
        return self._first(lambda backend: backend.get_variable(key))

    def get_conn_value(self, conn_id: str) -> str | None:
        return self._first(lambda backend: _connection(backend, conn_id))

    def _first(self, ask: Callable[[SecretsBackend], str | None]) -> str | None:
        for name, backend in self._loaded:
            try:
                with self._plugins.active():
                    found = ask(backend)
            except Exception as error:
                raise OrchestratorError(f"the secrets backend {name} failed: {_words(error)}") from error
            if found is not None:
                return str(found)
        return None

    @cached_property
    def _settled(self) -> Backing:
        return self._backing()

    @cached_property
    def _plugins(self) -> LivePlugins:
        return LivePlugins(Roots(Path(self._settled.dags_folder), Path(self._settled.plugins_folder)))

    @cached_property
    def _loaded(self) -> list[tuple[str, SecretsBackend]]:
        if not self._settled:
            return []
        with self._plugins.active():
            found = [(self._settled.backend, _made(self._settled))] if self._settled.backend else []
            for name, source in self._settled.plugins:
                found += [(f"of the plugin {name!r}", one) for one in self._plugins.load(name, source).backends()]
        return found


def _made(backing: Backing) -> SecretsBackend:
    """The backend that the settings name."""
    kwargs = _kwargs(backing.kwargs)
    module, _, name = backing.backend.rpartition(".")
    try:
        made: Any = getattr(import_module(module), name)(**kwargs)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{_SETTING} is {backing.backend!r}, which cannot be made: {_words(error)}") from error
    if not hasattr(made, "get_variable"):
        raise ConfigError(f"{_SETTING} is {backing.backend!r}, which has no get_variable; name a secrets backend")
    backend: SecretsBackend = made
    return backend


def _kwargs(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise ConfigError(f"[secrets] backend_kwargs is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ConfigError('[secrets] backend_kwargs is no JSON object; write it as {"name": value}')
    return found


def _connection(backend: Any, conn_id: str) -> str | None:
    """Some give the connection as text, others as an object."""
    try:
        found: str | None = backend.get_conn_value(conn_id)
    except (NotImplementedError, AttributeError):
        made: Connection | None = backend.get_connection(conn_id)
        return None if made is None else made.get_uri()
    return found


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
