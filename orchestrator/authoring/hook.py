"""BaseHook: what a hook of an author's own derives from."""

import logging
from functools import cached_property
from typing import Any

from orchestrator.authoring.connection import Connection


class BaseHook:
    """Gives a hook its connection and its logger."""

    def __init__(self, logger_name: str | None = None) -> None:
        self._logger_name = logger_name

    @cached_property
    def log(self) -> logging.Logger:
        return logging.getLogger(self._logger_name or f"{type(self).__module__}.{type(self).__qualname__}")

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        """The connection of that id; NotFoundError names the nearest."""
        return Connection.get(conn_id)

    def get_conn(self) -> Any:
        """What the hook connects to; a hook that has one says how."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it connects; define get_conn() in it")
