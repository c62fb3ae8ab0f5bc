"""Every public name of Airflow 3: served, or a sentence that says what it is; none is forgotten."""

from collections.abc import Iterator
from pathlib import Path

from orchestrator.compat.airflow.catalog import TABLES, Missing, find, find_module
from orchestrator.compat.airflow.interior import INTERIOR

FACTS = Path(__file__).with_name("names_of_airflow.txt")
FORGOTTEN = "is no public"


def known() -> Iterator[tuple[str, list[str]]]:
    for line in FACTS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            module, _, names = line.partition(": ")
            yield module, names.split()


NAMES = dict(known())


def test_every_module_is_served_or_said_to_be_what_it_is() -> None:
    missing = {module: find_module(module) for module in NAMES}
    assert [module for module, found in missing.items() if found is not None and FORGOTTEN in found.sentence] == []
    assert {module for module, found in missing.items() if found is not None} == set(INTERIOR)
    assert [found.sentence for found in missing.values() if found is not None and "; " not in found.sentence] == []


def test_every_name_is_served_or_said_to_be_what_it_is() -> None:
    found = {(module, name): find(module, name) for module in NAMES.keys() & TABLES.keys() for name in NAMES[module]}
    forgotten = [place for place, one in found.items() if isinstance(one, Missing) and FORGOTTEN in one.sentence]
    assert forgotten == [], "say what they are in compat/airflow/tables"


def test_most_of_what_a_dag_file_imports_from_the_sdk_is_served() -> None:
    """Partitions, deadlines, task state and what starts runs by assets are features of their own."""
    lacking = {
        one.feature for one in (find("airflow.sdk", name) for name in NAMES["airflow.sdk"]) if isinstance(one, Missing)
    }
    assert lacking <= {
        "assets and datasets",
        "backends of XCom",
        "deadlines",
        "decisions of retry policies",
        "lineage",
        "partitioned assets",
        "results of DAGs",
        "the store of task state",
    }
