"""What was set up is taken down: after kill -9 of everything, and in a run that is cancelled or has failed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

PAGE = Path(__file__).parents[2] / "docs/reference/taskflow.md"
SOURCE = """
import time
from pathlib import Path

from orchestrator import dag, setup, task, teardown


@setup
def rent(place: str):
    Path(place, "rented").touch()


@teardown
def give_back(place: str):
    with Path(place, "returned").open("a") as log:
        log.write("x")


@task
def work(place: str):
    Path(place, "at_work").touch()
    while not Path(place, "go").exists():
        time.sleep(0.02)
    if Path(place, "go").read_text() == "fail":
        raise ValueError("no")


@dag(params={"place": ""})
def renting():
    place = "{{ params.place }}"
    with rent(place) >> give_back(place):
        work(place)


renting()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("renting")) as home:
        home.write_dag("renting.py", SOURCE)
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("renting"))
        yield home


def begun(home: LiveHome, place: Path) -> None:
    """A run that is at work in ``place``, which is its id."""
    conf = f'{{"place": "{place}"}}'
    assert home.run("dags", "trigger", "renting", "--run-id", place.name, "--conf", conf).returncode == 0
    home.wait_for("the work begins", (place / "at_work").exists)


def ended(home: LiveHome, run_id: str) -> tuple[str, dict[str, str]]:
    """The state of the run, once it has ended, and those of its tasks."""
    over = ("success", "failed")
    shown = home.wait_for(
        "the run ends", lambda: (found := home.ask("runs", "show", "renting", run_id))["state"] in over and found
    )
    return shown["state"], {task["task_id"]: task["state"] for task in shown["tasks"]}


def test_a_teardown_runs_after_everything_was_killed_at_work(home: LiveHome, tmp_path: Path) -> None:
    begun(home, tmp_path)
    home.kill()
    assert not (tmp_path / "returned").exists()
    (tmp_path / "go").write_text("fail")
    home.start()
    state, tasks = ended(home, tmp_path.name)
    assert (state, tasks) == ("failed", {"rent": "success", "work": "failed", "give_back": "success"})
    assert (tmp_path / "returned").read_text() == "x"


def test_a_teardown_runs_in_a_run_that_is_cancelled(home: LiveHome, tmp_path: Path) -> None:
    begun(home, tmp_path)
    said = home.run("runs", "cancel", "renting", tmp_path.name)
    assert said.returncode == 0, said.stderr
    state, tasks = ended(home, tmp_path.name)
    assert (state, tasks["work"], tasks["give_back"]) == ("failed", "failed", "success")
    assert (tmp_path / "returned").read_text() == "x"


def test_a_task_is_cleared_with_its_setup_and_its_teardown(home: LiveHome, tmp_path: Path) -> None:
    begun(home, tmp_path)
    (tmp_path / "go").write_text("on")
    assert ended(home, tmp_path.name)[0] == "success"
    (tmp_path / "rented").unlink()
    cleared = home.ask("tasks", "clear", "renting", "work", tmp_path.name, "-y")["cleared"]
    assert [one["task_id"] for one in cleared] == ["rent", "work", "give_back"]
    home.wait_for("it is given back again", lambda: (tmp_path / "returned").read_text() == "xx")
    assert (tmp_path / "rented").exists()


def test_the_page_shows_a_dag_that_runs(home: LiveHome) -> None:
    [source] = re.findall(r"^```python file=\S+\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    home.write_dag("cluster_report.py", source)
    home.wait_for("the DAG is listed", lambda: home.lists("cluster_report"))
    done = home.run("dags", "test", "cluster_report")
    assert done.returncode == 0, done.stdout + done.stderr
    drawn = home.run("dags", "show", "cluster_report").stdout
    assert "as usual" in drawn
    assert "╭─ north" in drawn
    assert "group of 1 tasks" not in drawn
    assert "group of 2 tasks" in home.run("dags", "show", "cluster_report", "--fold").stdout
