"""Tasks in environments of their own, in a real home: one build for all workers, live logs, time-outs, secrets."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.core import values
from orchestrator.storage.xcoms import XComReads
from orchestrator.testing.home import LiveHome
from tests.operators.wheels import make_wheel

SECRET = "planted-token-4711"
SOURCE = """
import sys
from datetime import timedelta

import shop_words
from orchestrator import Variable, dag, task

PIP = ["--no-index", "--find-links", {wheels!r}]


@task.virtualenv(requirements=["shelf==1.0"], system_site_packages=False, pip_install_options=PIP)
def labelled(number, shop):
    import shelf
    import shop_words

    print(f"label {{number}} in {{sys.prefix if 'sys' in globals() else 'an environment of its own'}}")
    return f"{{shop}}{{number}}/{{shelf.VERSION}}/{{shop_words.GREETING}}"


@task
def numbers():
    return [1, 2, 3, 4, 5, 6]


@task
def joined(labels):
    return " ".join(labels)


@dag
def shelves():
    joined(labelled.partial(shop="a").expand(number=numbers()))


@task.virtualenv(retries=0, requirements=["no-such-thing==9"], pip_install_options=PIP)
def never():
    return 1


@task.external_python(python=sys.executable, retries=0)
def fails(number):
    shelf = {{}}
    return shelf[number]


@task.external_python(python=sys.executable, retries=0, execution_timeout=timedelta(seconds=3))
def sleeps(marks):
    import os
    import subprocess
    import time

    child = subprocess.Popen(["sleep", "1000"])
    with open(marks, "w") as file:
        file.write(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(1000)


@task.external_python(python=sys.executable, retries=0)
def tells(token):
    print("the token is", token)
    raise ValueError("cannot log in with " + token)


@dag
def unbuildable():
    never()


@dag
def failing():
    fails(7)


@dag
def sleeping():
    sleeps({marks!r})


@dag
def telling():
    tells("{{{{ var.value.api_token }}}}")


shelves(), unbuildable(), failing(), sleeping(), telling()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    folder = tmp_path_factory.mktemp("environments")
    make_wheel(folder / "wheels")
    settings = {"core.venv_install_method": "uv", "core.parallelism": 4}
    environment = {"AIRFLOW_VAR_API_TOKEN": SECRET}
    with LiveHome(folder, settings=settings, environment=environment) as home:
        (home.dags / "shop_words.py").write_text("GREETING = 'hello'\n")
        marks = str(folder / "marks")
        home.write_dag("shelves.py", SOURCE.format(wheels=str(folder / "wheels"), marks=marks))
        home.start()
        home.wait_for("the DAGs are listed", lambda: home.lists("shelves"))
        yield home


def finished(home: LiveHome, dag_id: str) -> dict[str, Any]:
    """A run of that DAG, when it is over."""
    assert home.run("dags", "trigger", dag_id, "--run-id", "it").returncode == 0
    over = ("success", "failed")
    return home.wait_for(
        f"the run of {dag_id} ends",
        lambda: (found := home.ask("runs", "show", dag_id, "it"))["state"] in over and found,
        timeout=60,
    )


def log(home: LiveHome, dag_id: str, task_id: str) -> str:
    done = home.run("tasks", "logs", dag_id, task_id, "it")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_instances_of_a_mapped_task_share_one_build_and_see_the_modules_beside_their_file(home: LiveHome) -> None:
    run = finished(home, "shelves")
    assert run["state"] == "success"
    with home.open() as opened:
        reads = XComReads(opened.engine)
        key = reads.run_key("shelves", "it")
        assert key is not None
        ((_, one),) = reads.returned(key, "joined", None)
    assert values.decode(one.value) == " ".join(f"a{number}/1.0/hello" for number in range(1, 7))
    assert len(list((home.folder / "venvs").glob("*.json"))) == 1
    logs = [
        home.run("tasks", "logs", "shelves", "labelled", "it", "--map-index", str(index)).stdout for index in range(6)
    ]
    assert sum("is built with uv" in text for text in logs) == 1
    assert all("label" in text for text in logs)


def test_an_environment_that_cannot_be_built_fails_the_task_with_the_builders_words(home: LiveHome) -> None:
    assert finished(home, "unbuildable")["state"] == "failed"
    state = home.run("tasks", "state", "unbuildable", "never", "it").stdout + log(home, "unbuildable", "never")
    assert "no-such-thing" in state
    why = home.run("runs", "why", "unbuildable", "it")
    assert "cannot be built: uv ended with exit code 1" in " ".join(why.stdout.split())
    assert "Traceback" not in why.stdout


def test_a_failure_names_the_line_of_the_authors_file(home: LiveHome) -> None:
    assert finished(home, "failing")["state"] == "failed"
    why = " ".join(home.run("runs", "why", "failing", "it").stdout.split())
    line = next(
        n for n, text in enumerate((home.dags / "shelves.py").read_text().splitlines(), 1) if "[number]" in text
    )
    assert "KeyError: 7" in why
    assert f"shelves.py:{line}" in why


def test_a_time_out_ends_the_other_python_and_what_it_has_started(home: LiveHome) -> None:
    assert finished(home, "sleeping")["state"] == "failed"
    pids = [int(word) for word in (home.folder / "marks").read_text().split()]
    assert len(pids) == 2
    home.wait_for("its processes are gone", lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_secrets_are_masked_in_what_the_other_python_says(home: LiveHome) -> None:
    assert finished(home, "telling")["state"] == "failed"
    shown = log(home, "telling", "tells") + home.run("runs", "why", "telling", "it").stdout
    assert "the token is ***" in shown
    files = [Path(folder) / name for folder, _, names in os.walk(home.folder) for name in names]
    assert not [path for path in files if path.is_file() and SECRET.encode() in path.read_bytes()]
