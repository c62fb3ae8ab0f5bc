"""``compat check``: what is said of files, from their source and from a parse."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.compat.airflow.finder import is_airflow_installed
from tests.cli.homes import run_command
from tests.compat.conftest import Write


def checked(path: Path, *, status: int) -> dict[str, Any]:
    """What the command says of ``path``, which ends with that exit status."""
    said = run_command("compat", "check", str(path), "-o", "json")
    assert said.status == status, said.err
    return json.loads(said.out)  # type: ignore[no-any-return]


def findings(found: dict[str, Any]) -> list[tuple[int | None, str]]:
    return [(one["line"], one["message"]) for file in found["files"] for one in file["findings"]]


def test_a_file_that_needs_nothing_else_runs(write: Write) -> None:
    path = write("etl.py", "from airflow.sdk import dag, task\n@dag\ndef etl():\n    task(lambda: 1)\netl()\n")
    found = checked(path, status=0)
    assert found["files"] == [{"file": "etl.py", "verdict": "runs", "dags": ["etl"], "findings": []}]
    assert found["verdicts"] == {"runs": 1, "differs": 0, "missing": 0}
    assert found["missing"] == {}


def test_every_name_that_is_missing_is_said_with_its_line_and_its_feature(write: Write) -> None:
    path = write(
        "etl.py",
        """\
        from airflow.sdk import (
            DAG,
            no_such_thing,
        )
        def body():
            from airflow.providers.amazon.aws.hooks.s3 import S3Hook
        with DAG("etl"): ...
        """,
    )
    found = checked(path, status=1)
    assert [line for line, _ in findings(found)] == [3, 6]
    assert found["missing"] == {"names that Airflow does not have": 1, "the provider amazon": 1}
    assert found["files"][0]["verdict"] == "missing"


def test_what_means_something_else_is_said_and_is_no_failure(write: Write) -> None:
    path = write("etl.py", "import airflow\nfrom airflow import DAG, __version__\nwith DAG('etl'): ...\n")
    found = checked(path, status=0)
    assert found["verdicts"] == {"runs": 0, "differs": 1, "missing": 0}
    [(line, message)] = findings(found)
    assert line == 2
    assert message.startswith("airflow.__version__ says 3.")


def test_an_import_whose_absence_is_caught_is_not_missed(write: Write) -> None:
    path = write(
        "etl.py",
        """\
        from typing import TYPE_CHECKING
        try:
            from airflow.jobs.job import Job
        except ImportError:
            from airflow.sdk import DAG
        if TYPE_CHECKING:
            from airflow.models import DagBag
        with DAG("etl"): ...
        """,
    )
    assert checked(path, status=0)["files"][0]["dags"] == ["etl"]


def test_a_setting_that_is_not_supported_is_said_wherever_it_stands(write: Write) -> None:
    path = write(
        "etl.py",
        """\
        from airflow.sdk import DAG, task
        from airflow.operators.empty import EmptyOperator
        with DAG("etl", access_control={"me": {"can_read"}}, owner_links=None):
            EmptyOperator(task_id="a", run_as_user="root")
            task(executor="other")(lambda: 1)
        """,
    )
    said = findings(checked(path, status=1))
    assert [(line, message.split()[0]) for line, message in said] == [
        (3, "access_control"),
        (4, "run_as_user"),
        (5, "executor"),
    ]


def test_a_failure_is_said_where_something_differs_in_the_same_line(write: Write) -> None:
    path = write("etl.py", 'from airflow.sdk import DAG\nDAG("etl", owner_links=["me"])\n')
    found = checked(path, status=1)
    assert [message.partition(" must be")[0] for _, message in findings(found)] == [
        "the setting owner_links is kept with the DAG, and shown nowhere",
        "DAG 'etl': owner_links",
    ]


def test_a_setting_that_changes_nothing_is_said_and_is_no_failure(write: Write) -> None:
    path = write(
        "etl.py",
        """\
        from airflow.sdk import DAG, Asset, task
        with DAG("etl", default_args={"executor_config": {"a": 1}}):
            task(outlets=[Asset("s3://shop/orders")], inlets=[])(lambda: 1)
        """,
    )
    found = checked(path, status=0)
    assert found["verdicts"] == {"runs": 0, "differs": 1, "missing": 0}
    assert [(line, message.split(" is kept")[0]) for line, message in findings(found)] == [
        (1, "airflow.sdk.Asset names data, and starts no run: events of assets are not recorded"),
        (2, "the setting executor_config"),
        (3, "the setting outlets"),
    ]


def test_what_only_a_parse_can_find_is_found(write: Write) -> None:
    path = write("etl.py", "from airflow.sdk import DAG\nDAG('etl')\nprint(1 / 0)\n")
    [(line, message)] = findings(checked(path, status=1))
    assert (line, message) == (3, "ZeroDivisionError: division by zero")


def test_a_file_that_is_no_python_is_said_to_be_none(write: Write) -> None:
    path = write("etl.py", "from airflow.sdk import DAG\nwith DAG('etl') ...\n")
    [(line, message)] = findings(checked(path, status=1))
    assert line == 2
    assert message.startswith("this is not valid Python")


def test_a_side_effect_of_an_airflow_file_is_a_warning(write: Write) -> None:
    source = "import subprocess\nfrom airflow.sdk import DAG\nsubprocess.run(['true'])\nwith DAG('etl'): ...\n"
    found = checked(write("etl.py", source), status=0)
    [(line, message)] = findings(found)
    assert line == 3
    assert "starts" in message
    assert found["files"][0]["verdict"] == "differs"


def test_a_folder_is_checked_file_by_file_and_what_uses_no_airflow_is_left_out(write: Write) -> None:
    write("sub/a.py", "from airflow.sdk import DAG\nfrom shared import NAME\nwith DAG(NAME): ...\n")
    write("shared.py", "NAME = 'from_shared'\n")
    write("ours.py", "from orchestrator import DAG\nwith DAG('ours'): ...\n")
    folder = write("b.py", "from airflow.sdk import DAG, nothing\n").parent
    found = checked(folder, status=1)
    assert [(file["file"], file["verdict"]) for file in found["files"]] == [("b.py", "missing"), ("sub/a.py", "runs")]


def test_a_folder_elsewhere_is_checked_as_a_folder_of_dags(tmp_path: Path, write: Write) -> None:
    write("ours.py", "")
    other = tmp_path / "other"
    (other / "lib").mkdir(parents=True)
    (other / "lib" / "names.py").write_text("NAME = 'elsewhere'\n")
    (other / "etl.py").write_text("from airflow.sdk import DAG\nfrom lib.names import NAME\nwith DAG(NAME): ...\n")
    assert [file["dags"] for file in checked(other, status=0)["files"]] == [["elsewhere"]]
    assert [file["dags"] for file in checked(other / "etl.py", status=0)["files"]] == [["elsewhere"]]


def test_people_are_told_line_by_line_and_in_sum(write: Write) -> None:
    folder = write("b.py", "from airflow.sdk import DAG, nothing\n").parent
    said = run_command("compat", "check", str(folder))
    assert said.status == 1
    assert "b.py:1: missing: airflow.sdk.nothing is no public name of Airflow 3" in said.out
    assert "1 file: 0 run, 0 run with differences, 1 miss something." in said.err


def test_beside_airflow_itself_there_is_nothing_to_check(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    is_airflow_installed.cache_clear()
    try:
        said = run_command("compat", "check", str(write("a.py", "from airflow.sdk import DAG")))
    finally:
        is_airflow_installed.cache_clear()
    assert said.status == 1
    assert "check them from an environment without it" in said.err


@pytest.mark.parametrize("name", ["gone.py", "gone"])
def test_a_path_that_leads_nowhere_is_said_to(write: Write, name: str) -> None:
    folder = write("a.py", "").parent
    said = run_command("compat", "check", str(folder / name))
    assert said.status == 1
    assert "there is no file or folder" in said.err
    empty = run_command("compat", "check", str(folder))
    assert empty.status == 0
    assert "No file below" in empty.err


def test_words_of_the_context_that_are_not_there_are_missed_where_they_stand(write: Write) -> None:
    path = write(
        "etl.py",
        """\
        from airflow.providers.standard.operators.bash import BashOperator
        from airflow.sdk import DAG, task
        with DAG("etl"):
            BashOperator(task_id="a", bash_command="echo {{ prev_start_date_success }} prev_end_date_success")
            @task
            def load(triggering_asset_events=None, **context):
                return context["outlet_events"]
            load()
        """,
    )
    found = checked(path, status=1)
    assert [line for line, _ in findings(found)] == [4, 6, 7]
    assert found["missing"] == {"words of the context": 1}
