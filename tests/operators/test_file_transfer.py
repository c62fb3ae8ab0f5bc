"""Files that are copied between file systems: as a whole or not at all."""

import json
import resource

import fsspec
import pytest

from orchestrator import DAG
from orchestrator.exceptions import AirflowException, ConfigError, NotFoundError, UsageError
from orchestrator.hooks.files import file_place
from orchestrator.operators.file_transfer import FileTransferOperator


@pytest.fixture(autouse=True)
def memory():
    """The file system in memory, empty."""
    made = fsspec.filesystem("memory")
    made.store.clear()
    made.pseudo_dirs[:] = [""]
    yield made
    made.store.clear()


def copying(src, dst, **settings) -> DAG:
    with DAG("d") as dag:
        FileTransferOperator(task_id="t", src=str(src), dst=str(dst), **settings)
    return dag


def test_a_file_is_copied_between_any_two_file_systems(run, tmp_path, memory):
    (tmp_path / "a.bin").write_bytes(b"0123456789" * 300_000)
    run(copying(tmp_path / "a.bin", "memory://box/b.bin"), "t")
    run(copying("memory://box/b.bin", "memory://box/c.bin"), "t")
    run(copying("memory://box/c.bin", f"file://{tmp_path}/new/folder/d.bin"), "t")
    assert (tmp_path / "new/folder/d.bin").read_bytes() == b"0123456789" * 300_000
    assert [path.name for path in (tmp_path / "new/folder").iterdir()] == ["d.bin"]


def test_places_are_templates(run, tmp_path):
    (tmp_path / "2026-01-31.csv").write_text("x")
    run(copying(f"{tmp_path}/{{{{ ds }}}}.csv", f"{tmp_path}/out-{{{{ ds }}}}.csv"), "t")
    assert (tmp_path / "out-2026-01-31.csv").read_text() == "x"


def test_a_file_goes_into_a_folder_and_a_folder_and_a_glob_with_all_that_is_in_them(run, tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    for name in ("a.csv", "b.csv", "c.txt", "deep/d.csv"):
        (tmp_path / "in" / name).write_text(name)
    (tmp_path / "one").mkdir()
    run(copying(tmp_path / "in/a.csv", tmp_path / "one"), "t")
    run(copying(tmp_path / "in", "memory://all"), "t")
    run(copying(tmp_path / "in/*.csv", tmp_path / "some"), "t")
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["a.csv"]
    assert sorted(path.name for path in (tmp_path / "some").iterdir()) == ["a.csv", "b.csv"]
    assert fsspec.filesystem("memory").cat("/all/deep/d.csv") == b"deep/d.csv"


def test_what_is_there_already_is_kept_unless_it_is_to_be_replaced(run, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text("new")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/b").write_text("old")
    with pytest.raises(AirflowException, match=r"out/b is there already; overwrite=True replaces it"):
        run(copying(tmp_path / "in", tmp_path / "out"), "t")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b"], (
        "nothing is copied before all has been looked at"
    )
    run(copying(tmp_path / "in", tmp_path / "out", overwrite=True), "t")
    assert (tmp_path / "out/b").read_text() == "new"


def test_a_copy_that_breaks_off_leaves_what_was_there_and_nothing_else(run, tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b").write_text("old")
    fsspec.filesystem("memory").pipe("/c", b"old")

    def no_room(progress):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("orchestrator.operators.file_transfer.heartbeat", no_room)
    for target in (tmp_path / "b", "memory://c"):
        with pytest.raises(AirflowException, match=r"copying failed at .*: No space left on device"):
            run(copying(tmp_path / "a", target, overwrite=True), "t")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert (tmp_path / "b").read_text() == "old"
    assert fsspec.filesystem("memory").cat("/c") == b"old"


def test_a_body_says_that_it_is_alive_with_each_piece(run, tmp_path, monkeypatch):
    beats = []
    monkeypatch.setattr("orchestrator.operators.file_transfer.heartbeat", beats.append)
    (tmp_path / "a").write_bytes(b"x" * 2_500_000)
    run(copying(tmp_path / "a", tmp_path / "b"), "t")
    assert [beat["bytes"] for beat in beats] == [1_048_576, 2_097_152, 2_500_000]


def test_memory_stays_flat_whatever_the_size(run, tmp_path):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(400_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(copying(tmp_path / "a", tmp_path / "b"), "t")
    assert (tmp_path / "b").stat().st_size == 400_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_what_is_missing_or_makes_no_sense_is_one_sentence(run, tmp_path):
    (tmp_path / "a").write_text("x")
    for src, dst, kind, said in (
        (tmp_path / "none", tmp_path / "b", AirflowException, r"none does not exist"),
        (tmp_path / "*.csv", tmp_path / "b", AirflowException, r"no file matches"),
        (tmp_path / "a", tmp_path / "a", UsageError, "is both src and dst"),
        ("a.csv", tmp_path / "b", UsageError, "the path 'a.csv' is relative"),
        ("memry://a", tmp_path / "b", ConfigError, "Protocol not known: memry.*did you mean 'memory'"),
        (tmp_path / "a", "s3://bucket/b", ConfigError, "s3://bucket/b cannot be reached: Install s3fs[^;]*$"),
        (tmp_path / "a", tmp_path / "a" / "b", AirflowException, "copying failed at .*: Not a directory|File exists"),
    ):
        with pytest.raises(kind, match=said):
            run(copying(src, dst), "t")
    with pytest.raises(NotFoundError, match="there is no connection 'nowhere'"):
        run(copying(tmp_path / "a", tmp_path / "b", source_conn_id="nowhere"), "t")


def test_a_file_system_that_is_for_reading_only_is_told(run, tmp_path, monkeypatch):
    def read_only(*args, **options):
        raise NotImplementedError

    (tmp_path / "a").write_text("x")
    monkeypatch.setattr(fsspec.filesystem("memory"), "open", read_only)
    with pytest.raises(AirflowException, match="memory://b cannot be written: its file system is for reading only"):
        run(copying(tmp_path / "a", "memory://b"), "t")


def test_files_of_one_name_from_several_folders_do_not_become_one(run, tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(folder)
    with pytest.raises(AirflowException, match="have one name, and would be one at"):
        run(copying(tmp_path / "*/a.csv", tmp_path / "out"), "t")


def test_a_connection_gives_what_the_file_system_is_told(connections, monkeypatch):
    told = {}

    def url_to_fs(url, **options):
        told.update(options, url=url)
        return fsspec.filesystem("memory"), "/x"

    monkeypatch.setattr("orchestrator.hooks.files.url_to_fs", url_to_fs)
    extra = {"endpoint_url": "http://store"}
    connections("store", json.dumps({"conn_type": "aws", "login": "me", "password": "pass-word", "extra": extra}))
    assert file_place("s3://store@bucket/key").url == "s3://bucket/key"
    assert told == {"url": "s3://bucket/key", "key": "me", "secret": "pass-word", "endpoint_url": "http://store"}
    told.clear()
    connections("box", "sftp://me:pass-word@host:2222")
    file_place("sftp:///in/a.csv", "box")
    wanted = {"host": "host", "port": 2222, "username": "me", "password": "pass-word"}
    assert told == {"url": "sftp:///in/a.csv", **wanted}
