"""BaseSecretsBackend: what a secrets backend may derive from, with Airflow's names."""

from typing import Any

from orchestrator.authoring.connection import Connection


class BaseSecretsBackend:
    """Another place for variables and connections. What it does not have is None."""

    def __init__(self, **kwargs: Any) -> None:
        """Airflow's own takes anything."""

    @staticmethod
    def build_path(path_prefix: str, secret_id: str, sep: str = "/") -> str:
        """Where a secret lies, below a prefix."""
        return f"{path_prefix}{sep}{secret_id}"

    def get_variable(self, key: str) -> str | None:  # noqa: ARG002 - to be overridden
        """The value of a variable."""
        return None

    def get_conn_value(self, conn_id: str) -> str | None:
        """A connection as a URI or a JSON object; a backend has this, or get_connection."""
        raise NotImplementedError

    def get_connection(self, conn_id: str) -> Connection | None:
        """The connection itself."""
        found = self.get_conn_value(conn_id)
        return None if found is None else Connection.from_text(found, conn_id)

    def deserialize_connection(self, conn_id: str, value: str) -> Connection:
        """The connection that a URI or a JSON object stands for."""
        return Connection.from_text(value, conn_id)

    def get_config(self, key: str) -> str | None:  # noqa: ARG002 - to be overridden
        """Settings are not looked up in backends here."""
        return None
