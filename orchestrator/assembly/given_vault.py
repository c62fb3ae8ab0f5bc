"""Variables and connections that are given for one run, before those of the home and the environment."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.authoring.vault import Vault


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """By name: a variable is a text or a JSON value, a connection a URI or its fields."""

    variables: Mapping[str, Any] = {}
    connections: Mapping[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self.variables or self.connections)


class GivenVault:
    """What is given, and behind it another vault. What a body sets is set here, and gone after the run."""

    def __init__(self, given: Given, behind: Vault) -> None:
        self._variables = {key: _text(value) for key, value in given.variables.items()}
        self._connections = {name: _text(value) for name, value in given.connections.items()}
        self._behind = behind

    def variable(self, key: str) -> str | None:
        found = self._variables.get(key)
        return self._behind.variable(key) if found is None else found

    def connection(self, conn_id: str) -> str | None:
        found = self._connections.get(conn_id)
        return self._behind.connection(conn_id) if found is None else found

    def variable_keys(self) -> Sequence[str]:
        return [*self._variables, *self._behind.variable_keys()]

    def connection_ids(self) -> Sequence[str]:
        return [*self._connections, *self._behind.connection_ids()]

    def set_variable(self, key: str, value: str, description: str | None) -> None:  # noqa: ARG002 - the protocol
        self._variables[key] = value

    def delete_variable(self, key: str) -> bool:
        return self._variables.pop(key, None) is not None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
