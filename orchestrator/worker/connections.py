"""Connections: from the name that an author writes to a database URL."""

import os
import re
from collections.abc import Mapping

from orchestrator.exceptions import ConfigError

_PREFIXES = ("ORCHESTRATOR_CONN_", "AIRFLOW_CONN_")


class Connections:
    """Looks names up in the environment: ``ORCHESTRATOR_CONN_<NAME>``, then ``AIRFLOW_CONN_<NAME>``."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of that connection; ConfigError says which variable to set."""
        plain = re.sub(r"\W", "_", name).upper()
        for variable in (prefix + spelling for prefix in _PREFIXES for spelling in (name.upper(), plain)):
            found = self._environment.get(variable)
            if found:
                return found
        raise ConfigError(
            f"there is no connection {name!r}; set {_PREFIXES[0]}{plain} to a SQLAlchemy URL, such as "
            f"postgresql://user@host/database, in the environment of the scheduler"
        )
