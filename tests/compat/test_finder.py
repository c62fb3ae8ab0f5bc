"""The finder: what ``import airflow`` gives, and in which processes."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.authoring.operators.bash import BashOperator
from orchestrator.dagbag.importing import load
from tests.compat.conftest import forget_airflow

ROOT = Path(__file__).parents[2]


def run(code: str, *folders: Path) -> str:
    """What a Python process says that runs ``code``, with ``folders`` on its path."""
    path = ":".join(map(str, (*folders, ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    return done.stdout or done.stderr


@pytest.mark.usefixtures("served")
class TestImports:
    def test_a_name_is_this_programs_own(self) -> None:
        assert importlib.import_module("airflow.providers.standard.operators.bash").BashOperator is BashOperator
        assert importlib.import_module("airflow.operators.bash").BashOperator is BashOperator

    def test_a_name_that_is_missing_fails_the_import_with_its_sentence(self) -> None:
        with pytest.raises(ImportError, match=r"^airflow\.jobs is of Airflow's own program") as raised:
            importlib.import_module("airflow.jobs.job")
        assert not isinstance(raised.value, ModuleNotFoundError)
        with pytest.raises(ImportError, match=r"^airflow\.models\.DagBag is not supported here: .*metadata database"):
            exec("from airflow.models import DAG, DagBag")
        with pytest.raises(ImportError, match=r"^airflow\.sdk\.Dag is no public name of Airflow 3"):
            exec("from airflow.sdk import Dag")

    def test_code_that_looks_before_it_takes_is_told_no(self) -> None:
        models = importlib.import_module("airflow.models")
        assert not hasattr(models, "DagBag")
        assert getattr(models, "no_such_name", 3) == 3

    def test_a_module_can_be_taken_from_its_package(self) -> None:
        space: dict[str, object] = {}
        exec("from airflow.operators import bash\nfrom airflow.utils import timezone", space)
        assert space["bash"].BashOperator is BashOperator  # type: ignore[attr-defined]
        assert space["timezone"].utcnow().utcoffset() is not None  # type: ignore[attr-defined]

    def test_a_star_takes_what_is_served(self) -> None:
        space: dict[str, object] = {}
        exec("from airflow.operators.python import *", space)
        assert "PythonOperator" in space
        assert set(dir(importlib.import_module("airflow.operators.python"))) >= {"PythonOperator"}

    def test_an_old_submodule_is_reached_by_its_own_import(self) -> None:
        module = importlib.import_module("airflow.utils.state")
        assert module.State.SUCCESS == module.TaskInstanceState.SUCCESS == "success"

    def test_the_release_is_airflow_3s(self) -> None:
        assert importlib.import_module("airflow").__version__.startswith("3.")

    def test_airflows_exceptions_steer_a_body_and_can_be_caught_as_one(self) -> None:
        module = importlib.import_module("airflow.exceptions")
        assert issubclass(module.AirflowSkipException, module.AirflowException)
        assert issubclass(module.AirflowFailException, module.AirflowException)


def test_a_folder_of_that_name_beside_the_dag_files_is_not_taken_for_airflow(tmp_path: Path) -> None:
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "sdk.py").write_text("raise RuntimeError('not this one')\n")
    (tmp_path / "one.py").write_text("from airflow.sdk import DAG\nwith DAG('one'): ...\n")
    try:
        assert list(load(tmp_path, "one.py").dags) == ["one"]
    finally:
        forget_airflow()


SERVERS = (
    "orchestrator.cli",
    "orchestrator.engine.scheduler",
    "orchestrator.assembly.scheduler",
    "orchestrator.assembly.dag_processor",
    "orchestrator.assembly.compat_check",
)


def test_a_process_that_runs_no_authors_code_serves_nothing() -> None:
    code = f"import importlib\nfor name in {SERVERS!r}: importlib.import_module(name)\nimport airflow"
    assert "No module named 'airflow'" in run(code)


def test_where_airflow_itself_is_installed_it_is_what_its_imports_mean(tmp_path: Path) -> None:
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "__init__.py").write_text("REAL = True\n")
    code = "from orchestrator.compat.airflow.finder import serve_airflow\nserve_airflow()\nimport airflow\n"
    assert run(code + "print(airflow.REAL)", tmp_path) == "True\n"


def test_a_provider_that_is_installed_without_airflow_does_not_stand_for_it(tmp_path: Path) -> None:
    (tmp_path / "airflow" / "providers" / "http").mkdir(parents=True)
    code = "from orchestrator.compat.airflow.finder import serve_airflow\nserve_airflow()\nimport airflow.sdk\n"
    assert run(code + "print(airflow.sdk.DAG.__name__)", tmp_path) == "DAG\n"
