"""What templates say ``var`` and ``conn`` to."""

from typing import Any

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.variable import Variable
from orchestrator.exceptions import NotFoundError


class VariableLookup:
    """``var.value.name`` and ``var.value.get("name", default)``; as JSON, ``var.json.name.part``."""

    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return Variable.get(key, deserialize_json=self._is_json)

    def __getitem__(self, key: str) -> Any:
        return Variable.get(key, deserialize_json=self._is_json)

    def get(self, key: str, default: Any = None) -> Any:
        """The variable, or ``default`` where there is none."""
        return Variable.get(key, default, deserialize_json=self._is_json)


class ConnectionLookup:
    """``conn.name.host`` and ``conn.get("name", default)``."""

    def __getattr__(self, conn_id: str) -> Connection:
        if conn_id.startswith("__"):
            raise AttributeError(conn_id)
        return Connection.get(conn_id)

    def __getitem__(self, conn_id: str) -> Connection:
        return Connection.get(conn_id)

    def get(self, conn_id: str, default: Any = None) -> Any:
        """The connection, or ``default`` where there is none."""
        try:
            return Connection.get(conn_id)
        except NotFoundError:
            return default


VAR = {"value": VariableLookup(is_json=False), "json": VariableLookup(is_json=True)}
CONN = ConnectionLookup()
