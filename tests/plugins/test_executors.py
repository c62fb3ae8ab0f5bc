"""An executor that a plugin brings."""

import pytest

from orchestrator.exceptions import DagError
from orchestrator.testing.home import LiveHome
from tests.plugins.homes import PluggedHome
from tests.plugins.test_plugin import plugin

BATCH = """
    from orchestrator import hookimpl
    from orchestrator.executors.command import CommandExecutor


    class BatchExecutor(CommandExecutor):
        def command(self, order):
            return ["nice", *super().command(order)]


    @hookimpl
    def executors():
        return {"BatchExecutor": BatchExecutor}
"""

SHOP = """
    import os

    from orchestrator import DAG, task

    with DAG("shop", schedule=None):

        @task
        def niceness():
            return os.nice(0)

        niceness()
"""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["BatchExecutor"], "return a dict by name"),
        ({"Batch": dict}, "gives <class 'dict'> as 'Batch', which is no class of an executor"),
    ],
)
def test_what_is_no_executor_makes_no_plugin(given: object, words: str) -> None:
    with pytest.raises(DagError, match=words):
        plugin(executors=lambda: given).executors()


def test_an_executor_is_listed_with_its_plugin_and_a_name_that_is_not_there_is_refused(home: PluggedHome) -> None:
    home.plugin("batch.py", BATCH)
    assert home.listed()["batch"]["brings"] == {"executors": ["BatchExecutor"]}
    home.said("db", "migrate")
    done = home.run("scheduler", ORCHESTRATOR__CORE__EXECUTOR="BatchExecuter")
    assert done.returncode == 1
    assert "[core] executor is 'BatchExecuter', and there is none of that name" in done.stderr
    assert "did you mean 'BatchExecutor'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("named", ["BatchExecutor", "batch.BatchExecutor"])
def test_activities_run_in_the_executor_of_a_plugin(home: PluggedHome, named: str) -> None:
    home.plugin("batch.py", BATCH)
    home.dag("shop.py", SHOP)
    with LiveHome(home.folder, settings={"core.executor": named}) as live:
        live.start()
        live.wait_for("the DAG is there", lambda: home.run("dags", "show", "shop").returncode == 0)
        home.said("dags", "trigger", "shop", "--run-id", "first", "--wait")
        assert int(home.said("tasks", "result", "shop", "niceness", "first")) >= 10
