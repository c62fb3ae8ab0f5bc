"""Macros and filters of plugins in templates."""

import pytest

from tests.dagbag.folders import DagsFolder
from tests.plugins.homes import PluggedHome

MONEY = """
    from orchestrator import hookimpl


    @hookimpl
    def macros():
        return {"euro": lambda cents: f"{cents} EUR", "RATE": 7}


    @hookimpl
    def filters():
        return {"loud": str.upper}
"""
SHOWING = """
    from orchestrator import DAG
    from orchestrator.operators import BashOperator

    with DAG("d"):
        echo = "echo {{ macros.ds_add('2026-01-01', 1) }} "
        BashOperator(task_id="t", bash_command=echo + "{{ macros.money.euro(5) }} {{ 'word' | loud }}")
        BashOperator(task_id="bad", bash_command="echo {{ macros.broken.x }}")
        BashOperator(task_id="gone", bash_command="echo {{ macros.nobody.x }}")
        BashOperator(task_id="unknown", bash_command="echo {{ 'x' | nothing }}")
"""


def test_templates_use_macros_and_filters_of_plugins_and_are_told_of_those_that_are_not(home: PluggedHome) -> None:
    home.plugin("money.py", MONEY)
    home.plugin("broken.py", "x = (\n")
    home.dag("d.py", SHOWING)
    assert "2026-01-02 5 EUR WORD" in home.said("tasks", "test", "d", "t")
    assert "broken.py:1: this is not valid Python" in home.run("tasks", "test", "d", "bad").stdout
    assert "nobody" in home.run("tasks", "test", "d", "gone").stdout
    assert "No filter named 'nothing'" in home.run("tasks", "test", "d", "unknown").stdout


def test_an_unmodified_airflow_plugin_gives_its_macros(home: PluggedHome) -> None:
    home.plugin(
        "legacy.py",
        """
        from airflow.plugins_manager import AirflowPlugin

        def shout(text):
            return text.upper()

        class Old(AirflowPlugin):
            name = "old_shop"
            macros = [shout]
            flask_blueprints = ["page"]
        """,
    )
    home.dag(
        "d.py",
        """
        from airflow.sdk import DAG
        from airflow.providers.standard.operators.bash import BashOperator

        with DAG("d"):
            BashOperator(task_id="t", bash_command="echo {{ macros.old_shop.shout('hey') }}")
        """,
    )
    assert "HEY" in home.said("tasks", "test", "d", "t")
    found = home.listed()["old_shop"]
    assert (found["brings"], found["ignored"]) == ({"macros": ["shout"]}, ["flask_blueprints"])


@pytest.fixture
def folder(tmp_path):
    folder = DagsFolder(tmp_path)
    yield folder
    folder.close()


def test_a_plugin_that_a_template_names_is_part_of_the_version_and_its_change_makes_another(folder: DagsFolder) -> None:
    folder.write("d.py", SHOWING.replace("\n    ", "\n"))
    folder.scan()
    assert ".plugins/money.py" not in folder.catalog.files["d.py"].files
    (folder.plugins / "money.py").write_text(MONEY.replace("\n    ", "\n"))
    folder.scan()
    first = folder.catalog.files["d.py"]
    assert b"RATE" in first.files[".plugins/money.py"]
    (folder.plugins / "money.py").write_text(MONEY.replace("\n    ", "\n").replace("7", "8"))
    folder.scan()
    assert folder.catalog.files["d.py"].dags[0].code_fingerprint != first.dags[0].code_fingerprint
