"""The catalog: DAGs, their versions and their code, as parses are recorded."""

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, insert, update

from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.exceptions import NotFoundError, StorageCorruptError, StorageUnavailableError
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.database import writing
from orchestrator.storage.reads import Reads
from orchestrator.storage.tables import blobs, snapshots
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import failed, parsed
from tests.contracts.stories import NOW, SPEC

OTHER = DagSpec(dag_id="other", file="other.py", tags=("x",), tasks=(TaskSpec(task_id="t"),))


@pytest.fixture
def catalog(engine: Engine, tmp_path: Path, clock: StoppedClock) -> SqlCatalog:
    return SqlCatalog(engine, tmp_path / "versions", clock)


def names(catalog: SqlCatalog, since: int = 0) -> list[str]:
    return [entry.dag_id for entry in catalog.changes(since)[1]]


def test_a_recorded_dag_is_offered_to_the_scheduler_with_its_spec(catalog: SqlCatalog) -> None:
    catalog.record([parsed(SPEC)])
    cursor, entries = catalog.changes(0)
    assert cursor > 0
    assert [(entry.dag_id, entry.spec, entry.is_paused, entry.is_stale) for entry in entries] == [
        ("etl", SPEC, False, False)
    ]
    assert entries[0].unpaused_at == NOW
    assert catalog.spec(entries[0].version_id) == SPEC


def test_only_what_changed_since_is_offered_again(catalog: SqlCatalog) -> None:
    catalog.record([parsed(SPEC), parsed(OTHER)])
    cursor = catalog.changes(0)[0]
    assert catalog.changes(cursor) == (cursor, [])
    catalog.record([parsed(SPEC), parsed(OTHER, code=b"changed = 1\n")])
    assert names(catalog, cursor) == ["other"]
    assert names(catalog) == ["etl", "other"]


def test_an_identical_parse_makes_no_version(catalog: SqlCatalog, reads: Reads) -> None:
    for _ in range(3):
        catalog.record([parsed(SPEC)])
    moved_down = msgspec.structs.replace(SPEC, line=40)
    catalog.record([parsed(moved_down)])
    assert [version.number for version in reads.versions("etl")] == [1]


def test_one_wrong_dag_keeps_neither_its_neighbours_back_nor_its_own_last_version(
    catalog: SqlCatalog, reads: Reads
) -> None:
    neighbour = msgspec.structs.replace(OTHER, file=SPEC.file)
    catalog.record([parsed(SPEC)])
    good = parsed(neighbour, file=SPEC.file)
    catalog.record([msgspec.structs.replace(good, failure=failed(SPEC.file).failure)])
    assert not reads.dag(neighbour.dag_id).is_stale
    assert not reads.dag("etl").is_stale
    assert [error.file for error in reads.import_errors()] == [SPEC.file]


def test_versions_are_numbered_within_their_dag_and_old_ones_come_back(catalog: SqlCatalog, reads: Reads) -> None:
    changed = msgspec.structs.replace(SPEC, description="new")
    catalog.record([parsed(OTHER)])
    catalog.record([parsed(SPEC)])
    catalog.record([parsed(SPEC, code=b"x = 2\n")])
    catalog.record([parsed(changed)])
    assert [version.number for version in reads.versions("etl")] == [3, 2, 1]
    catalog.record([parsed(SPEC)])
    assert [version.number for version in reads.versions("etl")] == [3, 2, 1]
    assert reads.dag("etl").version_number == 1


def test_a_failed_parse_replaces_no_dag(catalog: SqlCatalog, reads: Reads) -> None:
    catalog.record([parsed(SPEC)])
    catalog.record([failed("etl.py")])
    assert not reads.dag("etl").is_stale
    error = reads.import_errors()[0]
    assert (error.file, error.failure.message, error.failure.line, error.at) == ("etl.py", "invalid syntax", 3, NOW)
    assert [(row.file, row.has_failed, row.duration) for row in reads.files()] == [("etl.py", True, 0.5)]
    catalog.record([parsed(SPEC)])
    assert reads.import_errors() == []


def test_a_dag_that_its_file_no_longer_defines_turns_stale_and_may_come_back(catalog: SqlCatalog) -> None:
    both = msgspec.structs.replace(OTHER, file="etl.py")
    catalog.record([parsed(SPEC, both)])
    cursor = catalog.changes(0)[0]
    catalog.record([parsed(SPEC)])
    assert [(entry.dag_id, entry.is_stale) for entry in catalog.changes(cursor)[1]] == [("other", True)]
    catalog.record([parsed(SPEC, both)])
    assert [entry.is_stale for entry in catalog.changes(0)[1]] == [False, False]


def test_a_removed_file_makes_its_dags_stale_and_keeps_their_versions(catalog: SqlCatalog, reads: Reads) -> None:
    catalog.record([parsed(SPEC), failed("broken.py"), parsed(OTHER)])
    catalog.remove(["etl.py", "broken.py", "never_there.py"])
    assert {row.dag_id: row.is_stale for row in reads.dags()} == {"etl": True, "other": False}
    assert reads.import_errors() == []
    assert list(catalog.known()) == ["other.py"]
    assert len(reads.versions("etl")) == 1


def test_the_first_file_keeps_a_dag_id_and_the_second_hears_of_both(catalog: SqlCatalog, reads: Reads) -> None:
    catalog.record([parsed(SPEC)])
    catalog.record([parsed(SPEC, file="copy.py", code=b"copy = 1\n")])
    assert reads.dag("etl").header.file == "etl.py"
    assert len(reads.versions("etl")) == 1
    message = reads.import_errors()[0].failure.message
    assert reads.import_errors()[0].file == "copy.py"
    assert "etl.py" in message
    assert "copy.py" in message
    assert catalog.known()["copy.py"].dag_ids == ()
    assert catalog.known()["etl.py"].dag_ids == ("etl",)


def test_a_dag_id_that_is_free_again_is_had_by_the_other_file_at_its_next_parse(
    catalog: SqlCatalog, reads: Reads
) -> None:
    copy = parsed(SPEC, file="copy.py", code=b"copy = 1\n")
    catalog.record([parsed(SPEC), copy])
    assert catalog.known()["copy.py"].digest == copy.digest
    catalog.remove(["etl.py"])
    assert catalog.known()["copy.py"].digest == ""
    catalog.record([copy])
    assert not reads.dag("etl").is_stale
    assert reads.import_errors() == []
    assert catalog.known()["copy.py"].dag_ids == ("etl",)


def test_a_dag_id_given_twice_in_one_file_is_that_files_error(catalog: SqlCatalog, reads: Reads) -> None:
    catalog.record([parsed(SPEC, msgspec.structs.replace(SPEC, description="again"))])
    assert "twice" in reads.import_errors()[0].failure.message
    assert len(reads.versions("etl")) == 1


def test_a_new_dag_is_paused_where_it_or_the_settings_say_so(
    engine: Engine, tmp_path: Path, clock: StoppedClock, reads: Reads
) -> None:
    careful = SqlCatalog(engine, tmp_path, clock, paused_at_creation=True)
    eager = msgspec.structs.replace(OTHER, is_paused_upon_creation=False)
    careful.record([parsed(SPEC), parsed(eager)])
    assert {row.dag_id: row.is_paused for row in reads.dags()} == {"etl": True, "other": False}


def test_what_is_known_of_a_file_says_what_it_needs(catalog: SqlCatalog) -> None:
    told = msgspec.structs.replace(parsed(SPEC), needs=("etl.py", "lib/", "absent.py"))
    catalog.record([told])
    known = catalog.known()["etl.py"]
    assert (known.digest, known.needs, known.dag_ids) == (told.digest, ("etl.py", "lib/", "absent.py"), ("etl",))


def test_awkward_names_and_messages_are_recorded(catalog: SqlCatalog, reads: Reads) -> None:
    catalog.record([failed("böse 💥.py", "it said \x00 and \udcff")])
    assert "it said" in reads.import_errors()[0].failure.message


# ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_code_of_a_version_is_laid_out_as_it_was_parsed(catalog: SqlCatalog, reads: Reads) -> None:
    files = {
        "etl.py": b"import lib.rows\n",
        "lib/rows.py": b"n = 1\n",
        ".plugins/p.py": b"",
        "data/x.bin": bytes(range(256)),
    }
    catalog.record([msgspec.structs.replace(parsed(SPEC), files=files)])
    version_id = reads.dag("etl").version_id
    folder = Path(catalog.code(version_id))
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files
    assert reads.source(version_id) == files
    assert catalog.code(version_id) == str(folder)


def test_versions_of_the_same_code_share_a_folder_and_files_of_the_same_content_a_place(
    catalog: SqlCatalog, reads: Reads
) -> None:
    catalog.record([parsed(SPEC)])
    catalog.record([parsed(msgspec.structs.replace(SPEC, description="new"))])
    newer, older = (version.version_id for version in reads.versions("etl"))
    assert catalog.code(newer) == catalog.code(older)


def test_the_code_outlives_the_folder_it_was_laid_out_in(
    catalog: SqlCatalog, engine: Engine, tmp_path: Path, clock: StoppedClock, reads: Reads
) -> None:
    catalog.record([parsed(SPEC)])
    elsewhere = SqlCatalog(engine, tmp_path / "another", clock)
    assert Path(elsewhere.code(reads.dag("etl").version_id), "etl.py").read_bytes() == b"print('blue')\n"


def test_nothing_half_laid_out_is_ever_seen(catalog: SqlCatalog, reads: Reads, tmp_path: Path) -> None:
    catalog.record([parsed(SPEC)])
    folder = Path(catalog.code(reads.dag("etl").version_id))
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("path", ["../evil.py", "/etc/evil.py", "a/../../evil.py", ""])
def test_a_recorded_path_cannot_lead_out_of_its_snapshot(
    catalog: SqlCatalog, engine: Engine, reads: Reads, tmp_path: Path, path: str
) -> None:
    code = parsed(SPEC, code=b"x = 1\n")
    catalog.record([code])
    with writing(engine) as connection:
        connection.execute(insert(blobs).values(sha256="e" * 64, content=b"evil"))
        connection.execute(insert(snapshots).values(code_fingerprint=code.digest, path=path, sha256="e" * 64))
    with pytest.raises(StorageCorruptError, match="outside"):
        catalog.code(reads.dag("etl").version_id)
    assert list(tmp_path.rglob("evil.py")) == []


def test_a_fingerprint_cannot_lead_out_of_the_folder_of_versions(
    catalog: SqlCatalog, engine: Engine, reads: Reads
) -> None:
    catalog.record([parsed(SPEC)])
    with writing(engine) as connection:
        connection.execute(update(snapshots).values(code_fingerprint="../../evil"))
        connection.exec_driver_sql("UPDATE dag_versions SET code_fingerprint = '../../evil'")
    with pytest.raises(StorageCorruptError, match="fingerprint"):
        catalog.code(reads.dag("etl").version_id)


def test_a_place_where_code_cannot_be_put_is_named(
    engine: Engine, tmp_path: Path, clock: StoppedClock, reads: Reads
) -> None:
    (tmp_path / "versions").write_text("a file, not a folder")
    catalog = SqlCatalog(engine, tmp_path / "versions", clock)
    catalog.record([parsed(SPEC)])
    with pytest.raises(StorageUnavailableError, match=str(tmp_path)):
        catalog.code(reads.dag("etl").version_id)


def test_an_unknown_version_is_not_found(catalog: SqlCatalog) -> None:
    with pytest.raises(NotFoundError, match="77"):
        catalog.code(77)
    with pytest.raises(NotFoundError, match="77"):
        catalog.spec(77)
