"""Which plugins a home has, what they bring, and what becomes of those that do not work."""

import json
import os

import pytest

from orchestrator.assembly.plugins import roll
from orchestrator.config import load_config
from orchestrator.dagbag.roll_call import cards_of
from orchestrator.dagbag.roots import Roots
from orchestrator.plugins.candidates import Candidate, candidates
from tests.plugins.homes import PluggedHome

SHOP = """
    import click

    from orchestrator import BaseOperator, hookimpl


    class Shout(BaseOperator):
        def execute(self, context):
            return "HEY"


    @hookimpl
    def macros():
        return {"euro": lambda cents: f"{cents / 100:.2f} EUR"}


    @hookimpl
    def filters():
        return {"loud": str.upper}


    @click.group("shop")
    def shop():
        "Look at the shop."


    @shop.command("greet")
    def greet():
        "Say hello."
        import goods

        click.echo(goods.GREETING)


    @hookimpl
    def commands():
        return [shop]
"""


def test_broken_plugins_are_told_of_with_their_place_and_stop_nothing_else(home: PluggedHome) -> None:
    home.plugin("shop.py", SHOP)
    home.plugin("syntax.py", "x = (\n")
    home.plugin("raises.py", "\n\nraise RuntimeError('no luck')\n")
    home.plugin("exits.py", "import os\nos._exit(3)\n")
    home.plugin("leaves.py", "import sys\nsys.exit(0)\n")
    home.plugin("wrong.py", "from orchestrator import hookimpl\n\n@hookimpl\ndef macro(): ...\n")
    home.plugin("not-a-name.py", "")
    home.plugin("json.py", "")
    home.plugin("given.py", "from orchestrator import hookimpl\n@hookimpl\ndef commands():\n    return 1 / 0\n")
    home.plugin("odd.py", "from orchestrator import hookimpl\n\n@hookimpl\ndef macros(): return []\n")
    found = home.listed()
    assert found["shop"]["error"] is None
    assert found["shop"]["brings"] == {
        "macros": ["euro"],
        "filters": ["loud"],
        "operators": ["Shout"],
        "commands": ["shop"],
    }
    assert found["syntax"]["error"] == "syntax.py:1: this is not valid Python: '(' was never closed"
    assert found["raises"]["error"] == "raises.py:3: RuntimeError: no luck"
    assert found["exits"]["error"].endswith("it ended the process that loaded it, with exit status 3")
    assert found["wrong"]["error"].startswith("wrong.py:3: the plugin 'wrong' has the hook macro()")
    assert "rename it" in found["not-a-name"]["error"]
    assert found["given"]["error"].startswith("given.py:4: ZeroDivisionError")
    assert (
        found["odd"]["error"] == "odd.py:3: the hook macros() of the plugin 'odd' gives a list; return a dict by name"
    )
    assert "rename the file" in found["json"]["error"]
    assert found["leaves"]["error"] is not None


def test_a_plugin_that_hangs_as_it_is_loaded_is_ended(home: PluggedHome) -> None:
    home.plugin("slow.py", "import threading\nthreading.Event().wait()\n")
    home.plugin("quick.py", "")
    config = load_config({"ORCHESTRATOR_HOME": str(home.folder)}, home.folder)
    cards = {card.name: card for card in roll(config, patience=0.5).cards}
    assert "took longer than 0.5 s" in str(cards["slow"].trouble)
    assert cards["quick"].trouble is None


def test_plugins_are_loaded_again_only_when_something_has_changed(home: PluggedHome) -> None:
    home.plugin(
        "shop.py", "from pathlib import Path\nwith open(Path(__file__).parent / 'log', 'a') as f: f.write('.')\n"
    )
    home.listed()
    home.listed()
    assert (home.plugins / "log").read_text() == "."
    home.plugin("other.py", "")
    assert set(home.listed()) == {"other", "shop"}
    assert (home.plugins / "log").read_text() == ".."


def test_a_package_can_bring_a_plugin_by_an_entry_point(home: PluggedHome) -> None:
    site = home.folder / "site-packages"
    (site / "bank-1.0.dist-info").mkdir(parents=True)
    (site / "bank-1.0.dist-info" / "entry_points.txt").write_text("[orchestrator.plugins]\nbank = bank_plugin\n")
    (site / "bank-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: bank\nVersion: 1.0\n")
    (site / "bank_plugin.py").write_text(
        "from orchestrator import hookimpl\n@hookimpl\ndef macros(): return {'rate': 7}\n"
    )
    home.dag(
        "d.py",
        """
        from orchestrator import DAG
        from orchestrator.operators import BashOperator

        with DAG("d"):
            BashOperator(task_id="t", bash_command="echo {{ macros.bank.rate }}")
        """,
    )
    path = f"{site}:{os.environ.get('PYTHONPATH', '')}"
    found = home.listed(PYTHONPATH=path)["bank"]
    assert (found["source"], found["brings"]) == ("bank_plugin", {"macros": ["rate"]})
    assert "7\n" in home.said("tasks", "test", "d", "t", PYTHONPATH=path)


def test_of_two_plugins_of_one_name_the_second_is_told_of(home: PluggedHome) -> None:
    home.plugin("shop.py", "")
    home.plugin("shop/__init__.py", "")
    first, second = candidates(home.plugins)
    assert (first.problem, "already" in second.problem) == ("", True)


def test_a_command_of_a_plugin_is_in_the_help_is_completed_and_runs(home: PluggedHome) -> None:
    home.plugin("shop.py", SHOP)
    assert "Commands of plugins:\n  shop  Look at the shop.\n" in home.said("--help")
    failed = home.run("shop", "greet")
    assert failed.stderr.startswith("Error: shop.py:30: the plugin 'shop' failed: there is no module 'goods'")
    home.plugin("goods.py", "GREETING = 'hello from goods'\n")
    assert home.said("shop", "greet") == "hello from goods\n"
    completion = {"_ORCHESTRATOR_COMPLETE": "bash_complete", "COMP_WORDS": "orchestrator sho", "COMP_CWORD": "1"}
    assert home.run(**completion).stdout == "plain,shop\n"
    wrong = home.run("shop2")
    assert (wrong.returncode, "did you mean 'shop'" in wrong.stderr) == (2, True)


def test_a_plugin_cannot_take_the_place_of_a_command_that_there_is(home: PluggedHome) -> None:
    home.plugin("shop.py", SHOP.replace('click.group("shop")', 'click.group("version")'))
    assert home.said("version").strip()[0].isdigit()
    assert "'version'" in home.listed()["shop"]["error"]


def test_what_a_plugin_prints_as_it_is_loaded_spoils_no_answer(home: PluggedHome) -> None:
    home.plugin("shop.py", "print('noise')\n" + "import os; os.write(1, b'more noise')\n")
    assert home.listed()["shop"]["error"] is None


@pytest.mark.parametrize("source", ["", "def f(): ...\n"])
def test_a_module_without_hooks_is_a_plugin_that_dag_files_import_from(home: PluggedHome, source: str) -> None:
    home.plugin("goods.py", source)
    [card] = cards_of(Candidate(name="goods", source="goods.py"), Roots(home.dags, home.plugins))
    assert (card.trouble, card.brings) == (None, {})


def test_a_home_without_plugins_says_so(home: PluggedHome) -> None:
    assert json.loads(home.said("plugins", "list", "-o", "json")) == []
    assert "There are no plugins." in home.run("plugins", "list").stderr
