"""The pytest plugin in a project of a user's, and the test that its DAG files can be read."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from orchestrator.exceptions import DagImportError, NotFoundError
from orchestrator.testing import check_dag_file, dag_files

PLUGIN = "orchestrator.testing.plugin"
ROOT = Path(__file__).resolve().parents[2]
GOOD = "from orchestrator import DAG\nwith DAG('good'):\n    pass\n"
BAD = "from orchestrator import DAG\nwith DAG('bad', schedule='every day'):\n    pass\n"
EFFECT = "from orchestrator import DAG\nimport subprocess\nsubprocess.run(['true'])\nwith DAG('effect'):\n    pass\n"
OTHERS_TEST = """
import sys

def test_that_has_nothing_to_do_with_dags():
    heavy = {"sqlalchemy", "networkx", "jinja2", "pendulum", "fsspec", "msgspec", "click"}
    assert heavy & set(sys.modules) == set()
"""
USERS_TEST = """
from dags.good import flow

def test_my_flow(run_dag):
    assert run_dag(flow).result("one") == 1
"""
FLOW = """
from orchestrator import dag, task

@dag
def my_flow():
    @task
    def one():
        return 1
    one()

flow = my_flow()
"""


def pytest_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    announced = any(one.value == PLUGIN for one in entry_points(group="pytest11"))
    plugin = ("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error", *(() if announced else ("-p", PLUGIN)))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_the_plugin_is_what_the_package_announces() -> None:
    announced = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert announced == {"orchestrator": "orchestrator.testing.plugin"}


def test_a_project_that_does_not_use_it_loads_nothing_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(OTHERS_TEST)
    done = pytest_in(tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_project_tests_its_dags_with_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "good.py").write_text(FLOW)
    (tmp_path / "test_flow.py").write_text(USERS_TEST)
    done = pytest_in(tmp_path)
    assert done.returncode == 0, done.stdout


def test_every_dag_file_of_a_folder_is_found_and_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "sub" / "also.py").write_text(GOOD.replace("good", "also"))
    (tmp_path / "plain.py").write_text("x = 1\n")
    found = dag_files(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["good.py", "sub/also.py"]
    assert [list(check_dag_file(path)) for path in found] == [["good"], ["also"]]


@pytest.mark.parametrize(
    ("source", "place"), [(BAD, "broken.py:2"), (EFFECT, "broken.py:3"), ("import airflow.nothing", "broken.py:1")]
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, source: str, place: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(source)
    with pytest.raises(DagImportError, match=place):
        check_dag_file(path)


def test_a_folder_or_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        dag_files(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match=r"nothing\.py"):
        check_dag_file(tmp_path / "nothing.py")
