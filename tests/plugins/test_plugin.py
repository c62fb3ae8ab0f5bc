"""What a plugin may offer, and how one that offers what nobody can use is refused."""

from types import ModuleType
from typing import Any

import pytest

from orchestrator import hookimpl
from orchestrator.exceptions import DagError
from orchestrator.plugins.airflow_plugin import AirflowPlugin, airflow_plugins, taken
from orchestrator.plugins.plugin import Plugin


def plugin(**functions: Any) -> Plugin:
    module = ModuleType("shop")
    for name, function in functions.items():
        setattr(module, name, hookimpl(_named(function, name)))
    return Plugin("shop", [module])


def _named(function: Any, name: str) -> Any:
    function.__name__ = name
    return function


def test_a_plugin_offers_what_its_hooks_give() -> None:
    shop = plugin(macros=lambda: {"euro": str}, filters=lambda: {"loud": str.upper})
    assert shop.hooks == {"macros", "filters"}
    assert shop.mapping("macros") == {"euro": str}
    assert not shop.is_listening


def test_a_function_without_the_mark_is_no_hook() -> None:
    module = ModuleType("shop")
    module.macros = dict  # type: ignore[attr-defined]
    assert Plugin("shop", [module]).hooks == frozenset()


def test_a_hook_that_there_is_not_is_refused_with_the_nearest_name_and_its_place() -> None:
    with pytest.raises(DagError, match=r"test_plugin\.py:\d+: .*has the hook macro\(\).*did you mean 'macros'"):
        plugin(macro=lambda: None)


def test_a_hook_that_takes_what_it_is_not_given_is_refused() -> None:
    with pytest.raises(DagError, match=r"on_fact\(\) of the plugin 'shop' takes 'thing'; it is given \(run, fact\)"):
        plugin(on_fact=lambda run, thing: None)


@pytest.mark.parametrize(
    ("hook", "given", "words"),
    [
        ("macros", [str], "macros\\(\\) of the plugin 'shop' gives a list; return a dict by name"),
        ("filters", {1: str}, "return a dict by name"),
    ],
)
def test_what_nobody_can_use_is_refused(hook: str, given: Any, words: str) -> None:
    with pytest.raises(DagError, match=words):
        plugin(**{hook: lambda: given}).mapping(hook)


def test_a_backend_that_is_a_class_and_a_command_without_a_name_are_refused() -> None:
    with pytest.raises(DagError, match="which is no object with get_variable"):
        plugin(secrets_backends=lambda: [dict]).backends()
    with pytest.raises(DagError, match="return a list of command of click whose name is one word"):
        plugin(commands=lambda: None).commands()


def test_a_listener_takes_only_the_arguments_that_it_wants() -> None:
    heard: list[Any] = []
    listener = plugin(on_dag_run_success=lambda dag_run: heard.append(dag_run))
    assert listener.is_listening
    listener.tell("on_dag_run_success", dag_run="one", msg="")
    assert heard == ["one"]


class Bank(AirflowPlugin):
    name = "bank"
    macros = [len]
    appbuilder_views = ["a page"]
    flask_blueprints: list[object] = []


def test_of_an_airflow_plugin_is_taken_what_there_is_here_and_said_what_is_not() -> None:
    module = ModuleType(__name__)
    module.__dict__.update(Bank=Bank, AirflowPlugin=AirflowPlugin)
    [found] = airflow_plugins(module)
    bank = taken(found)
    assert (bank.name, bank.mapping("macros"), bank.ignored) == ("bank", {"len": len}, ("appbuilder_views",))


def test_an_airflow_plugin_without_a_name_is_refused() -> None:
    with pytest.raises(DagError, match="AirflowPlugin Nameless has no name"):
        taken(type("Nameless", (AirflowPlugin,), {}))
