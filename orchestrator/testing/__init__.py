"""What the program offers to tests, its own and yours. Each name is loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.testing.clock import FakeClock as FakeClock
    from orchestrator.testing.parsing import check_dag_file as check_dag_file
    from orchestrator.testing.parsing import dag_files as dag_files
    from orchestrator.testing.plays import start_dag as start_dag
    from orchestrator.testing.replaying import HistoryMismatchError as HistoryMismatchError
    from orchestrator.testing.replaying import replay as replay

_MODULES = {
    "FakeClock": "orchestrator.testing.clock",
    "HistoryMismatchError": "orchestrator.testing.replaying",
    "check_dag_file": "orchestrator.testing.parsing",
    "dag_files": "orchestrator.testing.parsing",
    "replay": "orchestrator.testing.replaying",
    "start_dag": "orchestrator.testing.plays",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'orchestrator.testing' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
