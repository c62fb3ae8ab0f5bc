"""The tables: every entry leads somewhere, and what this program has is served."""

import importlib
import importlib.util
import re
from collections.abc import Iterator

import pytest

import orchestrator
from orchestrator.compat.airflow import features
from orchestrator.compat.airflow.catalog import TABLES, Missing, Served, find, find_module
from orchestrator.compat.airflow.differences import DIFFERENCES
from orchestrator.compat.airflow.entries import Absent
from orchestrator.compat.airflow.gone import GONE
from orchestrator.compat.airflow.tables.sdk import SDK
from orchestrator.compat.airflow.tables.standard import STANDARD

STANDARD_PROVIDER = re.compile(r"airflow\.providers\.standard\.((?:operators|sensors)\.\w+)")


def entries() -> Iterator[tuple[str, str]]:
    return ((module, name) for module, names in TABLES.items() for name in names)


@pytest.mark.parametrize("module", sorted(TABLES))
def test_every_name_of_a_table_is_there_or_says_in_one_sentence_why_not(module: str) -> None:
    for name in TABLES[module]:
        found = find(module, name)
        if isinstance(found, Missing):
            assert found.sentence.startswith(f"{module}.{name} is not supported here: "), found.sentence
            assert "\n" not in found.sentence
            assert "; " in found.sentence
        else:
            target, _, attribute = found.target.partition(":")
            if not target.startswith("airflow"):
                assert hasattr(importlib.import_module(target), attribute or "__name__"), found.target


def test_every_module_lies_in_one_that_is_served() -> None:
    parents = {module.rpartition(".")[0] for module in TABLES} - {""}
    assert parents - TABLES.keys() == set()


def test_what_this_package_offers_by_airflows_name_is_served() -> None:
    behind = [
        name
        for name in SDK["airflow.sdk"]
        if name in orchestrator.__all__ and isinstance(find("airflow.sdk", name), Missing)
    ]
    assert behind == [], "these names exist now: point to them in compat/airflow/tables/sdk.py"


def test_operators_and_sensors_that_this_package_has_are_served() -> None:
    behind = []
    for module, names in STANDARD.items():
        match = STANDARD_PROVIDER.fullmatch(module)
        ours = f"orchestrator.{match[1]}" if match else ""
        if not ours or not _exists(ours):
            continue
        there = importlib.import_module(ours)
        behind += [f"{module}.{name}" for name in names if hasattr(there, name) and not _is_served(module, name)]
    assert behind == [], "these names exist now: point to them in compat/airflow/tables/standard.py"


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _is_served(module: str, name: str) -> bool:
    return isinstance(find(module, name), Served)


def test_every_feature_that_is_missing_has_names_that_belong_to_it() -> None:
    used = {entry for names in TABLES.values() for entry in names.values() if isinstance(entry, Absent)}
    idle = [name for name, one in vars(features).items() if isinstance(one, Absent) and one not in used]
    assert idle == [], "nothing belongs to these any more: take them out of compat/airflow/features.py"


def test_a_path_of_airflow_2_leads_to_the_same_thing_as_that_of_airflow_3() -> None:
    for old, new in (
        ("airflow.models:DAG", "airflow.sdk:DAG"),
        ("airflow.models.baseoperator:chain", "airflow.sdk:chain"),
        ("airflow.operators.python:PythonOperator", "airflow.providers.standard.operators.python:PythonOperator"),
        ("airflow.utils.trigger_rule:TriggerRule", "airflow.sdk:TriggerRule"),
        ("airflow.exceptions:AirflowSkipException", "airflow.sdk.exceptions:AirflowSkipException"),
    ):
        first, second = find(*old.split(":")), find(*new.split(":"))
        assert isinstance(first, Served)
        assert first == second


def test_every_difference_is_of_a_name_that_is_served() -> None:
    met = {found.difference for found in (find(*entry) for entry in entries()) if isinstance(found, Served)}
    assert set(DIFFERENCES.values()) - met == set()


def test_what_airflow_3_has_no_more_is_in_no_table() -> None:
    assert [name for name in GONE if name in TABLES or tuple(name.split(":")) in set(entries())] == []


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (
            "airflow.providers.amazon.aws.operators.s3",
            "of Airflow's providers standard, apprise's notifier, http, smtp, common.sql and common.io are",
        ),
        ("airflow.jobs.job", "is of Airflow's own program"),
        ("airflow.operators.dummy", "use airflow.providers.standard.operators.empty.EmptyOperator"),
        ("airflow.contrib.operators.ssh_operator", "not in Airflow 3 any more either"),
        ("airflow.modls", "did you mean 'airflow.models'?"),
    ],
)
def test_a_module_that_is_not_served_says_what_it_is(module: str, says: str) -> None:
    missing = find_module(module)
    assert missing is not None
    assert says in missing.sentence


def test_what_a_module_belongs_to_is_named_as_people_name_it() -> None:
    for module, feature in (
        ("airflow.providers.cncf.kubernetes.operators.pod", "the provider cncf.kubernetes"),
        ("airflow.providers.ssh.operators.ssh", "the provider ssh"),
    ):
        missing = find_module(module)
        assert missing is not None
        assert missing.feature == feature


@pytest.mark.parametrize(
    ("module", "name", "says"),
    [
        ("airflow.sdk", "BaseOperatr", "no public name of Airflow 3; did you mean 'BaseOperator'?"),
        ("airflow.utils.dates", "days_ago", "use a fixed date"),
        ("airflow.utils.helpers", "chain", "use airflow.sdk.chain"),
        ("airflow.models", "DagBag", "metadata database"),
    ],
)
def test_a_name_that_is_not_served_says_what_to_use(module: str, name: str, says: str) -> None:
    found = find(module, name)
    assert isinstance(found, Missing)
    assert says in found.sentence
