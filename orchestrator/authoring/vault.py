"""The vault: where Variables and Connections are kept; whoever runs an author's code fills it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar, Protocol

from orchestrator.authoring.blue import is_blue
from orchestrator.authoring.environment import of_environment
from orchestrator.exceptions import UsageError


class Vault(Protocol):
    """Variables and connections, as an author's code sees them. A connection is a URI or a JSON object."""

    def variable(self, key: str) -> str | None: ...

    def connection(self, conn_id: str) -> str | None: ...

    def variable_keys(self) -> Sequence[str]:
        """Those that can be told, to name the nearest."""

    def connection_ids(self) -> Sequence[str]:
        """Those that can be told, to name the nearest."""

    def set_variable(self, key: str, value: str, description: str | None) -> None: ...

    def delete_variable(self, key: str) -> bool:
        """Whether there was one."""


class SecretsSource(Protocol):
    """Where secrets are looked up first."""

    def get_variable(self, key: str) -> str | None: ...

    def get_conn_value(self, conn_id: str) -> str | None: ...


class EnvironmentVault:
    """What the environment of this process holds: all that there is outside of a running home, but for ``backends``,
    which are asked first.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, *, backends: Sequence[SecretsSource] = ()) -> None:
        self._environment = environment
        self._backends = tuple(backends)

    def variable(self, key: str) -> str | None:
        for backend in self._backends:
            if (found := backend.get_variable(key)) is not None:
                return found
        return of_environment(self._environment, "VAR", key)

    def connection(self, conn_id: str) -> str | None:
        for backend in self._backends:
            if (found := backend.get_conn_value(conn_id)) is not None:
                return found
        return of_environment(self._environment, "CONN", conn_id)

    def variable_keys(self) -> Sequence[str]:
        return ()

    def connection_ids(self) -> Sequence[str]:
        return ()

    def set_variable(self, key: str, value: str, description: str | None) -> None:  # noqa: ARG002 - the protocol
        raise UsageError(f"the variable {key!r} cannot be set here: no home is open; do it inside a task")

    def delete_variable(self, key: str) -> bool:
        raise UsageError(f"the variable {key!r} cannot be deleted here: no home is open; do it inside a task")


class _Kept:
    """The vault of this process, the same in all of its threads."""

    vault: ClassVar[Vault] = EnvironmentVault()


_meant: ContextVar[bool] = ContextVar("orchestrator_reads_are_meant", default=False)


def keep_vault(vault: Vault) -> Vault:
    """Let all code of this process read this one from now on; the one that it read before."""
    before, _Kept.vault = _Kept.vault, vault
    return before


@contextmanager
def reading_meant() -> Iterator[None]:
    """What the code of a workflow reads inside is recorded, so that its replay does not read it again."""
    token = _meant.set(True)
    try:
        yield
    finally:
        _meant.reset(token)


def current_vault() -> Vault:
    """The vault of this process; UsageError in the code of a workflow, which must not depend on what changes."""
    if is_blue() and not _meant.get():
        raise UsageError(
            "the code of a workflow may not read Variables and Connections, which change; read them in an activity, "
            "or record what they were with side_effect()"
        )
    return _Kept.vault
