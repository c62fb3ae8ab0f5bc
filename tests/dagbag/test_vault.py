"""Variables and connections that a DAG file reads while it is parsed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.dagbag.asking import EnvironmentParseVault
from orchestrator.dagbag.contents import content_hash
from orchestrator.dagbag.dag_processor import DagProcessor
from tests.dagbag.folders import DagsFolder

READING = """
from orchestrator import DAG, Connection, Variable
from orchestrator.operators import EmptyOperator

with DAG("reading", tags=[Variable.get("town", default="none")]):
    EmptyOperator(task_id="only")
"""


class DictVault(EnvironmentParseVault):
    """A vault whose variables and connections are in dicts."""

    def __init__(self, **variables: str) -> None:
        super().__init__({})
        self.variables = variables
        self.connections: dict[str, str] = {}

    def variable(self, key: str) -> str | None:
        return self.variables.get(key)

    def connection(self, conn_id: str) -> str | None:
        return self.connections.get(conn_id)

    def variable_keys(self) -> list[str]:
        return list(self.variables)

    def connection_ids(self) -> list[str]:
        return list(self.connections)

    def stamp(self, name: str) -> str | None:
        found = self.variables.get(name.removeprefix("@variable:"))
        return None if found is None else content_hash(found.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DagsFolder]:
    folder = DagsFolder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def vault() -> DictVault:
    return DictVault(api_token="planted-token")


@pytest.fixture
def processor(folder: DagsFolder, vault: DictVault) -> DagProcessor:
    return folder.processor(vault=vault)


def test_a_change_of_what_was_read_parses_the_file_again_and_makes_other_code_of_it(
    folder: DagsFolder, vault: DictVault, processor: DagProcessor
) -> None:
    folder.write("reading.py", READING)
    assert processor.scan().parsed == 1
    before = folder.catalog.files["reading.py"]
    assert "@variable:town" in before.needs
    assert processor.scan().parsed == 0
    vault.variables["town"] = "Oslo"
    assert processor.scan().parsed == 1
    after = folder.catalog.files["reading.py"]
    assert [dag.spec.tags for dag in (*before.dags, *after.dags)] == [("none",), ("Oslo",)]
    assert before.dags[0].code_fingerprint != after.dags[0].code_fingerprint
    vault.variables["river"] = "Aker"
    assert processor.scan().parsed == 0


def test_what_is_missing_is_one_sentence_with_the_nearest_name(
    folder: DagsFolder, vault: DictVault, processor: DagProcessor
) -> None:
    folder.write("reading.py", "from orchestrator import DAG, Variable\nVariable.get('api_tokn')\n")
    processor.scan()
    failure = folder.catalog.files["reading.py"].failure
    assert failure is not None
    assert (failure.file, failure.line) == ("reading.py", 2)
    assert "there is no variable 'api_tokn'; did you mean 'api_token'?" in failure.message


def test_a_secret_that_a_file_fails_with_is_masked(
    folder: DagsFolder, vault: DictVault, processor: DagProcessor
) -> None:
    vault.connections["db"] = "postgres://me:planted-word@db"
    source = "from orchestrator import DAG, Connection, Variable\n"
    folder.write("reading.py", source + "raise ValueError(Variable.get('api_token') + Connection.get('db').password)\n")
    processor.scan()
    failure = folder.catalog.files["reading.py"].failure
    assert failure is not None
    assert "******" in failure.message


def test_nothing_can_be_set_while_a_file_is_parsed(
    folder: DagsFolder, vault: DictVault, processor: DagProcessor
) -> None:
    folder.write("reading.py", "from orchestrator import DAG, Variable\nVariable.set('town', 'Oslo')\n")
    processor.scan()
    failure = folder.catalog.files["reading.py"].failure
    assert failure is not None
    assert "set it in a task" in failure.message
    assert "town" not in vault.variables


def test_files_that_read_much_are_parsed_side_by_side(
    folder: DagsFolder, vault: DictVault, processor: DagProcessor
) -> None:
    vault.variables |= {f"v{number}": "x" * (number + 1) for number in range(50)}
    source = """
    from orchestrator import DAG, Variable

    with DAG("d{0}", tags=sorted({{Variable.get(f"v{{i}}") for i in range(50)}})):
        pass
    """
    for number in range(6):
        folder.write(f"d{number}.py", source.format(number))
    processor.scan()
    assert {len(one.needs) >= 51 for one in folder.catalog.files.values()} == {True}
    assert [one.failure for one in folder.catalog.files.values()] == [None] * 6
