"""The variables and connections that the author of a script names files of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.assembly.given_vault import Given
from orchestrator.cli.secret_files import read_file


def given_in(variable_file: str | None, conn_file: str | None) -> Given:
    """What the files hold, which ``variables export`` and ``connections export`` write; UsageError about a bad one."""
    return Given(
        variables={key: _variable(value) for key, value in _of(variable_file).items()},
        connections=_of(conn_file),
    )


def _of(file: str | None) -> Mapping[str, Any]:
    return {} if file is None else read_file(Path(file))


def _variable(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and "value" in value else value
