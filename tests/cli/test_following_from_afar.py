"""A run and a log that are followed from afar, while the server is killed and started again."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

pytestmark = pytest.mark.slow

TALKS = """
import time
from pathlib import Path

from orchestrator import dag, task


@task
def talk() -> str:
    print("it has begun", flush=True)
    while not Path("HUSH").exists():
        time.sleep(0.05)
    print("it has ended", flush=True)
    return "said"


@dag
def talks():
    talk()


talks()
"""
_ADDRESS = re.compile(r"pages are at (http://127\.0\.0\.1:\d+)")


def test_whoever_follows_waits_for_the_server_to_come_back(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("talks.py", TALKS.replace("HUSH", str(tmp_path / "hush")))
        home.run("db", "migrate").check_returncode()
        home.run("users", "create", "ada", "--role", "operator", "--no-password").check_returncode()
        for part in ("dag-processor", "scheduler"):
            home.start(part)
        server = home.start("api-server", "--port", "0")
        url = home.wait_for("the server is there", lambda: _ADDRESS.search(home.log.read_text()))[1]
        token = home.ask("tokens", "create", "ada", "watcher")["token"]
        home.wait_for("the DAG is there", lambda: home.ask("dags", "list"))
        with _from_afar(home, url, token, "dags", "trigger", "talks", "--run-id", "followed", "--wait") as waits:
            home.wait_for("it talks", lambda: "it has begun" in home.run("tasks", "logs", "talks", "talk").stdout)
            with _from_afar(home, url, token, "tasks", "logs", "talks", "talk", "--follow") as reads:
                assert any("it has begun" in line for line in reads.stdout or ())
                server.kill()
                server.wait()
                for follower in (waits, reads):
                    assert any("asked again" in line for line in follower.stderr or ())
                (tmp_path / "hush").touch()
                home.start("api-server", "--port", url.rpartition(":")[2])
                out, err = reads.communicate(timeout=60)
                assert (reads.returncode, "it has ended" in out, err) == (0, True, "")
            out, err = waits.communicate(timeout=60)
            assert (waits.returncode, "success" in out, err) == (0, True, "")


@contextmanager
def _from_afar(home: LiveHome, url: str, token: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        home.command("--url", url, *words),
        env=home.environment | {"ORCHESTRATOR_TOKEN": token, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as follower:
        try:
            yield follower
        finally:
            follower.kill()
