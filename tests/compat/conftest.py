"""A process that serves airflow, for one test; and folders of DAG files written for it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from orchestrator.compat.airflow.finder import serve_airflow

Write = Callable[[str, str], Path]


def forget_airflow() -> None:
    for name in [name for name in sys.modules if name == "airflow" or name.startswith("airflow.")]:
        del sys.modules[name]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Imports of airflow mean this program, until the test ends."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    serve_airflow()
    yield
    forget_airflow()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the DAGs folder of a home that the commands of this process work on; its path."""
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(tmp_path))
    monkeypatch.setenv("ORCHESTRATOR__CORE__DAGS_FOLDER", str(tmp_path / "dags"))

    def write_file(name: str, source: str) -> Path:
        path = tmp_path / "dags" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source), encoding="utf-8")
        return path

    return write_file
