"""A file with a timetable of its author runs on the slots that it names, and goes on after a restart."""

from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

FILE = """
import pendulum
from airflow.sdk import DAG, task
from airflow.timetables.base import DagRunInfo, Timetable


class Seconds(Timetable):
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        if last_automated_data_interval:
            start = last_automated_data_interval.end
        else:
            start = pendulum.now("UTC").replace(microsecond=0)
        return DagRunInfo.interval(start, start.add(seconds=1))


with DAG("ticks", schedule=Seconds(), catchup=False):
    @task
    def span(data_interval_start=None, data_interval_end=None):
        return (data_interval_end - data_interval_start).total_seconds()

    span()
"""


@pytest.mark.slow
def test_runs_come_on_the_slots_of_an_authors_timetable_also_after_a_kill(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("ticks.py", FILE)
        home.start()
        home.wait_for("two runs have ended", lambda: len(ended(home)) >= 2)
        home.kill()
        before = len(ended(home))
        home.start()
        home.wait_for("it goes on", lambda: len(ended(home)) >= before + 2)
        run_id = ended(home)[-1]
        assert run_id.startswith("scheduled__")
        assert home.ask("tasks", "result", "ticks", "span", run_id) == 1.0


def ended(home: LiveHome) -> list[str]:
    done = home.run("dags", "list-runs", "ticks", "-o", "json")
    if done.returncode:
        return []
    return [run["run_id"] for run in home.ask("dags", "list-runs", "ticks") if run["state"] == "success"]
