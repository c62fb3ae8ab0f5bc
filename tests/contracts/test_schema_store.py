"""The schema: laid out, migrated, checked; the two ways to it lead to the same place."""

import concurrent.futures
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Inspector, inspect, select, text

from orchestrator.exceptions import ConfigError, SchemaVersionError
from orchestrator.storage import migrate as migration
from orchestrator.storage.database import check, connect, create, reading, writing
from orchestrator.storage.migrate import migrate
from orchestrator.storage.schema import REVISION, REVISIONS, VERSION_TABLE, SchemaState
from orchestrator.storage.tables import counters, leases, metadata, pools
from tests.postgres_server import PostgresServer


@pytest.fixture
def opened(empty_url: str) -> Iterator[list[Engine]]:
    """Engines that are closed at the end."""
    engines: list[Engine] = []
    yield engines
    for engine in engines:
        engine.dispose()


def described(engine: Engine) -> dict[str, Any]:
    """Everything that a database says of its tables, and the rows that they begin with."""
    inspector = inspect(engine)
    with reading(engine) as connection:
        rows = {table.name: sorted(map(tuple, connection.execute(select(table)))) for table in (counters, pools)}
        rows["leases"] = [row.name for row in connection.execute(select(leases))]
    return {"rows": rows} | {name: described_table(inspector, name) for name in inspector.get_table_names()}


def described_table(inspector: Inspector, name: str) -> list[str]:
    return sorted(
        [
            *(f"{c['name']} {c['type']} {c['nullable']} {c.get('default')}" for c in inspector.get_columns(name)),
            *(f"unique {u['name']} {u['column_names']}" for u in inspector.get_unique_constraints(name)),
            *(f"index {i['name']} {i['column_names']} {i['unique']} {where(i)}" for i in inspector.get_indexes(name)),
            str(inspector.get_pk_constraint(name)),
            str(inspector.get_table_options(name)),
        ]
    )


def where(index: Any) -> list[str]:
    """The condition of a partial index."""
    return [str(value) for value in index.get("dialect_options", {}).values()]


def test_a_migrated_schema_is_the_one_that_is_laid_out(
    empty_url: str, opened: list[Engine], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other_url = f"sqlite:///{tmp_path_factory.mktemp('laid')}/out.db"
    if empty_url.startswith("postgresql"):
        server: PostgresServer = request.getfixturevalue("postgres")
        other_url = server.database()
    assert migrate(empty_url) is None
    opened += [connect(empty_url), create(other_url)]
    migrated, laid_out = (described(engine) for engine in opened)
    assert migrated == laid_out
    assert set(migrated) - {"rows"} == {*metadata.tables, VERSION_TABLE}


def test_a_migration_that_is_done_already_does_nothing(empty_url: str) -> None:
    migrate(empty_url)
    assert migrate(empty_url) == REVISION
    assert check(empty_url) is SchemaState.CURRENT


def test_an_empty_database_says_so_and_names_what_to_do(empty_url: str) -> None:
    assert check(empty_url) is SchemaState.EMPTY
    with pytest.raises(SchemaVersionError, match="orchestrator db migrate"):
        connect(empty_url)


def test_two_processes_may_lay_out_a_database_at_once(empty_url: str, opened: list[Engine]) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        opened += pool.map(create, [empty_url] * 4)
    assert check(empty_url, thorough=True) is SchemaState.CURRENT
    with reading(opened[0]) as connection:
        assert len(connection.execute(select(pools)).all()) == 1


def test_who_opens_a_new_file_while_another_writes_to_it_waits(tmp_path: Path, opened: list[Engine]) -> None:
    """SQLite itself refuses at once to turn the journal of a file in use into a log, whatever patience it was given."""
    path = tmp_path / "new.db"
    first = sqlite3.connect(path, isolation_level=None)
    first.execute("BEGIN IMMEDIATE")
    first.execute("CREATE TABLE early (x)")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        second = pool.submit(create, f"sqlite:///{path}")
        concurrent.futures.wait([second], timeout=0.3)
        assert not second.done()
        first.execute("COMMIT")
        opened.append(second.result(timeout=10))
    first.close()
    assert check(f"sqlite:///{path}") is SchemaState.CURRENT


def test_a_newer_schema_is_refused_with_both_revisions_named(empty_url: str, opened: list[Engine]) -> None:
    opened.append(create(empty_url))
    with writing(opened[0]) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9000'"))
    assert check(empty_url) is SchemaState.AHEAD
    for use in (connect, migrate, create):
        with pytest.raises(SchemaVersionError, match=rf"9000.*newer.*{REVISION}.*upgrade the program"):
            use(empty_url)


def test_the_program_knows_every_migration_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(migration.SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == REVISIONS


@pytest.mark.parametrize("bad", ["mysql://u@h/db", "nonsense", "oracle://x"])
def test_a_database_of_another_kind_is_refused(bad: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///"):
        connect(bad)
