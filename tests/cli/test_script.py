"""A DAG file that is run as a script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

STEPS = """
from orchestrator import activity

RATE = 3

@activity
def charge(amount):
    print("charging", amount)
    return amount * 2
"""
SHOP = """
import sys
from orchestrator import Variable, dag, get_current_context, task, workflow
from steps import RATE, charge

@dag(params={"prices": [1, 2]})
def shop():
    @task
    def prices(params=None):
        return params["prices"]

    @task.sensor(poke_interval=0.1, mode="reschedule")
    def doors_are_open():
        return get_current_context()["ti"].pokes > 1

    @task
    def times(price):
        if price == 13:
            raise ValueError("unlucky")
        return price * RATE

    @task
    def total(found):
        print("total", sum(found), Variable.get("currency", "EUR"))

    found = times.expand(price=prices())
    doors_are_open() >> found
    total(found)

@workflow
def order(amount: int = 4):
    return charge(amount) + 1

shop_dag = shop()
if __name__ == "__main__":
    AFTER
"""
AIRFLOWS = """
from airflow.sdk import dag, task
from airflow.providers.standard.operators.bash import BashOperator

@dag
def theirs():
    BashOperator(task_id="say", bash_command="echo it works")

theirs()
"""


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    nowhere = folder / "no" / "home"
    return subprocess.run(
        [sys.executable, *words],
        cwd="/",
        env=inherited | {"HOME": str(nowhere), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def script(folder: Path, after: str) -> str:
    (folder / "steps.py").write_text(STEPS)
    path = folder / "shop.py"
    path.write_text(SHOP.replace("AFTER", after))
    return str(path)


def test_a_file_runs_its_dag_from_any_folder_without_a_home_and_leaves_none(tmp_path: Path) -> None:
    done = run(tmp_path, script(tmp_path, "print(shop_dag.test().state)"))
    assert done.returncode == 0, done.stderr
    assert "total 9 EUR\n" in done.stdout
    assert done.stdout.endswith("success\n")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["shop.py", "steps.py"]


def test_a_failure_ends_the_script_with_status_1_and_says_why(tmp_path: Path) -> None:
    done = run(tmp_path, script(tmp_path, "shop_dag.test(run_conf={'prices': [1, 13]}); print('not here')"))
    assert done.returncode == 1
    assert "times[1] failed on attempt 1: ValueError: unlucky." in done.stderr
    assert "not here" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_workflow_is_tried_out_likewise(tmp_path: Path) -> None:
    done = run(tmp_path, script(tmp_path, "order.test(run_conf={'amount': 5})"))
    assert done.returncode == 0, done.stderr
    assert "charging 5\n" in done.stdout
    assert "→ 11" in done.stdout


def test_variables_come_from_the_environment_and_before_it_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "vars.json").write_text('{"currency": "CHF"}')
    path = script(
        tmp_path, f"shop_dag.test(variable_file_path={str(tmp_path / 'vars.json')!r} if sys.argv[1:] else None)"
    )
    assert "total 9 SEK\n" in run(tmp_path, path, AIRFLOW_VAR_CURRENCY="SEK").stdout
    assert "total 9 CHF\n" in run(tmp_path, path, "file", AIRFLOW_VAR_CURRENCY="SEK").stdout


def test_variables_come_from_the_home_above_the_file(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.run("db", "migrate")
        home.run("variables", "set", "currency", "DKK")
        (tmp_path / "airflow_like.cfg").write_text("")
        assert "total 9 DKK\n" in run(tmp_path, script(home.dags, "shop_dag.test()")).stdout


def test_tasks_that_match_the_pattern_succeed_without_running(tmp_path: Path) -> None:
    done = run(tmp_path, script(tmp_path, "shop_dag.test(mark_success_pattern='doors|tot')"))
    assert done.returncode == 0, done.stderr
    assert "total  success" in done.stdout
    assert "total 9" not in done.stdout


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("use_executor=True", "test(use_executor=True) has no meaning here"),
        ("run_conf=[1]", "run_conf must be a dict"),
        ("run_conf={'x': object()}", "run_conf must be JSON values"),
        ("logical_date='today'", "a date must be a datetime, not 'today'"),
        ("mark_success_pattern='('", "mark_success_pattern is no regular expression"),
        ("variable_file_path='/no/such/file.json'", "/no/such/file.json cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path, call: str, sentence: str) -> None:
    done = run(tmp_path, script(tmp_path, f"shop_dag.test({call})"))
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_tests_whenever_it_is_read_is_refused_by_whoever_reads_it(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("eager.py", "from orchestrator import DAG\nwith DAG('eager') as d:\n    pass\nd.test()\n")
        done = home.run("dags", "test", "eager")
    assert done.returncode == 1
    assert "eager.py:4" in done.stderr
    assert '`if __name__ == "__main__":`' in done.stderr


def test_a_file_of_airflow_is_run_without_a_word_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(AIRFLOWS)
    done = run(tmp_path, "-m", "orchestrator", "run", str(tmp_path / "theirs.py"))
    assert done.returncode == 0, done.stderr
    assert "it works\n" in done.stdout


def test_a_files_own_call_is_the_one_that_counts_and_is_given_the_arguments(tmp_path: Path) -> None:
    path = script(tmp_path, "print(sys.argv[1:]); order.test()")
    done = run(tmp_path, "-m", "orchestrator", "run", path, "--loud", "x")
    assert done.returncode == 0, done.stderr
    assert "['--loud', 'x']" in done.stdout
    assert "→ 9" in done.stdout
    assert "total" not in done.stdout


def test_one_dag_of_a_file_is_chosen_and_given_its_input(tmp_path: Path) -> None:
    path = script(tmp_path, "1 / 0")
    done = run(tmp_path, "-m", "orchestrator", "run", path, "-d", "order", "-c", '{"amount": 7}')
    assert "→ 15" in done.stdout, done.stderr
    undecided = run(tmp_path, "-m", "orchestrator", "run", path, "-c", "{}")
    assert undecided.returncode == 2
    assert "choose one with --dag-id" in undecided.stderr
    unknown = run(tmp_path, "-m", "orchestrator", "run", path, "-d", "ordr")
    assert "did you mean 'order'?" in unknown.stderr


def test_a_file_that_cannot_be_run_is_told_by_its_line(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "orchestrator", "run", script(tmp_path, "1 / 0"))
    assert done.returncode == 1
    assert (
        done.stderr.startswith("Error: shop.py:42: ZeroDivisionError")
        or ": ZeroDivisionError: division by zero" in done.stderr
    )
    assert "Traceback" not in done.stderr
