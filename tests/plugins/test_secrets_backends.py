"""Secrets backends of plugins and of the settings: they come first, everywhere, and what they give is masked."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome
from tests.plugins.homes import PluggedHome

SAFE = """
import keyring_of_the_plugin
from orchestrator import hookimpl


class Safe:
    def get_variable(self, key):
        return keyring_of_the_plugin.SECRETS.get(key)

    def get_conn_value(self, conn_id):
        return keyring_of_the_plugin.SECRETS.get("conn:" + conn_id)


@hookimpl
def secrets_backends():
    return [Safe()]
"""
TOKEN, PASSWORD = "planted-safe-token", "planted-safe-password"
KEYRING = f'SECRETS = {{"api_token": "{TOKEN}", "town": "Oslo", "conn:db": "postgres://me:{PASSWORD}@host/x"}}\n'
DAG = """
from orchestrator import DAG, Connection, Variable, task
from orchestrator.operators import BashOperator

SHOW = "echo {{ var.value.api_token }} {{ conn.db.password }}; echo {{ conn.db.host }}"

with DAG("d", tags=[Variable.get("town")]):

    @task
    def read():
        print("token", Variable.get("api_token"), Connection.get("db").password)
        return Connection.get("db").host

    BashOperator(task_id="show", bash_command=SHOW)

    @task(retries=0)
    def fail():
        raise ValueError("no entry with " + Variable.get("api_token"))

    @task(retries=0)
    def die():
        import os
        os.write(2, ("last words " + Variable.get("api_token")).encode())
        os._exit(1)

    read(), fail(), die()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("safe")) as home:
        plugins = home.folder / "plugins"
        plugins.mkdir()
        (plugins / "safe.py").write_text(SAFE)
        (plugins / "keyring_of_the_plugin.py").write_text(KEYRING)
        home.write_dag("d.py", DAG)
        home.start()
        home.wait_for("it is listed", lambda: home.lists("d"))
        home.run("dags", "trigger", "d", "--run-id", "one", "--wait")
        yield home


def test_workers_templates_and_parses_are_served(home: LiveHome) -> None:
    assert json.loads(home.run("tasks", "result", "d", "read", "one").stdout) == "host"
    assert json.loads(home.run("tasks", "result", "d", "show", "one").stdout) == "host"
    assert '"Oslo"' in home.run("dags", "details", "d", "-o", "json").stdout
    assert home.run("variables", "get", "town").stdout == "Oslo\n"


def test_what_a_backend_gave_is_masked_wherever_it_is_written(home: LiveHome) -> None:
    said = {
        name: home.run(*words.split()).stdout
        for name, words in {
            "log": "tasks logs d read one",
            "bash": "tasks logs d show one",
            "failure": "runs show d one",
            "history": "runs history d one -o json",
            "rendered": "tasks render d show one",
            "death": "tasks logs d die one",
        }.items()
    }
    assert "token *** ***" in said["log"]
    assert "no entry with ***" in said["history"]
    assert "is not shown" in said["death"]
    code = {home.folder / "plugins" / "keyring_of_the_plugin.py"}
    written = {str(path): path.read_bytes() for path in set(home.folder.rglob("*")) - code if path.is_file()}
    written |= {name: text.encode() for name, text in said.items()}
    leaks = [(place, word) for place, data in written.items() for word in (TOKEN, PASSWORD) if word.encode() in data]
    assert leaks == []


def test_a_backend_of_the_settings_is_asked_first_and_one_that_fails_is_named(tmp_path: Path) -> None:
    home = PluggedHome(tmp_path)
    assert home.run("db", "migrate").returncode == 0
    home.plugin(
        "vaults.py",
        """
        from airflow.secrets.base_secrets import BaseSecretsBackend

        class Fixed(BaseSecretsBackend):
            def __init__(self, town):
                self.town = town

            def get_variable(self, key):
                if key == "broken":
                    raise OSError("no route to the safe")
                return self.town if key == "town" else None

            def get_connection(self, conn_id):
                return None
        """,
    )
    backend = {
        "ORCHESTRATOR__SECRETS__BACKEND": "vaults.Fixed",
        "ORCHESTRATOR__SECRETS__BACKEND_KWARGS": '{"town": "Rome"}',
        "ORCHESTRATOR_VAR_TOWN": "Oslo",
        "ORCHESTRATOR_VAR_RIVER": "Tiber",
    }
    assert home.said("variables", "get", "town", **backend) == "Rome\n"
    assert home.said("variables", "get", "river", **backend) == "Tiber\n"
    failed = home.run("variables", "get", "broken", **backend)
    assert failed.stderr == "Error: the secrets backend vaults.Fixed failed: OSError: no route to the safe\n"
    wrong = home.run("variables", "get", "town", **backend | {"ORCHESTRATOR__SECRETS__BACKEND": "vaults.Gone"})
    assert "[secrets] backend is 'vaults.Gone', which cannot be made" in wrong.stderr
    wrong = home.run("variables", "get", "town", **backend | {"ORCHESTRATOR__SECRETS__BACKEND_KWARGS": "{"})
    assert "[secrets] backend_kwargs is no JSON" in wrong.stderr
    shown = home.said("config", "list", **backend | {"ORCHESTRATOR__SECRETS__BACKEND_KWARGS": '{"town": "hidden"}'})
    assert "hidden" not in shown
