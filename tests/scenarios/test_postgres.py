"""The whole program on a real PostgreSQL: kills, a server that goes away under load, two schedulers."""

import json
import time
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome
from tests.postgres_server import PostgresServer
from tests.scenarios.test_kills import Storm, weather
from tests.scenarios.weather import FEW, MANY

pytestmark = pytest.mark.postgres

EVERY_SECOND = """
from orchestrator import DAG, task

@task
def tick():
    return 1

with DAG("every_second", schedule="* * * * * *", max_active_runs=3):
    tick()
"""


def new_storm(folder: Path, postgres: PostgresServer) -> Storm:
    return Storm(folder, **{"database.sql_alchemy_conn": postgres.database()})


def test_nothing_recorded_is_lost_or_run_again_when_everything_is_killed(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    weather(new_storm(tmp_path, postgres), FEW // 2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_recorded_is_lost_or_run_again_in_hundreds_of_kills(tmp_path: Path, postgres: PostgresServer) -> None:
    weather(new_storm(tmp_path, postgres), MANY // 2)


def test_a_server_that_goes_away_under_load_is_waited_for_and_nothing_is_lost(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    storm = new_storm(tmp_path, postgres)
    with storm.home:
        storm.make_ready()
        storm.home.start("scheduler")
        for seconds in (0, 0.5, 3):
            storm.trigger()
            storm.let_bodies_run(10)
            with postgres.away():
                storm.wait_until(time.monotonic() + seconds)
            storm.knock_again()
            storm.let_bodies_run(5)
            storm.look()
        storm.home.wait_for("every run ends", storm.has_ended, timeout=90)
        assert storm.faults() == []
        storm.door.close()
        said = storm.home.log.read_text()
        assert "the database answers again, after" in said
        assert "Traceback" not in said


@pytest.mark.slow
def test_a_saved_file_is_read_although_the_server_was_away(tmp_path: Path, postgres: PostgresServer) -> None:
    with LiveHome(tmp_path, settings={"database.sql_alchemy_conn": postgres.database()}) as home:
        home.write_dag("every_second.py", EVERY_SECOND)
        home.start()
        home.wait_for("runs are made", lambda: len(runs(home)) >= 2)
        with postgres.away():
            home.write_dag("other.py", EVERY_SECOND.replace("every_second", "other"))
        home.wait_for("the other DAG runs", lambda: runs(home, "other"))
        home.stop()
        assert "Traceback" not in home.log.read_text()


@pytest.mark.slow
def test_a_second_scheduler_is_refused_until_the_first_is_dead_and_then_takes_over_at_once(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    settings = {"database.sql_alchemy_conn": postgres.database()}
    with LiveHome(tmp_path, settings=settings) as home:
        home.write_dag("every_second.py", EVERY_SECOND)
        home.start()
        home.wait_for("runs are made", lambda: len(runs(home)) >= 2)
        refused = home.run("scheduler")
        assert refused.returncode == 1
        assert "a scheduler runs on this database already" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        home.kill()
        known = {run["run_id"] for run in runs(home)}
        home.start("scheduler")
        home.wait_for("more runs are made", lambda: len(runs(home)) > len(known) + 2, timeout=15)
        home.stop()
        assert known <= {run["run_id"] for run in runs(home)}


def runs(home: LiveHome, dag_id: str = "every_second") -> list[dict[str, str]]:
    done = home.run("dags", "list-runs", dag_id, "-o", "json")
    return json.loads(done.stdout) if done.returncode == 0 else []
