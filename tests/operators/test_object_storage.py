"""ObjectStoragePath: on a local folder, in memory, through connections; named while a file is parsed, used in tasks."""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from orchestrator import DAG, task
from orchestrator.authoring.typed.types import AuthorTypes
from orchestrator.authoring.vault import EnvironmentVault, keep_vault
from orchestrator.core import values
from orchestrator.core.typed import keep_types
from orchestrator.exceptions import NotFoundError, ValueEncodingError
from orchestrator.hooks.object_storage import ObjectStoragePath


@pytest.fixture(autouse=True)
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections by the environment, and an empty store in memory."""
    monkeypatch.setenv("AIRFLOW_CONN_STORE", '{"conn_type": "generic"}')
    before = keep_vault(EnvironmentVault())
    yield
    keep_vault(before)
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def test_a_path_is_named_before_its_connection_is_there() -> None:
    base = ObjectStoragePath("s3://nowhere@bucket/folder")
    path = base / "orders.parquet"
    assert (path.conn_id, path.bucket, path.container, path.key) == (
        "nowhere", "bucket", "bucket", "folder/orders.parquet"
    )  # fmt: skip
    assert (str(path), path.namespace, path.name) == (
        "s3://bucket/folder/orders.parquet",
        "s3://bucket",
        "orders.parquet",
    )
    with pytest.raises(NotFoundError, match="there is no connection 'nowhere'"):
        path.exists()
    assert ObjectStoragePath(path, conn_id="other").conn_id == "other"
    assert path.parent.conn_id == ObjectStoragePath(path).conn_id == "nowhere"
    assert path.parent == base != ObjectStoragePath("s3://bucket/folder")


def test_a_file_is_written_read_listed_and_measured() -> None:
    base = ObjectStoragePath("memory://store@shop/")
    (base / "in").mkdir(parents=True, exist_ok=True)
    path = base / "in" / "a.txt"
    with path.open("w") as file:
        file.write("apples\npears\n")
    assert path.read_text() == "apples\npears\n"
    assert path.size() == path.stat().st_size == 13
    assert path.read_block(0, 3, b"\n") == b"apples\n"
    assert [one.conn_id for one in (base / "in").iterdir()] == ["store"]
    path.unlink()
    assert not path.exists()


def test_files_and_folders_are_copied_between_file_systems(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.txt").write_text("a")
    local, store = ObjectStoragePath(f"file://{tmp_path}/in"), ObjectStoragePath("memory://store@shop")
    with pytest.raises(IsADirectoryError, match="copy it with recursive=True"):
        local.copy(store)
    local.copy(store / "all", recursive=True)
    assert (store / "all" / "deep" / "a.txt").read_text() == "a"
    (store / "all" / "deep" / "a.txt").move(f"file://{tmp_path}/out/")
    assert (tmp_path / "out" / "a.txt").read_text() == "a"
    assert not (store / "all" / "deep" / "a.txt").exists()
    (local / "deep" / "a.txt").copy(ObjectStoragePath(f"file://{tmp_path}/b.txt"))
    assert (tmp_path / "b.txt").read_text() == "a"


def test_a_path_is_copied_pickled_and_equal_to_itself() -> None:
    path = ObjectStoragePath("memory://store@shop/a.txt")
    for other in (copy.deepcopy(path), pickle.loads(pickle.dumps(path))):
        assert (other, hash(other), other.conn_id) == (path, hash(path), "store")


class _Named:
    """The classes of a test."""

    def name_of(self, kind: type) -> str:
        return kind.__name__

    def find(self, name: str) -> object:
        return {"ObjectStoragePath": ObjectStoragePath}[name]


def test_a_task_returns_one_and_another_takes_it() -> None:
    before = keep_types(AuthorTypes(_Named()))
    try:
        path = ObjectStoragePath("memory://store@shop/a.txt", skip_instance_cache=True)
        recorded = values.encode(path)
        assert b"AIRFLOW_CONN" not in recorded
        assert values.decode(recorded) == path
        with pytest.raises(ValueEncodingError, match="its option password is a secret; put it into a connection"):
            values.encode(ObjectStoragePath("memory://shop/a.txt", password="p"))
    finally:
        keep_types(before)


def test_it_is_used_in_a_task(run) -> None:
    base = ObjectStoragePath("memory://store@shop/")
    with DAG("d") as dag:

        @task
        def write(ds=None):
            path = base / f"{ds}.txt"
            path.write_text("written")
            return str(path)

        write()
    assert run(dag, "write") == "memory://shop/2026-01-31.txt"
    assert (base / "2026-01-31.txt").read_text() == "written"
