"""The payload store: bytes too large for a history, by content, in a folder or any file system of fsspec."""

import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pytest

from orchestrator.core.particulars import PayloadRef
from orchestrator.exceptions import ConfigError, NotFoundError, StorageCorruptError, StorageUnavailableError
from orchestrator.storage.payloads import FsspecPayloadStore


@pytest.fixture(params=["path", "file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FsspecPayloadStore:
    places = {
        "path": str(tmp_path / "payloads"),
        "file": f"file://{tmp_path}/payloads",
        "memory": f"memory://{uuid.uuid4().hex}",
    }
    return FsspecPayloadStore(places[request.param])


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def test_what_is_put_can_be_had_again(store: FsspecPayloadStore) -> None:
    for data in (b"", b"[1, 2, 3]", bytes(range(256)) * 1000):
        ref = store.put(data)
        assert ref.size == len(data)
        assert store.get(ref) == data


def test_the_same_bytes_are_kept_once(store: FsspecPayloadStore) -> None:
    assert store.put(b"x" * 100) == store.put(b"x" * 100)
    assert store.sweep(set(), later()) == 1


def test_bytes_that_are_gone_are_not_found(store: FsspecPayloadStore) -> None:
    with pytest.raises(NotFoundError, match="ab" * 32):
        store.get(PayloadRef(sha256="ab" * 32, size=1))


def test_a_sweep_takes_what_nothing_refers_to_and_nothing_else(store: FsspecPayloadStore) -> None:
    kept, orphan = store.put(b"kept"), store.put(b"orphan")
    assert store.sweep({kept.sha256}, datetime.now(UTC) - timedelta(days=1)) == 0
    assert store.sweep({kept.sha256}, later(), dry_run=True) == 1
    assert store.get(orphan) == b"orphan"
    assert store.sweep({kept.sha256}, later()) == 1
    assert store.get(kept) == b"kept"
    with pytest.raises(NotFoundError):
        store.get(orphan)


def test_an_old_payload_that_is_put_again_is_young_again(tmp_path: Path) -> None:
    store = FsspecPayloadStore(str(tmp_path))
    ref = store.put(b"wanted again")
    path = next(tmp_path.rglob(ref.sha256))
    os.utime(path, (0, 0))
    store.put(b"wanted again")
    assert store.sweep(set(), datetime.now(UTC) - timedelta(days=1)) == 0


def test_a_damaged_payload_is_never_taken_for_the_value(tmp_path: Path) -> None:
    store = FsspecPayloadStore(str(tmp_path))
    ref = store.put(b"the value")
    next(tmp_path.rglob(ref.sha256)).write_bytes(b"the valuf")
    with pytest.raises(StorageCorruptError, match=ref.sha256):
        store.get(ref)


def test_nothing_half_written_is_left_under_a_payloads_name(tmp_path: Path) -> None:
    store = FsspecPayloadStore(str(tmp_path))
    ref = store.put(b"whole")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [ref.sha256]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "payloads").write_text("a file, not a folder")
    store = FsspecPayloadStore(str(tmp_path / "payloads"))
    with pytest.raises(StorageUnavailableError, match=str(tmp_path)):
        store.put(b"x")


def test_a_url_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="gopher"):
        FsspecPayloadStore("gopher://hole/x")


def test_the_memory_file_system_of_these_tests_is_a_remote_one() -> None:
    assert "file" not in fsspec.filesystem("memory").protocol
