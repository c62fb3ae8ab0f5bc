"""The dag processor with the real catalog behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from orchestrator.clock import SystemClock
from orchestrator.dagbag.dag_processor import DagProcessor
from orchestrator.dagbag.importing import load
from orchestrator.ports import DagEntry
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.database import create
from orchestrator.storage.tables import import_errors
from tests.dagbag.folders import DAG_FILE, DagsFolder


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create(f"sqlite:///{tmp_path}/orchestrator.db")
    yield made
    made.dispose()


@pytest.fixture
def catalog(engine: Engine, tmp_path: Path) -> SqlCatalog:
    return SqlCatalog(engine, tmp_path / "code", SystemClock())


@pytest.fixture
def processor(folder: DagsFolder, catalog: SqlCatalog) -> DagProcessor:
    return folder.processor(writer=catalog)


def entries(catalog: SqlCatalog) -> dict[str, DagEntry]:
    return {entry.dag_id: entry for entry in catalog.changes(0)[1]}


def errors(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row.file: row.failure for row in connection.execute(select(import_errors))}


def test_an_open_run_finds_the_code_that_it_started_with_after_a_redeploy(
    folder: DagsFolder, catalog: SqlCatalog, processor: DagProcessor
) -> None:
    source = (
        DAG_FILE.format(dag_id="d") + "from helper import VALUE\nfrom mine import PLUGIN\ndag.doc_md = VALUE + PLUGIN\n"
    )
    folder.write("team/d.py", source.replace("schedule=None)", "schedule=None) as dag"))
    folder.write("helper.py", "VALUE = 'old'")
    (folder.plugins / "mine.py").write_text("PLUGIN = ' plugin'", encoding="utf-8")
    processor.scan()
    old = entries(catalog)["d"]
    folder.write("helper.py", "VALUE = 'new'")
    processor.scan()
    new = entries(catalog)["d"]
    assert new.version_id != old.version_id
    loaded = [load(Path(catalog.code(entry.version_id)), entry.spec.file) for entry in (old, new)]
    assert [one.dags["d"].doc_md for one in loaded] == ["old plugin", "new plugin"]


def test_a_comment_makes_no_new_version(folder: DagsFolder, catalog: SqlCatalog, processor: DagProcessor) -> None:
    folder.write_dag("d.py")
    processor.scan()
    before = entries(catalog)["d"].version_id
    folder.write("d.py", "# about it\n" + DAG_FILE.format(dag_id="d"))
    assert processor.scan().parsed == 1
    assert entries(catalog)["d"].version_id == before


def test_a_restart_parses_nothing(folder: DagsFolder, catalog: SqlCatalog, processor: DagProcessor) -> None:
    folder.write_dag("d.py")
    folder.write("none.py", "from orchestrator import DAG\n")
    assert processor.scan().parsed == 2
    assert folder.processor(writer=catalog).scan().parsed == 0


def test_a_failed_parse_keeps_the_dag_and_shows_why(
    folder: DagsFolder, catalog: SqlCatalog, processor: DagProcessor, engine: Engine
) -> None:
    folder.write_dag("d.py")
    processor.scan()
    folder.write("d.py", "from orchestrator import DAG\nx = (\n")
    processor.scan()
    assert not entries(catalog)["d"].is_stale
    assert "never closed" in errors(engine)["d.py"]
    folder.write_dag("d.py")
    processor.scan()
    assert errors(engine) == {}


def test_a_file_that_is_gone_makes_its_dags_stale_until_it_is_back(
    folder: DagsFolder, catalog: SqlCatalog, processor: DagProcessor
) -> None:
    path = folder.write_dag("d.py")
    processor.scan()
    path.unlink()
    processor.scan()
    assert entries(catalog)["d"].is_stale
    folder.write_dag("d.py")
    processor.scan()
    assert not entries(catalog)["d"].is_stale


def test_a_file_that_moves_takes_its_dags_along(
    folder: DagsFolder, catalog: SqlCatalog, processor: DagProcessor, engine: Engine
) -> None:
    path = folder.write_dag("d.py", "d")
    processor.scan()
    (folder.dags / "team").mkdir()
    path.rename(folder.dags / "team" / "moved.py")
    processor.scan()
    found = entries(catalog)["d"]
    assert (found.spec.file, found.is_stale) == ("team/moved.py", False)
    assert errors(engine) == {}


def test_a_dag_id_stays_with_its_file_and_passes_on_when_that_is_gone(
    folder: DagsFolder, catalog: SqlCatalog, processor: DagProcessor, engine: Engine
) -> None:
    first = folder.write_dag("first.py", "d")
    processor.scan()
    folder.write_dag("second.py", "d")
    processor.scan()
    assert entries(catalog)["d"].spec.file == "first.py"
    assert "first.py" in errors(engine)["second.py"]
    first.unlink()
    processor.scan()
    found = entries(catalog)["d"]
    assert (found.spec.file, found.is_stale) == ("second.py", False)
    assert errors(engine) == {}
