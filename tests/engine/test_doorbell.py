"""The doorbell by which other processes wake the scheduler."""

import time
from pathlib import Path

import pytest

from orchestrator.doorbell import PipeDoorbell, ring
from orchestrator.exceptions import ConfigError


def test_a_ring_wakes_whoever_sleeps_and_is_heard_once(tmp_path: Path) -> None:
    doorbell = PipeDoorbell(tmp_path / "bell")
    assert ring(tmp_path / "bell")
    assert doorbell.wait([], 5)
    assert not doorbell.wait([], 0)
    doorbell.close()


def test_any_number_of_rings_that_nobody_hears_harms_nobody(tmp_path: Path) -> None:
    doorbell = PipeDoorbell(tmp_path / "bell")
    assert all(ring(tmp_path / "bell") for _ in range(70_000))
    assert doorbell.wait([], 0)
    assert not doorbell.wait([], 0)
    doorbell.close()


def test_ringing_where_nobody_listens_or_may_be_called_is_no_error(tmp_path: Path) -> None:
    assert not ring(tmp_path / "nowhere" / "bell")
    PipeDoorbell(tmp_path / "bell").close()
    assert not ring(tmp_path / "bell")
    assert not ring(tmp_path)


def test_a_plain_file_in_the_place_of_the_bell_is_replaced_and_does_not_ring_for_ever(tmp_path: Path) -> None:
    (tmp_path / "bell").write_text("left by a copy of the home")
    doorbell = PipeDoorbell(tmp_path / "bell")
    since = time.monotonic()
    assert not doorbell.wait([], 0.05)
    assert time.monotonic() - since >= 0.05
    doorbell.close()


def test_a_place_that_cannot_hold_a_bell_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"the doorbell .* cannot be made"):
        PipeDoorbell(tmp_path / "file" / "bell")
